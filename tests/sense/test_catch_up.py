"""The book of alerts follows the store, in one go or in many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sense.test_guards import NETWORK
from tests.sense.test_listener import Said, message
from twin.readings import Reading
from twin.sense.alerts import AlertBook
from twin.sense.catch_up import catch_up
from twin.sense.listener import Listener
from twin.sense.live import LiveWatch
from twin.sense.quarantine import Quarantine, Refused
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
    return sorted((alert.kind, alert.subject, round(alert.since, 3), round(alert.cleared, 3),
                   alert.severity)
                  for alert in book.all().values())


def watch() -> Watch:
    return Watch(NETWORK, None, left)


@pytest.mark.parametrize("parts", [1, 3])
def test_catching_up_in_parts_finds_the_same_alerts(tmp_path: Path, parts: int) -> None:
    readings = story()
    store = Store(tmp_path / "m")
    for part in range(parts):
        store.write(readings[part * len(readings) // parts:(part + 1) * len(readings) // parts])
        book = catch_up(store, watch())
    whole = AlertBook()
    whole.tell(watch().findings(readings))
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


def listened(store: Store, readings: list[Reading], told: list[str], *, fall: bool = False,
             group: int = 50, name: str = "1") -> LiveWatch:
    """Hear groups live, from message to book; fall as if the power went."""
    live = LiveWatch(store, watch, lambda alerts: told.extend(one.id for one in alerts), name=name)
    said = Said([message([reading.message() for reading in readings[at:at + group]], "",
                         received=readings[-1].time) for at in range(0, len(readings), group)],
                live=False, size=1)
    listener = Listener(said, store, name=name, fold=live.hear, refused=live.refused)
    while listener.step():
        pass
    if fall:
        listener._segment.close()  # on disk, but nothing merged and nothing marked
    else:
        listener.close()
        live.end()
    return live


def test_a_listener_raises_as_it_hears(tmp_path: Path) -> None:
    told: list[str] = []
    store, whole = Store(tmp_path / "m"), AlertBook()
    listened(store, story(), told)
    whole.tell(watch().findings(story()))
    book = catch_up(store, watch())
    assert summary(book) == summary(whole)
    assert set(told) == set(book.all())
    assert len(told) == 7  # raised and worse within a group is told once


@pytest.mark.parametrize("fall", [False, True], ids=["stopped", "crashed"])
def test_listening_again_raises_nothing_twice(tmp_path: Path, fall: bool) -> None:
    told: list[str] = []
    store, readings = Store(tmp_path / "m"), story()
    half = len(readings) // 2 - 60  # in the middle of an excursion, of a machine that is down
    listened(store, readings[:half], told, fall=fall)
    between = summary(AlertBook(store.folder / "alerts.jsonl"))
    assert [row[1] for row in between if row[3] != row[3]]  # something is open
    told.clear()
    live = listened(store, readings[half - 100:], told)  # what was not thanked for comes again
    whole = AlertBook()
    whole.tell(watch().findings(readings))
    assert summary(live.book) == summary(catch_up(store, watch())) == summary(whole)
    raised = [step.alert for step in live.book.steps if step.what == "raised"]
    assert len(raised) == len(set(raised)) == 7


def test_an_acknowledgement_from_elsewhere_is_heeded(tmp_path: Path) -> None:
    store, told = Store(tmp_path / "m"), list[str]()
    live = LiveWatch(store, watch, lambda alerts: told.extend(one.id for one in alerts))
    readings = story()
    live.hear(readings[:len(readings) // 2])
    AlertBook(live.book.path).acknowledge(told[0], "ann", "seen", readings[0].time)
    live.hear(readings[len(readings) // 2:])
    assert live.book.all()[told[0]].acknowledged_by == "ann"
    assert AlertBook(live.book.path).all().keys() == live.book.all().keys()


def test_two_that_share_the_load_raise_nothing_until_the_last_has_stopped(tmp_path: Path) -> None:
    store, told, readings = Store(tmp_path / "m"), list[str](), story()
    ears = []
    for name, part in (("1", readings[::2]), ("2", readings[1::2])):
        live = LiveWatch(store, watch, lambda alerts: told.extend(one.id for one in alerts),
                         name=name)
        said = Said([message([one.message() for one in part[at:at + 90]], "",
                             received=part[-1].time) for at in range(0, len(part), 90)],
                    live=False, size=1)
        ears.append((live, Listener(said, store, name=name, fold=live.hear)))
    while ears[0][1].step() | ears[1][1].step():
        pass
    assert told == []
    for live, listener in ears:
        assert not live.alone
        listener.close()
        live.end()
    whole = AlertBook()
    whole.tell(watch().findings(readings))
    assert summary(AlertBook(store.folder / "alerts.jsonl")) == summary(whole)
    assert len(told) == 7


@pytest.mark.parametrize("way", ["live", "later"])
def test_what_is_refused_costs_a_sensor_trust(tmp_path: Path, way: str) -> None:
    store = Store(tmp_path / "m")
    good = [Reading(sensor="t1", id=str(k), time=600.0 * k, kind="temperature", site="W",
                    area="cold", value=5.0 + 0.1 * (k % 7)) for k in range(150)]
    bad = [Refused("impossible", "too cold", one.time + 1.0, "t1", reading=one.message())
           for one in good for _ in range(2)]
    bad = [Refused(one.reason, one.why, one.received, one.sender, f"topic {k}", one.reading)
           for k, one in enumerate(bad)]
    if way == "live":
        live = LiveWatch(store, watch, lambda alerts: None)
        for place, one in enumerate(good):
            live.hear([one])
            live.refused(bad[2 * place:2 * place + 2])
        book = live.book
    else:
        store.write(good)
        Quarantine(store.folder / "quarantine").add(bad)
        book = catch_up(store, watch())
    (alert,) = [one for one in book.all().values() if one.kind == "quality"]
    assert alert.subject == "sensor t1"
    assert alert.meaning.startswith("readings were refused (6")
    assert alert.value < 0.5
