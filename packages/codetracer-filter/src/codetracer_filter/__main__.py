"""``python -m codetracer_filter`` is the command ``codetracer-filter``."""

from __future__ import annotations

import sys

from codetracer_filter.cli import main

if __name__ == "__main__":
    sys.exit(main())
