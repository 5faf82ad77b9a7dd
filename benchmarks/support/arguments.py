"""Arguments of the commands that are refused before anything is measured."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.support import results
from benchmarks.support.places import WORKLOADS

if TYPE_CHECKING:
    from benchmarks.support.results import Results

__all__ = ["folder", "kept_results", "new_file", "new_plot", "number_of_pairs", "workload"]


def kept_results(text: str) -> Results:
    """What is in a file that ``--json`` has written."""
    try:
        return results.load(Path(text))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is no file that --json has written, or is damaged: {error}"
        ) from None


def new_file(text: str) -> Path:
    """Where a file can be written."""
    path = Path(text)
    folder(str(path.parent))
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder")
    return path


def new_plot(text: str) -> Path:
    """Where a plot can be written."""
    if find_spec("pygal") is None:
        raise argparse.ArgumentTypeError("plots need pygal: pip install pygal")
    return new_file(text)


def folder(text: str) -> Path:
    """A folder that is there."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path


def workload(text: str) -> str:
    """The name of a workload."""
    names = sorted(path.stem for path in WORKLOADS.glob("[!_]*.py"))
    if text not in names:
        raise argparse.ArgumentTypeError(
            f"no workload is named {text}; there are {', '.join(names)}"
        )
    return text


def number_of_pairs(text: str) -> int:
    """A number that is not negative."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not a number of pairs")
    return int(text)
