"""Reading journals: whole ones, cut ones, damaged ones, and those with a ring beside them."""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pytest

from codetracer_core.errors import EnvironmentError_, RecorderError, TraceError
from codetracer_core.journal.reader import JournalReader
from core.materialise import builder as files
from core.materialise.builder import METADATA, Builder, Function

MODULE = Function(0, "<__main__>", flags=1)


def recording(chunks: int = 3) -> Builder:
    builder = Builder()
    builder.call(MODULE)
    for line in range(1, chunks):
        builder.step(line)
        builder.seal()
    builder.step(chunks)
    return builder


def chunk(sequence: int, records: bytes) -> bytes:
    return files.chunk_header(sequence, len(records)) + records


def sequences(path: Path) -> list[int]:
    with JournalReader(path) as journal:
        return [one.sequence for one in journal.chunks()]


def test_a_whole_journal_is_complete(tmp_path: Path) -> None:
    """Metadata, end and chunks come back, the chunks as often as asked for."""
    builder = recording()
    with JournalReader(builder.write(tmp_path)) as journal:
        assert journal.complete
        assert journal.damage == []
        assert journal.metadata == METADATA
        assert journal.end == files.END
        assert journal.session_id == files.SESSION
        for _ in range(2):
            found = list(journal.chunks())
            assert [one.sequence for one in found] == [1, 2, 3]
            assert [one.data[128:] for one in found] == [*builder.sealed, bytes(builder.out)]
            assert not any(one.after_gap for one in found)


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 100, b"CTJOURNL", files.header(version=2), b"CTJRING1".ljust(4096, b"\0")],
    ids=["empty", "text", "cut", "version", "ring"],
)
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    """A file that is no journal, or one of another version, is refused with its path."""
    path = tmp_path / "trace.x.ctj"
    path.write_bytes(data)
    with pytest.raises(TraceError) as caught:
        JournalReader(path)
    assert caught.value.code == "ERR_JOURNAL_FORMAT"
    assert caught.value.context["path"] == str(path)


def test_a_missing_journal_is_an_error_of_the_environment(tmp_path: Path) -> None:
    """A path without a file says what to check."""
    with pytest.raises(EnvironmentError_) as caught:
        JournalReader(tmp_path / "trace.x.ctj")
    assert caught.value.code == "ERR_IO"


def test_a_cut_journal_reads_up_to_the_cut(tmp_path: Path) -> None:
    """Whatever its length, a journal gives its whole frames and says that it is cut."""
    path = recording().write(tmp_path)
    whole = path.read_bytes()
    for length in range(64, len(whole)):
        path.write_bytes(whole[:length])
        with JournalReader(path) as journal:
            found = [one.sequence for one in journal.chunks()]
            assert found == [1, 2, 3][: len(found)]
            assert not journal.complete


def test_a_damaged_frame_ends_the_reading(tmp_path: Path) -> None:
    """A flipped bit anywhere behind the header is found, and nothing after it is used."""
    path = recording().write(tmp_path)
    whole = path.read_bytes()
    random = Random(7)
    for _ in range(300):
        data = bytearray(whole)
        at = random.randrange(64, len(data))
        data[at] ^= 1 << random.randrange(8)
        path.write_bytes(data)
        with JournalReader(path) as journal:
            assert [one.sequence for one in journal.chunks()] == [1, 2, 3][: journal.chunk_count]
            assert any("damaged" in text for text in journal.damage)


def test_frames_of_unknown_kinds_are_skipped(tmp_path: Path) -> None:
    """A newer recorder may write other frames between the chunks."""
    path = tmp_path / "trace.x.ctj"
    data = files.header() + files.frame(77, 0, b"?") + files.frame(1, 0, b"{}")
    data += files.frame(2, 1, chunk(1, b"\x01\x00\x01/")) + files.frame(99, 5, b"??", codec=9)
    path.write_bytes(data + files.frame(3, 0, b"{}"))
    with JournalReader(path) as journal:
        assert journal.complete
        assert journal.chunk_count == 1


def test_stored_chunks_are_read(tmp_path: Path) -> None:
    """A chunk may stand in the journal without compression."""
    path = tmp_path / "trace.x.ctj"
    content = chunk(1, b"\x01\x00\x01/")
    path.write_bytes(files.header() + files.frame(2, 1, content, codec=0))
    with JournalReader(path) as journal:
        assert [one.data for one in journal.chunks()] == [content]


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_metadata_that_cannot_be_read_is_damage(tmp_path: Path, text: bytes) -> None:
    """Metadata that is no JSON object is missing, and the rest is read all the same."""
    path = tmp_path / "trace.x.ctj"
    data = files.frame(1, 0, text) + files.frame(2, 1, chunk(1, b"")) + files.frame(3, 0, b"{}")
    path.write_bytes(files.header() + data)
    with JournalReader(path) as journal:
        assert journal.metadata == {}
        assert journal.damage == ["the journal's metadata cannot be read"]
        assert journal.chunk_count == 1


def test_a_chunk_that_claims_to_be_huge_is_damage(tmp_path: Path) -> None:
    """No memory is taken for a length that no recorder writes."""
    path = tmp_path / "trace.x.ctj"
    frame = bytearray(files.frame(2, 1, b"x"))
    struct.pack_into("<II", frame, 8, 1 << 31, 1 << 31)
    frame[28:32] = struct.pack("<I", crc32(frame[:28]))
    path.write_bytes(files.header() + bytes(frame))
    with JournalReader(path) as journal:
        assert journal.chunk_count == 0
        assert journal.damage


def test_the_ring_completes_a_journal(tmp_path: Path) -> None:
    """Chunks that only the ring holds follow by their numbers, and frames win over slots."""
    builder = recording(chunks=4)
    path = builder.write(tmp_path, end=None)
    records = [*builder.sealed, bytes(builder.out)]
    data = files.header() + b"".join(
        files.frame(2, number, chunk(number, records[number - 1])) for number in (1, 2)
    )
    path.write_bytes(data)
    ring = [(4, records[3], True), (2, records[1], False), (3, records[2], False)]
    files.write_ring(path.with_suffix(".ring"), ring)
    with JournalReader(path) as journal:
        found = list(journal.chunks())
        assert [one.sequence for one in found] == [1, 2, 3, 4]
        assert not any(one.after_gap for one in found)
        assert found[3].data[128 : 128 + len(records[3])] == records[3]
        assert journal.damage == []
        assert not journal.complete


def test_a_gap_is_reported(tmp_path: Path) -> None:
    """Chunks behind missing ones are given, marked, and the missing ones are named."""
    path = recording().write(tmp_path)
    frames = files.frame(2, 1, chunk(1, b"")) + files.frame(2, 5, chunk(5, b""))
    path.write_bytes(files.header() + frames + files.frame(3, 0, b"{}"))
    with JournalReader(path) as journal:
        assert [(one.sequence, one.after_gap) for one in journal.chunks()] == [
            (1, False),
            (5, True),
        ]
        assert journal.damage == ["chunks 2 to 4 are missing"]


@pytest.mark.parametrize("what", ["session", "magic", "empty"])
def test_a_foreign_ring_is_left_alone(tmp_path: Path, what: str) -> None:
    """A ring of another session, or a file that is none, adds nothing and is named."""
    path = recording().write(tmp_path, end=None)
    ring = path.with_suffix(".ring")
    files.write_ring(
        ring, [(9, b"", False)], session=b"x" * 16 if what == "session" else files.SESSION
    )
    if what != "session":
        ring.write_bytes(b"" if what == "empty" else b"X" + ring.read_bytes()[1:])
    with JournalReader(path) as journal:
        assert journal.damage == ["the ring does not belong to this journal"]
    assert sequences(path) == [1, 2, 3]


def test_damaged_rings_never_hang_or_crash(tmp_path: Path) -> None:
    """Random bytes in a ring give chunks, damage, or an error of ours."""
    builder = recording()
    path = builder.write(tmp_path, end=None, live=True)
    ring = path.with_suffix(".ring")
    whole = ring.read_bytes()
    random = Random(3)
    for _ in range(200):
        data = bytearray(whole[: random.choice([len(whole), random.randrange(len(whole))])])
        for _ in range(random.randrange(1, 4)):
            if data:
                data[random.choice([random.randrange(40), -1])] = random.randrange(256)
        ring.write_bytes(data)
        with suppress(RecorderError), JournalReader(path) as journal:
            assert len(list(journal.chunks())) >= 2


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    """A reader may be closed by hand inside its context."""
    with JournalReader(recording().write(tmp_path)) as journal:
        journal.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("data", [b"", files.header()])
def test_no_file_stays_open(tmp_path: Path, data: bytes) -> None:
    """Whether opening fails or works, the descriptors are as many afterwards as before."""
    path: Any = tmp_path / "trace.x.ctj"
    path.write_bytes(data)
    before = descriptors()
    for _ in range(3):
        with suppress(TraceError):
            JournalReader(path).close()
    assert descriptors() == before
