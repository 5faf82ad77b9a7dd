"""Numbers of the CTFS container and of its ``meta.dat`` that writer and reader share."""

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

# meta.dat: magic | version | flags, then texts and lists.
META_HEAD = struct.Struct("<4sHH")
META_MAGIC = b"CTMD"
META_VERSION = 3
NATIVE = 0x0001
REPLAY_LAUNCH = 0x0002
LAYOUT_SNAPSHOT = 0x0004
TRACE_FILTERS = 0x0008
COLUMNS = 0x0010
CALL_STREAM = 0x0100
STEP_STREAM = 0x0200
VALUE_STREAM = 0x0400
EVENT_STREAM = 0x0800
KNOWN_FLAGS = 0x3FFF

# Neighbouring steps repeat each other: the fastest levels find that as well as the slow ones.
COMPRESSION_LEVEL = 1
# Those of values are nearly equal: what is left of them is not worth the time to code it, and what
# a step repeats may lie anywhere in its chunk, which has 4 MiB at most.
VALUES_LEVEL = -1
VALUES_WINDOW_LOG = 22

# Kind of an event that tells of an error of the program.
ERROR_EVENT = 11

# edges.dat: a byte for each call, 16 * how it ends + how it begins, in chunks of this many.
# csrc/expand_calls.h has the numbers.
EDGES_PER_CHUNK = 4096
# tasks.dat: the tasks that calls begin or go on with, in chunks of what this many calls tell.
TASKS_PER_CHUNK = 4096
ENTRIES = ("call", "found", "resume", "throw", "switch")
EXITS = ("open", "return", "yield", "unwind", "lost", "switch")
