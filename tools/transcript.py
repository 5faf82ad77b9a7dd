"""Puts what ``make demo`` prints now into the README, whose transcript a test holds to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
# Where the README's reader has the clone.
SHOWN_ROOT = "/home/ada/recorder"


def main() -> int:
    """Run the demo and rewrite the README's only console block."""
    printed = subprocess.run(
        [sys.executable, "tools/demo.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    ).stdout.replace(str(ROOT), SHOWN_ROOT)
    block = f"```console\n$ make demo\n{printed}```\n"
    text = README.read_text(encoding="utf-8")
    text, count = re.subn(
        r"```console\n.*?^```\n", lambda _: block, text, flags=re.DOTALL | re.MULTILINE
    )
    assert count == 1, "the README has one console block"
    README.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
