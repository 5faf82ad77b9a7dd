"""Tests of how arrays and numbers of numpy are shown; skipped where numpy is not installed."""

from __future__ import annotations

import pytest

from integration.recording import recorder, write_files

pytest.importorskip("numpy", reason="numpy is not installed")

PROGRAM = """\
import numpy as np
complexes = np.array([1 + 2j, 0])
texts = np.array(["x", "é\\U0001f600y"])
padded = np.array([b"q", b"long"])
objects = np.array([1, "x", None, {"password": "hunter2"}], dtype=object)
objects[0] = 2
around = np.empty(1, dtype=object)
around[0] = around
single = np.array(5)
table = np.arange(6).reshape(2, 3).T
numbers = [np.int64(5), np.uint8(200), np.float32(1.5), np.float16(0.5), np.bool_(True)]
more = [np.complex64(1j), np.float64(0.25), np.str_("text")]
end = 1
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``show`` prints of the program; numpy itself is not recorded."""
    folder = tmp_path_factory.mktemp("arrays")
    write_files(folder, {"main.py": PROGRAM})
    skipped = ["--skip", "pkg:numpy", "--skip", "pkg:numpy.*"]
    done = recorder(["record", *skipped, "--out-dir", "out", "main.py"], folder)
    assert done.returncode == 0, done.stderr
    return recorder(["show", "out"], folder).stdout.decode()


@pytest.mark.parametrize(
    "text",
    [
        "complexes = ndarray(shape=(2,), dtype='complex128', items=[(1+2j), 0j])",
        "texts = ndarray(shape=(2,), dtype='str', items=['x', 'é\U0001f600y'])",
        "padded = ndarray(shape=(2,), dtype='bytes', items=[b'q', b'long'])",
        "dtype='object', items=[1, 'x', None, {'password': <redacted>}]",
        "dtype='object', items=[2, 'x', None, {'password': <redacted>}]",
        "around = ndarray(shape=(1,), dtype='object', items=[<cycle>])",
        "single = ndarray(shape=(), dtype='int64', items=[5])",
        "table = ndarray(shape=(3, 2), dtype='int64', items=[0, 3, 1, 4, 2, 5])",
        "numbers = [5, 200, 1.5, 0.5, True]",
        "more = [1j, 0.25, 'text']",
    ],
)
def test_arrays_are_shown_by_shape_type_and_items(text: str, shown: str) -> None:
    """Items are read from memory, those that are objects like any other value."""
    assert text in shown
