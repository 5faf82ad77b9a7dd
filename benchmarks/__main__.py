"""Runs all benchmarks, one after the other: ``python -m benchmarks [--fast]``."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

COMMANDS = ("hot_path.py", "whole_process.py", "filters.py", "reporting.py", "reference.py")


def main() -> int:
    """Pass the options on; the first command that fails ends it with its status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="small sizes, one round")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall")
    parser.add_argument("--only-ours", action="store_true", help="needs no network")
    options = parser.parse_args()
    common = [*(["--fast"] if options.fast else []), "--clock", options.clock]
    for name in COMMANDS:
        script = Path(__file__).with_name(name)
        own = ["--only-ours"] if options.only_ours and name == "reference.py" else []
        print(f"== {name}", flush=True)
        status = subprocess.run([sys.executable, script, *common, *own], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
