"""Records the sample program into a fresh folder and shows the trace."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path("examples", "wallet.py")
OUT = Path("demo-out")


def main() -> int:
    """Print each command before it runs, so that a reader can repeat it."""
    shutil.rmtree(ROOT / OUT, ignore_errors=True)
    for command in (
        ["codetracer-core", "record", "--out-dir", str(OUT), str(PROGRAM)],
        ["codetracer-core", "show", str(OUT)],
    ):
        print("$ " + " ".join(command), flush=True)
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
