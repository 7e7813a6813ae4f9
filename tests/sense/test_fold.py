"""The fold in small worlds: exact traces of what is going on."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from tests.sense.chains import DAY, lived, model, rules
from twin.network import Network
from twin.sense.fold import Fold
from twin.sense.fold_crews import Crews
from twin.sense.fold_signals import Signals
from twin.sense.history import Event, events_of

SHOP = Network(
    sites=[{"site": "S", "kind": "supplier"}, {"site": "W", "kind": "warehouse"},
           {"site": "P", "kind": "plant"}],
    products=[{"product": "tea"}, {"product": "cup"}],
    supply=[{"site": "S", "product": "tea", "lead_time": "1d", "capacity_per_day": 24}],
    lanes=[{"origin": "S", "destination": "W", "mode": "road", "transit": "1d",
            "order_delay": "2h"}],
    stock=[{"site": "W", "product": "tea", "on_hand": 5}],
    machines=[{"machine": "M", "site": "P", "group": "G"}],
    routings=[{"site": "P", "product": "cup", "step": 10, "group": "G", "process_time": "1h"},
              {"site": "P", "product": "cup", "step": 20, "process_time": "1h"}])


class Clockwork:
    """Calendars that are always open."""

    def hours(self, calendars: Any, since: float, until: float) -> float:
        return max(0.0, until - since)

    def shifts(self, calendars: Any, since: float, until: float) -> list[tuple[float, float]]:
        return [(since, until)] if until > since else []


def event(time: float, word: str, **says: Any) -> Event:
    """A row of history."""
    return Event(time, time, word, **says)


def folded(*rows: Event, network: Network = SHOP) -> Fold:
    """The rows, folded."""
    fold = Fold(network, Clockwork())  # type: ignore[arg-type]
    fold.take(rows)
    return fold


def test_units_leave_the_lot_named_or_those_that_have_stood_there_longest() -> None:
    put = [event(1, "storing", site="W", product="tea", lot=1, quantity=4.0, cause="stock"),
           event(2, "storing", site="W", product="tea", lot=2, quantity=4.0)]
    fold = folded(*put, event(3, "picking", site="W", product="tea", lot=2, quantity=3.0))
    assert fold.goods.shelves["W/tea"]["lots"] == {1: [4.0, 1], 2: [1.0, 2]}
    fold = folded(*put, event(3, "picking", site="W", product="tea", quantity=5.0))
    assert fold.goods.shelves["W/tea"]["lots"] == {2: [3.0, 2]}


def test_an_order_is_open_until_all_of_it_came_or_is_lost() -> None:
    rows = [event(0, "ordering", site="W", to_site="S", product="tea", quantity=10.0, order=7),
            event(30, "commissioning", site="S", product="tea", quantity=10.0, order=7, lot=3),
            event(30, "departing", site="S", to_site="W", product="tea", quantity=10.0, order=7,
                  lot=3, shipment=4, asset="S:W:road"),
            event(54, "arriving", site="W", product="tea", quantity=10.0, order=7, lot=3,
                  shipment=4, asset="S:W:road"),
            event(54, "expiring", to_site="W", product="tea", quantity=1.0, order=7, lot=3,
                  shipment=4, cause="damaged"),
            event(54, "lost", site="W", product="tea", quantity=1.0, order=7),
            event(55, "storing", site="W", product="tea", quantity=9.0, lot=3)]
    assert folded(*rows[:1]).goods.orders[7]["made"] == 2 + 10  # a unit an hour, after 2 h
    assert folded(*rows[:2]).goods.orders[7]["out"] == [[3, "tea", 10.0, 30]]
    assert list(folded(*rows[:3]).goods.shipments) == [4]
    fold = folded(*rows[:6])
    assert (fold.goods.orders, fold.goods.shipments) == ({}, {})
    assert fold.goods.shelves["W/tea"]["outside"] == {3: [9.0, 54]}
    assert folded(*rows).goods.shelves["W/tea"]["outside"] == {}


def test_rows_of_one_instant_in_any_order() -> None:
    rows = [event(1, "arriving", site="P", product="cup", quantity=2.0, order=9,
                  asset="P/cup/10", role="lot"),
            event(1, "starting", site="P", product="cup", quantity=2.0, order=9, asset="M"),
            event(1, "transforming", site="P", product="cup", quantity=2.0, order=9),
            event(1, "ordering", site="P", product="cup", quantity=2.0, order=9,
                  role="customer")]
    outcomes = {json.dumps(folded(*order).work.jobs, sort_keys=True)
                for order in permutations(rows)}
    assert len(outcomes) == 1
    [job] = folded(*rows).work.jobs.values()
    assert (job["phase"], job["machine"], job["place"]) == ("machine", "M", 0)


def test_a_lot_goes_from_step_to_step_and_is_gone() -> None:
    says: dict[str, Any] = {"site": "P", "product": "cup", "quantity": 2.0, "order": 9}
    rows = [event(0, "ordering", **says, role="customer"), event(0, "transforming", **says),
            event(0, "arriving", **says, asset="P/cup/10", role="lot"),
            event(0, "starting", **says, asset="M"), event(2, "completing", **says, asset="M"),
            event(2, "scrapping", **{**says, "quantity": 0.5}),
            event(2, "starting", **{**says, "quantity": 1.5}, asset="P/cup/20"),
            event(3, "completing", **{**says, "quantity": 1.5}, asset="P/cup/20"),
            event(3, "commissioning", **{**says, "quantity": 1.5}, lot=4)]
    [job] = folded(*rows[:7]).work.jobs.values()
    assert (job["phase"], job["place"], job["units"]) == ("delay", 1, 1.5)
    fold = folded(*rows)
    assert fold.work.jobs == {}
    assert fold.work.worked("M", 10.0) == 2.0
    assert fold.strange == 0


def test_work_stands_still_while_a_machine_is_down() -> None:
    says: dict[str, Any] = {"site": "P", "product": "cup", "quantity": 2.0, "order": 9}
    fold = folded(event(0, "transforming", **says), event(0, "starting", **says, asset="M"),
                  event(3, "failing", site="P", asset="M", cause="wear"),
                  event(8, "repairing", site="P", asset="M", cause="wear"))
    assert fold.work.worked("M", 10.0) == 5.0
    assert fold.work.causes["M/wear"]["renewed"] == 8
    assert fold.work.causes["M/wear"]["worked"] == 3.0


def test_a_crew_of_one_works_at_one_machine_at_a_time() -> None:
    network = SHOP.replace(
        machines=[{"machine": name, "site": "P", "group": "G", "crew": "ann"}
                  for name in ("M", "N")], crews=[{"crew": "ann", "size": 1}])
    crews = Crews(network, Clockwork())  # type: ignore[arg-type]
    crews.start("M", 0.0)
    crews.start("N", 2.0)  # ann has left M
    assert (crews.hours("M", 5.0), crews.hours("N", 5.0)) == (2.0, 3.0)
    crews.end("N", 5.0)  # and comes back
    assert (crews.hours("M", 7.0), crews.manned("M", 7.0), crews.manned("N", 7.0)) == (
        4.0, True, False)


def test_shifts_decide_who_goes_on() -> None:
    network = model("workshop")
    fold = Fold(network, rules("workshop"))
    readings, truth, _ = lived(network, 60.3 * DAY)
    fold.take(events_of(readings, network.start))
    busy = [name for name, row in truth.actors.items() if row.get("phase") == "busy"]
    assert busy
    for name in busy:
        job = fold.work.jobs[fold.work.machines[name]["jobs"][0]]
        hours = (job["worked"] or 0.0) + fold.work.worked_now(
            name, fold.work.machines[name], 60.3 * DAY)
        assert hours == pytest.approx(truth.actors[name]["worked"], abs=1e-4), name


@pytest.mark.parametrize("name", ["harbour", "medicines"])
def test_put_down_and_taken_up_anywhere_it_is_the_same_fold(name: str) -> None:
    network = model(name)
    readings, _, _ = lived(network, 30.4 * DAY)
    rows = events_of(readings, network.start)
    whole = Fold(network, rules(name))
    whole.take(rows)
    broken = Fold(network, rules(name))
    for begin in range(0, len(rows), 400):
        end = begin + 400
        while 0 < end < len(rows) and rows[end].time == rows[end - 1].time:
            end += 1
        part = [row for row in rows[begin:end] if row.time > broken.time or broken.rows == 0]
        broken.take(part)
        broken = Fold.resumed(network, rules(name), json.loads(json.dumps(broken.state())))
    assert broken.state() == whole.state()
    assert whole.strange == 0


def test_where_a_temperature_left_its_range() -> None:
    from twin.readings import Reading, to_frame

    network = model("harbour")
    zero = network.start.timestamp()
    told = [Reading(sensor="t", id=str(hour), time=zero + hour * 3600.0, kind="temperature",
                    site="south_dc", area="cold_room", value=value)
            for hour, value in enumerate((4.0, 7.0, 8.0, 5.0, 1.0, 3.0, 6.5))]
    signals = Signals(network)
    signals.take_frame(to_frame(told[:3]), zero + 1e9)
    signals.take_frame(to_frame(told[3:]), zero + 1e9)
    [(series, spans)] = signals.excursions.items()
    assert spans == [[1.0, 3.0], [4.0, 5.0], [6.0, None]]
    assert signals.hours_out(series, 2.0, 8.0) == 1.0 + 1.0 + 2.0
    assert (signals.last[series]["value"], signals.last[series]["n"]) == (6.5, 7)
