"""``python -m codetracer_core``: the command ``codetracer-core``."""

from __future__ import annotations

import sys

from codetracer_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
