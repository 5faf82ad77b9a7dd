"""The expander of journals against mutations of real chunks, under gcc's sanitizers.

A short run with a fixed seed always happens; ``CODETRACER_LONG_TESTS`` makes it twenty minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LONG = "CODETRACER_LONG_TESTS" in os.environ
RUNS, SECONDS = ("1000000000", "1200") if LONG else ("1500", "60")

# The expander knows nothing of any interpreter.
pytestmark = [pytest.mark.repository, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The expander with our own mutations; the tests are skipped where gcc has no sanitizers."""
    library = ["gcc", "-print-file-name=libasan.so"]
    found = subprocess.run(library, capture_output=True, text=True, check=True).stdout.strip()
    if not os.path.isabs(found):
        pytest.skip("gcc has no libasan.so")
    made = tmp_path_factory.mktemp("fuzzer") / "fuzzer"
    subprocess.run([HERE / "build.sh", made], check=True)
    return made


def test_no_mutation_of_a_journal_makes_the_expander_fail(fuzzer: Path, tmp_path: Path) -> None:
    """It neither reads nor writes where it must not, nor overflows, nor runs on without an end."""
    corpus = sorted((HERE / "corpus").iterdir())
    finding = tmp_path / "finding"
    done = subprocess.run(
        [fuzzer, "1", RUNS, SECONDS, finding, *corpus], capture_output=True, text=True, check=False
    )
    assert not finding.exists(), f"{done.stderr}\n{finding.read_bytes().hex()}"
    assert done.returncode == 0, done.stderr
    report = re.fullmatch(r"(\d+) runs, (\d+) inputs kept, (\d+) places reached\n", done.stdout)
    assert report is not None
    runs, kept, reached = map(int, report.groups())
    assert runs > 0
    # The mutations get further than the corpus does.
    assert kept > len(corpus)
    assert reached > 1000


def test_the_same_seed_gives_the_same_runs(fuzzer: Path, tmp_path: Path) -> None:
    """What a run has found can be found again."""
    corpus = sorted((HERE / "corpus").iterdir())
    command: list[str | Path] = [fuzzer, "7", "100", "60", tmp_path / "finding", *corpus]
    first, second = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert first.stdout == second.stdout
