"""Settings that all tests share."""

from __future__ import annotations

from hypothesis import settings

# Examples run under load beside other work, where a deadline measures the machine.
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")
