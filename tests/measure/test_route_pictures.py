"""Pictures of plans: where trucks go and when, how far each engine came, and the report of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.measure.gantt import gantt, progress
from twin.measure.plan_report import write_plan_report
from twin.measure.route_map import route_map, route_times
from twin.network import Network
from twin.plan import Answer, Operation, Plan, Progress, Route, Status, Visit

SITES = [{"site": name, "kind": kind, "latitude": lat, "longitude": lon}
         for name, kind, lat, lon in (("W", "warehouse", 0.0, 0.0), ("A", "customer", 0.5, 0.0),
                                      ("B", "customer", 0.5, 0.7))]
SEEN = (Progress(0.0, 90.0, None, "dispatch rule"), Progress(1.0, 80.0, 50.0, "pyvrp"),
        Progress(2.0, 85.0, None, "ortools"), Progress(3.0, 70.0, 60.0, "ortools"))
ROUTE = Route("van", "W", 10.0, 16.0, (
    Visit("A", 11.0, 12.0, 12.5, ((1, "P", 4.0),)), Visit("B", 14.0, 14.0, 14.5, ((2, "P", 6.0),))),
    210.0, 70.0)


def planned(*routes: Route) -> Plan:
    return Plan("routes", "shops", 10.0, Answer(Status.FEASIBLE, 70.0, 60.0, "EUR", seconds=4.0,
                                                progress=SEEN), routes=routes)


@pytest.mark.parametrize("places", [True, False], ids=["on the globe", "in columns"])
def test_a_map_of_routes_says_what_they_come_to(places: bool) -> None:
    sites = SITES if places else [{"site": s["site"], "kind": s["kind"]} for s in SITES]
    network = Network(sites=sites, products=[{"product": "P"}])
    made = route_map(planned(ROUTE, ROUTE), network)
    assert made.get_label() == "2 routes, 4 stops, 420 km, 140 EUR"
    (axes,) = made.axes
    told = [text.get_text() for text in axes.texts]
    assert [told.count(name) for name in ("W", "A", "B", "1", "2")] == [1, 1, 1, 2, 2]
    assert told.count("") == 6  # arrows: three legs of each route
    assert route_map(planned(), network).get_label() == "No route: feasible"


def test_hours_of_a_truck_are_driving_waiting_service_and_the_way_back() -> None:
    (axes,) = route_times(planned(ROUTE)).axes
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]  # type: ignore[attr-defined]
    assert bars == [(0.0, 1.0), (1.0, 1.0), (2.0, 0.5), (2.5, 1.5), (4.0, 0.0), (4.0, 0.5),
                    (4.5, 1.5)]


def test_progress_is_drawn_for_each_engine() -> None:
    (axes,) = progress(planned()).axes
    lines = {str(line.get_label()): [float(y) for y in line.get_ydata()] for line in axes.lines}
    assert lines == {"dispatch rule": [90.0, 90.0], "ortools": [85.0, 70.0, 70.0],
                     "pyvrp": [80.0, 80.0], "best plan": [90.0, 80.0, 70.0, 70.0],
                     "bound": [50.0, 60.0, 60.0]}


def test_the_report_of_routes_has_its_pictures_and_every_stop(tmp_path: Path) -> None:
    plan = planned(ROUTE)
    route_times(plan).savefig(tmp_path / "times.png")
    text = write_plan_report(plan, tmp_path).read_text(encoding="utf-8")
    assert text.count("<img") == 1
    assert "<td>van<td>A<td>11.00<td>12.00<td>12.50<td>4</tr>" in text
    assert "<td>van<td>B" in text


def test_a_batch_names_all_its_orders_and_a_short_bar_none() -> None:
    plan = Plan("schedule", "shop", 0.0, Answer(Status.FEASIBLE), tuple(
        Operation("shop", machine, "G", "juice", order, 1, 10, start, end)
        for machine, order, start, end in (("oven", 453, 0.0, 9.0), ("oven", 520, 0.0, 9.0),
                                           ("line", 499, 9.0, 20.0), ("line", 77, 8.95, 9.0))))
    told = {text.get_text() for text in gantt(plan).axes[0].texts}
    assert told == {"453 + 520", "499"}
