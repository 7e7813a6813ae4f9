"""Checkpoints save folding a day twice, and never what is known."""

from __future__ import annotations

import gzip
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.sense.chains import DAY, lived, model, rules
from twin.readings import Reading, from_frame
from twin.sense.checkpoint import Checkpoints
from twin.store import Store

HARBOUR = model("harbour")
ZERO = HARBOUR.start.timestamp()
READINGS, _, _ = lived(HARBOUR, 6.5 * DAY, seed=4)
AT = ZERO + 6.4 * DAY * 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "harbour")
    found.write(from_frame(READINGS))
    return found


def folded(store: Store, at: float = AT, *, keep: bool = True) -> object:
    fold, signals = Checkpoints(store, HARBOUR, rules("harbour"), keep=keep).until(at)
    return fold.state(), signals.state()


def files(store: Store) -> list[str]:
    return sorted(path.name[:10] for path in (store.folder / "checkpoints").glob("*.gz"))


def test_whole_days_are_kept_and_used(store: Store) -> None:
    cold = folded(store, keep=False)
    assert not (store.folder / "checkpoints").exists()
    assert folded(store) == cold
    assert files(store) == [f"2025-01-{day:02}" for day in range(6, 12)]
    stamps = [path.stat().st_mtime_ns for path in (store.folder / "checkpoints").iterdir()]
    assert folded(store) == cold
    assert stamps == [path.stat().st_mtime_ns
                      for path in (store.folder / "checkpoints").iterdir()]


def test_a_moment_before_the_last_checkpoint(store: Store) -> None:
    early = folded(store, ZERO + 2.3 * DAY * 3600.0, keep=False)
    folded(store)
    assert folded(store, ZERO + 2.3 * DAY * 3600.0) == early


def test_a_late_reading_folds_its_day_and_those_after_it_again(store: Store) -> None:
    folded(store)
    before = {path.name: path.read_bytes() for path in (store.folder / "checkpoints").iterdir()}
    late = Reading(sensor="wms", id="late", time=ZERO + 3.5 * DAY * 3600.0, kind="expiring",
                   site="juicery", product="bottles", quantity=100.0, cause="broken")
    store.write([late])
    after = folded(store)
    assert after == folded(store, keep=False)
    unlike = sorted(path.name[:10] for path in (store.folder / "checkpoints").iterdir()
                    if path.read_bytes() != before[path.name])
    assert unlike == ["2025-01-09", "2025-01-10", "2025-01-11"]


def test_what_is_not_merged_yet_counts_too(store: Store) -> None:
    folded(store)
    late = Reading(sensor="wms", id="late", time=ZERO + 3.5 * DAY * 3600.0, kind="expiring",
                   site="juicery", product="bottles", quantity=100.0, cause="broken")
    segment = store.segment("one")
    said = {name: value for name, value in asdict(late).items() if value not in ("", None)
            and value == value}
    segment.append([said])
    open_ = folded(store)
    segment.close()
    store.merge()
    assert folded(store, keep=False) == open_ == folded(store)


@pytest.mark.parametrize("damage", [b"", b"no gzip at all", gzip.compress(b"mark\n{}\n")],
                         ids=["empty", "no gzip", "of another store"])
def test_a_damaged_checkpoint_is_folded_again(store: Store, damage: bytes) -> None:
    whole = folded(store)
    for path in (store.folder / "checkpoints").iterdir():
        path.write_bytes(damage)
    assert folded(store) == whole


def test_another_model_has_checkpoints_of_its_own(store: Store) -> None:
    folded(store)
    other = HARBOUR.replace(sensors=[{"sensor": "t1"}])
    fold, _ = Checkpoints(store, other, rules("harbour")).until(AT)
    assert fold.state() == folded(store, keep=False)[0]  # type: ignore[index]


def test_days_that_are_over_are_kept_before_anybody_asks(store: Store) -> None:
    told: list[tuple[int, int]] = []
    checkpoints = Checkpoints(store, HARBOUR, rules("harbour"))
    checkpoints.keep_up(lambda done, whole: told.append((done, whole)))
    assert files(store) == [f"2025-01-{day:02}" for day in range(6, 12)]
    assert told == [(day, 6) for day in range(6)]
    checkpoints.keep_up(lambda done, whole: told.append((done, whole)))
    checkpoints.until(AT, lambda done, whole: told.append((done, whole)))
    assert len(told) == 6  # the first question finds them all


def test_an_empty_store_has_no_days_to_keep(tmp_path: Path) -> None:
    Checkpoints(Store(tmp_path), HARBOUR, rules("harbour")).keep_up()
    assert not (tmp_path / "checkpoints").exists()
