"""The book of alerts follows the store, in one go or in many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sense.test_guards import NETWORK
from twin.readings import Reading
from twin.sense.alerts import AlertBook
from twin.sense.catch_up import catch_up, folding
from twin.sense.watch import Watch
from twin.simulate.draws import left
from twin.store import Store

DAY = 86_400.0


def story() -> list[Reading]:
    """Five days: an excursion each noon, a shelf that runs low, a machine that stays down."""
    found = [Reading(sensor="t1", id=str(k), time=600.0 * k, kind="temperature", site="W",
                     area="cold", value=9.0 if 72 <= k % 144 < 72 + 3 * (k // 144 + 1) else 5.0)
             for k in range(5 * 144)]
    for number, (day, units) in enumerate([(0.1, 60), (1.2, 35), (2.2, 5), (4.1, 80)]):
        found.append(Reading(sensor="wms", id=str(number), time=day * DAY, kind="count", site="W",
                             product="serum", quantity=float(units)))
    found += [Reading(sensor="mes", id="1", time=1.5 * DAY, kind="failing", asset="M1"),
              Reading(sensor="mes", id="2", time=4.5 * DAY, kind="repairing", asset="M1")]
    return sorted(found, key=lambda reading: (reading.time, reading.sensor, reading.id))


def summary(book: AlertBook) -> list[tuple[str, str, float, float, str]]:
    return sorted((alert.kind, alert.subject, alert.since, alert.cleared, alert.severity)
                  for alert in book.all().values())


def watch() -> Watch:
    return Watch(NETWORK, None, left)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_catching_up_in_parts_finds_the_same_alerts(tmp_path: Path, parts: int) -> None:
    readings = story()
    store = Store(tmp_path / "m")
    for part in range(parts):
        store.write(readings[part * len(readings) // parts:(part + 1) * len(readings) // parts])
        book = catch_up(store, watch())
    whole = AlertBook()
    folding(watch(), whole)(readings)
    assert summary(book) == summary(whole)
    kinds = [alert.kind for alert in book.all().values()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "temperature": 5, "stock": 1, "down": 1}
    assert [alert.severity for alert in book.all().values() if alert.kind == "temperature"] == [
        "warning", *["critical"] * 4]  # the second lasts exactly the hour that is allowed


def test_catching_up_again_writes_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "m")
    store.write(story())
    catch_up(store, watch())
    path = store.folder / "alerts.jsonl"
    before = path.read_bytes()
    catch_up(store, watch())
    (store.folder / "alerts.watched.json").unlink()  # as if it had crashed before this was written
    catch_up(store, watch())
    assert path.read_bytes() == before


def test_an_empty_store_has_no_alerts(tmp_path: Path) -> None:
    assert catch_up(Store(tmp_path / "m"), watch()).all() == {}


def test_a_listener_raises_as_it_hears(tmp_path: Path) -> None:
    book = AlertBook(tmp_path / "alerts.jsonl")
    fold = folding(watch(), book)
    readings = story()
    for place in range(0, len(readings), 50):
        group = readings[place:place + 50]
        fold(group[::-1])  # in whatever order a group came
    assert len(book.all()) == 7
