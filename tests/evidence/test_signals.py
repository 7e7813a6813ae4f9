"""Evidence of listening: the benchmarks' own scores, and figures on real data where it is there."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.evidence import goal_gps, haccp, nab, skab
from benchmarks.evidence.line import Line
from twin.readings import Reading

DATA = Path(os.environ.get("TWIN_DATA", "no data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="TWIN_DATA names no folder of data")


@pytest.mark.parametrize("module", [nab, skab, haccp, goal_gps], ids=lambda m: m.__name__)
def test_without_data_there_are_no_lines(module: object, monkeypatch: pytest.MonkeyPatch,
                                         tmp_path: Path) -> None:
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    assert module.lines() == []  # type: ignore[attr-defined]


@needs_data
@pytest.mark.long
@pytest.mark.parametrize("module", [nab, skab, haccp, goal_gps], ids=lambda m: m.__name__)
def test_every_target_is_met_and_every_baseline_is_beaten(module: object) -> None:
    lines: list[Line] = module.lines()  # type: ignore[attr-defined]
    if not lines:
        pytest.skip(f"{module} is not in TWIN_DATA")
    better: dict[str, Callable[[float, float], bool]] = {
        ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b}
    for line in lines:
        assert line.target is not None
        assert line.baseline_value is not None
        assert better[line.sign](line.value, line.target), line
        assert better[line.sign](line.value, line.baseline_value), line


# ---- the score of NAB ----


def series(n: int, *windows: tuple[int, int]) -> nab.Series:
    return nab.Series("s", [60.0 * k for k in range(n)], [0.0] * n, list(windows))


def test_the_score_of_an_alert_by_where_it_comes() -> None:
    one = series(1000, (500, 599))
    assert nab.score(one, [500]) == 1.0
    assert nab.score(one, [500, 550, 590]) == 1.0  # only the first in a window counts
    assert nab.score(one, []) == -1.0
    assert nab.score(one, [300]) == pytest.approx(-1.11)  # before any window
    assert nab.score(one, [500, 100]) == 1.0  # while it may still learn
    assert -1.11 < nab.score(one, [610]) < nab.score(one, []) < nab.score(one, [590])
    assert nab.normalised([one], [1.0]) == 100.0
    assert nab.normalised([one], [-1.0]) == 0.0


@needs_data
def test_the_score_is_the_published_one() -> None:
    """A windowed Gaussian scores what the benchmark says; it prints its threshold rounded to 1."""
    folder = DATA / "nab"
    published = folder / "results" / "per_file_scores_all_detectors.csv.gz"
    if not published.is_file():
        pytest.skip("NAB is not in TWIN_DATA")
    with gzip.open(published, "rt") as file:
        scores = {row["File"]: float(row["Score"]) for row in csv.DictReader(file)
                  if row["Detector"] == "windowedGaussian" and row["Profile"] == "standard"}
    for one in nab.read(folder):
        chances = nab.windowed_gaussian(one.values)
        raised = [k for k, chance in enumerate(chances) if chance >= 1.0 - 1e-12]
        assert nab.score(one, raised) == pytest.approx(scores[one.name], abs=1e-9), one.name


# ---- the plan of the kitchen ----


def told(*values: tuple[float, float]) -> list[Reading]:
    return [Reading(sensor="t", id=repr(minute), time=60.0 * minute, kind="temperature", lot="i",
                    value=value) for minute, value in values]


@pytest.mark.parametrize(("tag", "probe", "right"), [
    ([(0, 3), (10, 12), (20, 18)], [(20, 40), (22, 76)], True),
    ([(0, 3), (10, 12), (20, 18)], [(20, 40), (22, 74)], False),
    ([(0, 3), (10, 12), (41, 18)], [(41, 40), (43, 80)], False),
    ([(0, 12), (14, 5), (20, 12), (37, 5)], [(40, 80)], False),  # 31 min in all
    ([(0, 12), (14, 5), (20, 12), (35, 5)], [(40, 80)], True),  # 29 min in all
    ([(0, 3)], [], False),
])
def test_the_plan(tag: list[tuple[float, float]], probe: list[tuple[float, float]],
                  right: bool) -> None:
    assert haccp.compliant(told(*tag), told(*probe)) == right
