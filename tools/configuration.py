"""Puts the tables of settings and variables into the documents, which a test holds to them."""

from __future__ import annotations

import sys
from pathlib import Path

from codetracer_policy import settings_table, variables_table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (
    ROOT / "docs" / "configuration.md",
    ROOT / "packages" / "codetracer-policy" / "README.md",
)
TABLES = {"settings": settings_table, "variables": variables_table}


def with_tables(text: str) -> str:
    """`text` with what stands between `<!-- NAME -->` and `<!-- end -->` made anew."""
    for name, table in TABLES.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        if start:
            text = before + start + table() + rest[rest.index("<!-- end -->") :]
    return text


def main() -> int:
    """Rewrite the tables of all documents that have some."""
    for path in DOCUMENTS:
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
