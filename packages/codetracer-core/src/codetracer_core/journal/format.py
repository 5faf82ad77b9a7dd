"""Numbers of the journal's two files; docs/journal.md describes them."""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

JOURNAL_MAGIC: Final = b"CTJOURNL"
RING_MAGIC: Final = b"CTJRING1"
FRAME_MAGIC: Final = 0x464A5443
CHUNK_MAGIC: Final = 0x534A5443
VERSION: Final = 1

# Journal: magic | version | header size | flags | session id | wall clock | monotonic clock
#   | boot id
JOURNAL_HEADER: Final = struct.Struct("<8sHHI16sQQ16s")
FLAGS_OFFSET: Final = 12
FLAG_RING_IS_PRIVATE: Final = 1
FLAG_OLDEST_DROPPED: Final = 2
# Frame: magic | kind | codec | 0 | stored length | inflated length | sequence | CRC of the payload
#   | CRC of all that
FRAME_START: Final = struct.Struct("<IBBHIIQI")
FRAME_CRC: Final = struct.Struct("<I")
KIND_METADATA: Final = 1
KIND_CHUNK: Final = 2
KIND_END: Final = 3
KIND_SOURCES: Final = 4
CODEC_STORED: Final = 0
CODEC_ZSTD: Final = 1
# Ring: magic | version | 0 | slots | bytes per slot | session id
RING_HEADER: Final = struct.Struct("<8sHHIQ16s")
RING_SLOTS_START: Final = 4096
# Chunk: magic | version | header size | session id | sequence | clocks and lengths
CHUNK_START: Final = struct.Struct("<IHH16sQ")
CHUNK_HEADER_SIZE: Final = 128
CHUNK_STEPS_OFFSET: Final = 32
CHUNK_STEPS: Final = struct.Struct("<Q")
# A chunk is about 1 MB, and more when the policy allows larger steps; a file that claims more than
# the largest allowed step is damaged.
INFLATED_LIMIT: Final = 8 << 20
# How much a frame that does not shrink may exceed what it holds.
STORED_LIMIT: Final = INFLATED_LIMIT + (64 << 10)
SLOT_LIMIT: Final = INFLATED_LIMIT
SLOTS_LIMIT: Final = 1024
