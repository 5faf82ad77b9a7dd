"""Lets the tests of the recorder run with a module that was built with other flags."""

from __future__ import annotations

from core.recorder.drive import use_native

use_native()
