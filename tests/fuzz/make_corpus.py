"""Makes the inputs that the fuzzer of the expander starts from: the chunks of small recordings.

    python tests/fuzz/make_corpus.py

records the programs named below and rewrites ``tests/fuzz/corpus``; expand_target.c says what the
files look like. Run it when the journal has got a new kind of record.
"""

from __future__ import annotations

import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from codetracer_core.journal.format import CHUNK_HEADER_SIZE
from codetracer_core.journal.reader import JournalReader

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE.parent / "core" / "recorder" / "programs"
NAMES = (
    "arguments",
    "class_bodies",
    "containers",
    "deletion",
    "exceptions",
    "field_names",
    "generators",
    "tasks",
    "threads",
    "values",
)
_LENGTH_AT = 80
_GAP = 0x8000
_LIMIT = 12_000


def records_of(journal: Path) -> list[bytes]:
    """The records of each chunk of a finished recording."""
    with JournalReader(journal) as reader:
        chunks = [chunk.data for chunk in reader.chunks()]
    lengths = [struct.unpack_from("<I", chunk, _LENGTH_AT)[0] for chunk in chunks]
    return [
        chunk[CHUNK_HEADER_SIZE : CHUNK_HEADER_SIZE + length]
        for chunk, length in zip(chunks, lengths, strict=True)
    ]


def as_input(chunks: list[bytes]) -> bytes:
    """The chunks as expand_target.c takes them, the last one behind a gap."""
    out = b""
    for number, records in enumerate(chunks):
        gap = _GAP if number and number == len(chunks) - 1 else 0
        out += struct.pack("<H", len(records) | gap) + records
    return out


def main() -> None:
    """Rewrite the corpus."""
    corpus = HERE / "corpus"
    corpus.mkdir(exist_ok=True)
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [
                    *(sys.executable, "-m", "codetracer_core", "record", "--quiet"),
                    *("--materialise", "later", "--max-items", "8", "--out-dir", folder),
                    str(PROGRAMS / f"{name}.py"),
                ],
                check=False,  # some of them end with an exception
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            (journal,) = Path(folder).glob("*.ctj")
            chunks = [records[:_LIMIT] for records in records_of(journal)]
        # A second chunk that repeats the first one finds everything defined already.
        (corpus / name).write_bytes(as_input([*chunks, chunks[0][: _LIMIT // 4]]))


if __name__ == "__main__":
    main()
