"""Tests of how frames and series of pandas are shown; skipped where pandas is not installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.recording import recorder, write_files

pytest.importorskip("pandas", reason="pandas is not installed")

PROGRAM = """\
import numpy as np, pandas as pd
frame = pd.DataFrame({
    "n": [1, 2], "password": list(map("hunter{}".format, (7, 8))), "f": [1.5, np.nan],
    "kind": pd.Categorical(["u", None]), "whole": pd.array([1, None]),
    "when": np.array(["2024-01-01", "NaT"], dtype="datetime64[s]"), "any": [{"token": 5}, "x"],
})
column = frame["n"]
frame.loc[0, "n"] = 99
del frame["f"]
frame["late"] = 0
chosen = frame["password"]
tall = pd.DataFrame(np.arange(40).reshape(20, 2)).iloc[::-1, [1, 0]]
wide = pd.DataFrame(np.zeros((1, 300)))
nested = pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("x", "password")]))
empty = pd.DataFrame()
class Sheet(pd.DataFrame):
    def __repr__(self):
        raise RuntimeError
    @property
    def shape(self):
        raise RuntimeError
sheet = Sheet({"x": [1]})
index = pd.Index(["r1", "r2"], name="rows")
end = 1
"""

ARROW = """\
import pandas as pd, pyarrow as pa
made = ["a0", None, "\u00e9\U0001f40d", ""]
texts = pd.Series(pa.chunked_array([made, [], made[1:]]), dtype="string[pyarrow]", name="texts")
part = texts[3:6]
columns = pd.Index(["n", "password", "kind"], dtype="string[pyarrow]")
plain = map("hunter{}".format, (7, 8))
frame = pd.DataFrame(zip([1, 2], plain, "uv")).set_axis(columns, axis=1)
frame["password"] = frame["password"].astype("string[pyarrow]")
frame["kind"] = frame["kind"].astype("string[pyarrow]").astype("category")
frame = frame.iloc[::-1]
numbers = pd.concat([
    pd.Series([-1, None], dtype="int8[pyarrow]"), pd.Series([2], dtype="int8[pyarrow]"),
])
large = pd.Series([2**64 - 1, None], dtype="uint64[pyarrow]")
halves = pd.Series([1.5, None, float("inf")], dtype="float[pyarrow]")
bools = pd.Series([True, None] + [False] * 8 + [True], dtype="bool[pyarrow]")[1:]
none = pd.Series([], dtype="double[pyarrow]")
moments = pd.Series([pd.Timestamp(0)], dtype="timestamp[ns][pyarrow]")
end = 1
"""


def shown_of(folder: Path, program: str) -> str:
    """What ``show`` prints of a program; what it imports is not recorded."""
    write_files(folder, {"main.py": program})
    packages = ("numpy", "pandas", "pyarrow", "dateutil", "pytz", "six")
    skipped = [f"--skip=pkg:{name}*" for name in packages]
    done = recorder(["record", *skipped, "--out-dir", "out", "main.py"], folder)
    assert done.returncode == 0, done.stderr
    return recorder(["show", "--format", "json", "out"], folder).stdout.decode()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is shown of columns that numpy keeps."""
    return shown_of(tmp_path_factory.mktemp("frames"), PROGRAM)


@pytest.fixture(scope="module")
def shown_arrow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is shown of columns that Arrow keeps."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    return shown_of(tmp_path_factory.mktemp("arrow"), ARROW)


@pytest.mark.parametrize(
    "text",
    [
        "DataFrame(shape=(2, 7), dtypes={'n': 'int64', 'password': '",
        (
            "items={'n': [1, 2], 'password': <redacted>, 'f': [1.5, nan], 'kind': ['u', None], "
            "'whole': [1, None], 'when': ['2024-01-01T00:00:00', 'NaT'], "
            "'any': [{'token': <redacted>}, 'x']})"
        ),
        "items={'n': [99, 2], 'password': <redacted>, 'f': [1.5, nan], ",
        "items={'n': [99, 2], 'password': <redacted>, 'kind': ['u', None], ",
        "'x'], 'late': [0, 0]})",
        "Series(name='n', dtype='int64', shape=(2,), items=[1, 2])",
        ", shape=(2,), items=<redacted>)",
        "DataFrame(shape=(20, 2), dtypes={1: 'int64', 0: 'int64'}, items={1: [39, 37, 35, ",
        "0: [38, 36, 34, 32, 30, 28, 26, 24, 22, 20, ",
        "DataFrame(shape=(1, 300), dtypes={0: 'float64', 1: 'float64', ",
        "DataFrame(shape=(0, 0), dtypes={}, items={})",
        "Sheet(shape=(1, 1), dtypes={'x': 'int64'}, items={'x': [1]})",
        "shape=(2,), items=['r1', 'r2'])",
    ],
)
def test_frames_are_shown_by_shape_types_and_items(text: str, shown: str) -> None:
    """Columns are read from memory, wherever pandas keeps them, and hidden by their names."""
    assert text in shown


def test_hidden_columns_are_not_written(shown: str) -> None:
    """No item of a column with the name of a secret is shown, nor one of a column that has several
    names."""
    assert "hunter7" not in shown
    assert "hunter8" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "dtype='ArrowStringArray', shape=(7,), items=['a0', None, 'é🐍', '', None, 'é🐍', ''])",
        "dtype='ArrowStringArray', shape=(3,), items=['', None, 'é🐍'])",
        "items={'n': [1, 2], 'password': <redacted>, 'kind': ['u', 'v']})",
        "items={'n': [2, 1], 'password': <redacted>, 'kind': ['v', 'u']})",
        "shape=(3,), items=[-1, None, 2])",
        "shape=(2,), items=[18446744073709551615, None])",
        "shape=(3,), items=[1.5, None, inf])",
        "shape=(10,), items=[None, False, False, False, False, False, False, False, False, True])",
        "dtype='ArrowExtensionArray', shape=(0,), items=[])",
        "Series(name=None, dtype='ArrowExtensionArray')",
    ],
)
def test_columns_of_arrow_are_shown_by_their_items(text: str, shown_arrow: str) -> None:
    """Texts, numbers and bools are read where Arrow keeps them, in whatever chunks."""
    assert json.dumps(text)[1:-1] in shown_arrow


def test_hidden_columns_of_arrow_are_not_written(shown_arrow: str) -> None:
    """Labels that Arrow keeps are names to a filter as well."""
    assert "'password': <redacted>" in shown_arrow
    assert "hunter7" not in shown_arrow
    assert "hunter8" not in shown_arrow
