"""``python -m codetracer_core``: the command ``codetracer-core``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # Interpreters that are too old are refused by the command, and have no such flag.
    if not getattr(sys.flags, "safe_path", False):
        # The option -m has put the working directory first. Modules there are the program's.
        sys.path[0] = os.path.dirname(os.path.dirname(__file__))
    from codetracer_core.cli import main

    status = main()
    # An interactive session that follows (-i) would begin with a traceback of the exit.
    if not sys.flags.inspect:
        sys.exit(status)
