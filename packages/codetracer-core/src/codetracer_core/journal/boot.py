"""Telling one run of the machine from another."""

from __future__ import annotations

__all__ = ["boot_id"]


def boot_id() -> bytes:
    """16 bytes that no other run of the machine has; zeros where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            return bytes.fromhex(source.read().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)
