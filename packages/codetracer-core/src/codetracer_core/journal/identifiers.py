"""What tells one session, and one run of the machine, from another."""

from __future__ import annotations

import os
import time

__all__ = ["boot_id", "new_session_id", "session_id_text"]


def boot_id() -> bytes:
    """16 bytes that no other run of the machine has; zeros where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            return bytes.fromhex(source.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def new_session_id() -> bytes:
    """A UUID of version 7 (RFC 9562): milliseconds since the epoch, then random bits."""
    number = bytearray((time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10))
    number[6] = number[6] & 0x0F | 0x70
    number[8] = number[8] & 0x3F | 0x80
    return bytes(number)


def session_id_text(session_id: bytes) -> str:
    """The 16 bytes of `session_id` as a UUID is written: in names of files and as recording id."""
    digits = session_id.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
