"""Numbers of the CTFS container that its writer and its reader share."""

from __future__ import annotations

import struct

# Block 0: a header, then the directory slots.
#   0 magic | 5 version | 6 encryption | 7 max shards | 8 block size u32 | 12 slots u32
# Slot: size in bytes u64 | root mapping block u64 | packed name u64
MAGIC = b"\xc0\xde\x72\xac\xe2"
HEADER = struct.Struct("<5sBBBII")
SLOT = struct.Struct("<QQQ")
WRITTEN_VERSION = 4
READ_VERSIONS = range(2, 5)
MAX_SHARDS = 1
BLOCK_SIZE = 4096
BLOCK_SIZES = (1024, 2048, 4096)
# Some readers look at this many slots whatever the header says.
SLOTS = 31
# Mapping block: u64 block numbers; the last one links to the mapping block of the next level.
POINTER = struct.Struct("<Q")
