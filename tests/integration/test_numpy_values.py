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
days = np.array(["2024-02-29", "1969-12-31", "NaT"], dtype="datetime64[D]")
times = np.array(["2024-02-29T12:34:56.123456789", "1969-12-31T23:59:59.5"], dtype="datetime64[ns]")
months = np.array(["2024-05", "-0005-11"], dtype="datetime64[M]")
minutes = np.array(["2024-01-04T05:06"], dtype="datetime64[m]")
spans = np.array([5, -3], dtype="timedelta64[25s]")
other = [np.arange(2, dtype=">i4"), np.array([1.5 - 2j], dtype=">c16"), np.array([1.25], "g")]
fields = [("id", "i4"), ("password", "U9"), ("more", [("token", "i8"), ("text", "S3")])]
records = np.array([(1, "hunter2", (7, b"x"))], dtype=fields)
record = records[0]
strided = np.arange(12).reshape(3, 4)[::-2, 1::2]
strided.flags.writeable = False
masked = np.ma.MaskedArray([1, 2], mask=[0, 1])
scalars = [np.datetime64("2024-01-01T01:02"), np.timedelta64(5, "D"), np.longdouble(1.5)]
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
        "dtype='datetime64[D]', items=['2024-02-29', '1969-12-31', 'NaT'])",
        "items=['2024-02-29T12:34:56.123456789', '1969-12-31T23:59:59.500000000'])",
        "months = ndarray(shape=(2,), dtype='datetime64[M]', items=['2024-05', '-0005-11'])",
        "minutes = ndarray(shape=(1,), dtype='datetime64[m]', items=['2024-01-04T05:06'])",
        "spans = ndarray(shape=(2,), dtype='timedelta64[25s]', items=[5, -3])",
        (
            "other = [ndarray(shape=(2,), dtype='int32', items=[0, 1]), ndarray(shape=(1,), "
            "dtype='complex128', items=[(1.5-2j)]), ndarray(shape=(1,), dtype='longdouble', "
            "items=[1.25])]"
        ),
        (
            "records = ndarray(shape=(1,), dtype='void', items=[{'id': 1, 'password': <redacted>, "
            "'more': {'token': <redacted>, 'text': b'x'}}])"
        ),
        "record = void(id=1, password=<redacted>, more={'token': <redacted>, 'text': b'x'})",
        "strided = ndarray(shape=(2, 2), dtype='int64', items=[9, 11, 1, 3])",
        "masked = MaskedArray(value=MaskedArray(shape=(2,), dtype='int64', items=[1, 2]), ",
        "scalars = ['2024-01-01T01:02', 5, 1.5]",
    ],
)
def test_arrays_are_shown_by_shape_type_and_items(text: str, shown: str) -> None:
    """Items are read from memory, those that are objects like any other value."""
    assert text in shown
