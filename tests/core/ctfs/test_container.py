"""Containers: written in any interleaving, read at random, refused when damaged."""

from __future__ import annotations

import os
import resource
import struct
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codetracer_core.ctfs.container import Container, ContainerWriter
from codetracer_core.errors import EnvironmentError_, TraceError, UsageError
from core.ctfs import foreign
from naive import ct as naive

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("steps.dat", "steps.idx", "meta.dat")
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
APPENDS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(0, 300) | st.sampled_from([4095, 4096, 4097, 65_535, 65_536, 200_000]),
    ),
    max_size=25,
)


def noise(length: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(length)


def write(path: Path, files: dict[str, bytes], **options: Any) -> Path:
    path.unlink(missing_ok=True)
    with ContainerWriter(path, list(files), **options) as writer:
        for name, data in files.items():
            writer.append(name, data)
    return path


def corrupt(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@ANY_FOLDER
@given(APPENDS, st.sampled_from([1024, 2048, 4096]))
def test_files_survive_any_interleaving(
    tmp_path: Path, appends: list[tuple[str, int]], block_size: int
) -> None:
    """Internal files that grow in turns read back whole, for us and for the naive decoder."""
    path = tmp_path / "any.ct"
    path.unlink(missing_ok=True)
    wanted = dict.fromkeys(NAMES, b"")
    with ContainerWriter(path, NAMES, block_size) as writer:
        for seed, (name, length) in enumerate(appends):
            data = noise(length, seed)
            writer.append(name, data)
            wanted[name] += data
            assert writer.size(name) == len(wanted[name])
    with Container(path) as container:
        assert container.names == NAMES
        assert {name: container.read(name) for name in NAMES} == wanted
    assert naive.read_files(path.read_bytes()) == wanted
    assert path.stat().st_size % block_size == 0


@pytest.mark.parametrize("blocks", [0, 1, 126, 127, 128, 254, 16_255, 16_256, 16_257, 16_384])
@pytest.mark.parametrize("whole", [True, False])
def test_every_border_of_the_block_map_is_crossed(tmp_path: Path, blocks: int, whole: bool) -> None:
    """Files that end on, before and behind the last block of each mapping level read back."""
    size = blocks * 1024 + (0 if whole else 1)
    data = noise(size)
    path = write(tmp_path / "levels.ct", {"a": data, "b": b"next"}, block_size=1024)
    with Container(path) as container:
        assert container.read("a") == data
        assert container.read("b") == b"next"
        for offset in {0, size // 2, max(size - 1025, 0)}:
            assert container.read("a", offset, min(7, size - offset)) == data[offset:][:7]


@ANY_FOLDER
@given(st.data())
def test_any_range_can_be_read(tmp_path: Path, data: st.DataObject) -> None:
    """A range gives the same bytes as a slice of the whole file."""
    path = tmp_path / "ranges.ct"
    content = noise(300_000)
    if not path.exists():
        write(path, {"a": content}, block_size=1024)
    start = data.draw(st.integers(0, len(content)))
    length = data.draw(st.integers(0, len(content) - start))
    with Container(path) as container:
        assert container.read("a", start, length) == content[start : start + length]


@ANY_FOLDER
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 140_000), max_size=6),
    st.sampled_from([1024, 2048, 4096]),
    st.integers(2, 4),
    st.randoms(use_true_random=False),
)
def test_foreign_block_orders_are_read(
    tmp_path: Path, sizes: dict[str, int], block_size: int, version: int, order: Random
) -> None:
    """Blocks in any order, of any legal size, in versions 2 to 4, make the same files."""
    path = tmp_path / "foreign.ct"
    wanted = {name: noise(size) for name, size in sizes.items()}
    layout: dict[str, Any] = {"block_size": block_size, "version": version, "order": order}
    path.write_bytes(foreign.container(wanted, **layout))
    with Container(path) as container:
        assert {name: container.read(name) for name in container.names} == wanted


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_all_five_mapping_levels_are_followed(tmp_path: Path, level: int) -> None:
    """The first block that needs a level is found through the chain and the blocks below it."""
    path = tmp_path / "sparse.ct"
    block = sum(127**height for height in range(1, level))
    size = block * 1024 + 1
    chain = list(range(1, level))
    branch = list(range(level, 2 * level + 1))
    blocks = {0: foreign.header(1024) + foreign.slot("big", size, 1)}
    blocks |= {number: bytes(1016) + struct.pack("<Q", number + 1) for number in chain}
    blocks |= {number: struct.pack("<Q", number + 1) for number in branch[:-1]}
    blocks[branch[-1]] = b"!"
    with path.open("wb") as file:
        for number, content in blocks.items():
            file.seek(number * 1024)
            file.write(content)
        file.truncate(size + 20 * 1024)
    with Container(path) as container:
        assert container.size("big") == size
        assert container.read("big", size - 1, 1) == b"!"
        if level > 1:
            with pytest.raises(TraceError, match="points outside"):
                container.read("big", 0, 1)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """Writing 64 MB in small pieces and in large ones keeps the process as small as before."""
    small, large = noise(700), noise(1 << 20)
    with ContainerWriter(tmp_path / "flat.ct", ["a", "b"]) as writer:
        writer.append("b", large)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(32):
            writer.append("b", large)
            for _ in range(1500):
                writer.append("a", small)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2048
    with Container(tmp_path / "flat.ct") as container:
        assert container.size("a") == 32 * 1500 * 700
        assert container.read("b", 20 << 20, 1 << 20) == large


def test_any_buffer_can_be_appended(tmp_path: Path) -> None:
    """Bytes, byte arrays and views of wider items are taken, and may be changed afterwards."""
    reused = bytearray(b"second")
    wide = memoryview(struct.pack("<30000Q", *range(30_000))).cast("Q")
    with ContainerWriter(tmp_path / "kinds.ct", ["a"]) as writer:
        writer.append("a", b"first")
        writer.append("a", reused)
        reused[:] = b"change"
        writer.append("a", wide)
        writer.append("a", wide[:2])
    with Container(tmp_path / "kinds.ct") as container:
        assert container.read("a") == b"firstsecond" + wide.tobytes() + wide[:2].tobytes()


def test_the_written_file_is_private_and_new(tmp_path: Path) -> None:
    """The container has mode 0600 and never replaces a file that is there."""
    path = write(tmp_path / "private.ct", {"a": b"x"})
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EnvironmentError_, match=r"ERR_IO.*File exists"):
        ContainerWriter(path, ["a"])


def test_a_failed_session_leaves_no_file(tmp_path: Path) -> None:
    """An exception inside the with block removes the container; abort after close keeps it."""
    path = tmp_path / "failed.ct"
    with pytest.raises(KeyError), ContainerWriter(path, ["a"]) as writer:
        writer.append("other", b"x")
    assert not path.exists()
    writer = ContainerWriter(path, ["a"])
    writer.close()
    writer.close()
    writer.abort()
    assert path.exists()


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """A write that the system refuses raises ERR_IO with the path, and abort cleans up."""
    path = tmp_path / "full.ct"
    writer = ContainerWriter(path, ["a"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(EnvironmentError_, match="ERR_IO") as caught:
            writer.append("a", bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.context["path"] == str(path)
    writer.abort()
    assert not path.exists()


def test_a_folder_that_is_missing_is_reported(tmp_path: Path) -> None:
    """Creating or reading a container where nothing is raises ERR_IO."""
    with pytest.raises(EnvironmentError_, match="ERR_IO"):
        ContainerWriter(tmp_path / "missing" / "a.ct", ["a"])
    with pytest.raises(EnvironmentError_, match="ERR_IO"):
        Container(tmp_path / "missing.ct")
    with pytest.raises(EnvironmentError_, match="ERR_IO"):
        Container(tmp_path)


@pytest.mark.parametrize(
    ("names", "block_size"),
    [
        ([f"f{number}" for number in range(32)], 4096),
        (["a", "a"], 4096),
        (["A"], 4096),
        (["a"], 512),
    ],
)
def test_wrong_use_of_the_writer_is_refused(
    tmp_path: Path, names: list[str], block_size: int
) -> None:
    """Too many, repeated or illegal names and odd block sizes are refused, leaving no file."""
    with pytest.raises(UsageError, match="ERR_CTFS"):
        ContainerWriter(tmp_path / "bad.ct", names, block_size)
    assert not (tmp_path / "bad.ct").exists()


@pytest.mark.parametrize(
    ("offset", "data", "code", "reason"),
    [
        (0, b"\0", "ERR_TRACE_FORMAT", "magic"),
        (5, b"\x05", "ERR_TRACE_FORMAT", "newer"),
        (5, b"\x01", "ERR_TRACE_FORMAT", "newer"),
        (6, b"\x01", "ERR_TRACE_FORMAT", "encrypted"),
        (8, b"\0\0\0\0", "ERR_TRACE_CORRUPT", "block size"),
        (8, b"\0\x20\0\0", "ERR_TRACE_CORRUPT", "block size"),
        (32, b"\xff" * 8, "ERR_TRACE_CORRUPT", "no file name"),
    ],
)
def test_a_damaged_header_is_refused(
    tmp_path: Path, offset: int, data: bytes, code: str, reason: str
) -> None:
    """A wrong magic, version, block size or name is refused with its reason when opening."""
    path = write(tmp_path / "head.ct", {"a": b"x"})
    corrupt(path, offset, data)
    with pytest.raises(TraceError, match=reason) as caught:
        Container(path)
    assert caught.value.code == code


@pytest.mark.parametrize("slots", [1, 5, 170, 171, 2**32 - 1])
def test_the_number_of_slots_is_bounded_by_the_first_block(tmp_path: Path, slots: int) -> None:
    """Slots are read as the header says, never beyond the block that holds them."""
    path = tmp_path / "slots.ct"
    path.write_bytes(foreign.container({"a": b"x"}, slots=slots))
    with Container(path) as container:
        assert container.names == ("a",)
        assert container.read("a") == b"x"


def test_free_slots_are_skipped(tmp_path: Path) -> None:
    """A slot of zeros between used ones hides nothing."""
    path = tmp_path / "free.ct"
    whole = bytearray(foreign.container({"a": b"x", "b": b"y"}))
    whole[16:64] = bytes(24) + whole[16:40]
    path.write_bytes(whole)
    with Container(path) as container:
        assert container.names == ("a",)


@pytest.mark.parametrize("length", [0, 4, 15, 16, 100, 4095])
def test_a_file_cut_in_the_first_block_is_refused(tmp_path: Path, length: int) -> None:
    """A container that ends before its directory does is no container or cut."""
    path = write(tmp_path / "cut.ct", {"a": b"x"})
    os.truncate(path, min(length, 700))
    with pytest.raises(TraceError, match="ERR_TRACE_"):
        Container(path)


def test_hostile_block_maps_end(tmp_path: Path) -> None:
    """Maps that point at themselves, at block 0 or outside are followed at most five levels."""
    data = noise(5 * 1024 * 127)
    for target in (0, 1, 2, 1 << 40, (1 << 64) - 1):
        path = write(tmp_path / "map.ct", {"a": data}, block_size=1024)
        corrupt(path, 1024, struct.pack("<128Q", *[target] * 128))
        with Container(path) as container, suppress(TraceError):
            assert len(container.read("a")) == len(data)


@pytest.mark.parametrize("size", [2**20, 2**40, 2**64 - 1])
def test_a_size_beyond_the_container_is_damage(tmp_path: Path, size: int) -> None:
    """A claimed size that the container cannot hold is refused before memory is taken."""
    path = write(tmp_path / "size.ct", {"a": b"x"})
    corrupt(path, 16, struct.pack("<Q", size))
    with Container(path) as container, pytest.raises(TraceError, match="exceed"):
        container.read("a")


@pytest.mark.parametrize("root", [0, 2**63, 10**6])
def test_a_root_outside_the_container_is_damage(tmp_path: Path, root: int) -> None:
    """A file without a block map is refused when it is read, the others are not."""
    path = write(tmp_path / "root.ct", {"a": b"x", "b": b"y"})
    corrupt(path, 24, struct.pack("<Q", root))
    with Container(path) as container:
        with pytest.raises(TraceError, match="ERR_TRACE_CORRUPT"):
            container.read("a")
        assert container.read("b") == b"y"


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 6), (5, 1), (0, -1), (6, None)])
def test_a_range_outside_a_file_is_refused(tmp_path: Path, offset: int, length: int | None) -> None:
    """Reading before, behind or across the end of an internal file is refused."""
    path = write(tmp_path / "range.ct", {"a": b"12345"})
    with Container(path) as container, pytest.raises(TraceError, match="range outside"):
        container.read("a", offset, length)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """Asking for a file that is not in the directory names it."""
    path = write(tmp_path / "absent.ct", {"a": b"x"})
    with Container(path) as container:
        assert "b" not in container
        with pytest.raises(TraceError, match=r"ERR_TRACE_UNFINISHED.*no internal file b"):
            container.size("b")


def test_a_short_last_block_is_enough(tmp_path: Path) -> None:
    """A container whose last block was not padded reads as long as the needed bytes exist."""
    path = write(tmp_path / "short.ct", {"a": b"12345"})
    with path.open("rb") as file:
        assert file.seek(-4096, os.SEEK_END)
        assert file.read(5) in (b"12345", bytes(5), struct.pack("<Q", 2)[:5])
    whole = foreign.container({"a": b"12345"})
    root, data = whole[2 * 4096 :], whole[4096 : 2 * 4096]
    assert data.startswith(b"12345")
    head = bytearray(whole[:4096])
    head[24:32] = struct.pack("<Q", 1)
    path.write_bytes(bytes(head) + struct.pack("<Q", 2) + root[8:] + data[:5])
    with Container(path) as container:
        assert container.read("a") == b"12345"
