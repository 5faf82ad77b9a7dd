"""Runs all benchmarks, one after the other: ``python -m benchmarks [--fast]``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

COMMANDS = ("hot_path.py", "whole_process.py", "reference.py")


def main() -> int:
    """Pass the arguments on to each command; the first that fails ends it with its status."""
    for name in COMMANDS:
        script = Path(__file__).with_name(name)
        print(f"== {name}", flush=True)
        status = subprocess.run([sys.executable, script, *sys.argv[1:]], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
