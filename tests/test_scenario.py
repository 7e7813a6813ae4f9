"""Scenarios: documents with clear refusals, composition, and what they address in a model."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.document import DocumentError, parse_document
from twin.event import EVENTS, matches
from twin.network import Network
from twin.scenario import NEEDS, Scenario, ScenarioError
from twin.targets import UnmetNeed, fit, unmet

SHIPPED = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
PROMISED = [
    "baseline", "demand_spike", "regional_demand_spike", "delayed_shipment", "port_closure",
    "lane_closure", "supplier_outage", "capacity_cut", "breakdown", "slow_machine",
    "quality_drop", "refrigeration_failure", "fuel_price_rise", "lost_visibility",
    "batch_reporting", "real_time", "expedite", "extra_trucks", "alternate_source",
    "higher_reorder_points",
]


def scenario(**event: Any) -> Scenario:
    return Scenario(name="s", events={"e": event})


def refusal(**event: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        scenario(**event)
    return str(caught.value)


@pytest.fixture
def chain() -> Network:
    return Network(
        name="chain",
        sites=[{"site": "S1", "kind": "supplier"}, {"site": "Rotterdam", "kind": "port"},
               {"site": "W1", "kind": "warehouse"},
               {"site": "C1", "kind": "customer", "region": "north"},
               {"site": "C2", "kind": "customer", "region": "south"}],
        products=[{"product": "tea"}],
        supply=[{"site": "S1", "product": "tea"}],
        stock=[{"site": "W1", "product": "tea", "policy": "base_stock", "order_up_to": 5}],
        lanes=[{"origin": "S1", "destination": "W1", "mode": "sea", "via": "Rotterdam",
                "transit": "9d"},
               {"origin": "W1", "destination": "C1", "mode": "road", "transit": "1d"},
               {"origin": "W1", "destination": "C2", "mode": "road", "transit": "1d"}],
        demand=[{"site": "C1", "product": "tea", "interarrival": "1d"},
                {"site": "C2", "product": "tea", "interarrival": "1d"}],
    )


# ---- what ships ---------------------------------------------------------------------------------


def test_every_promised_scenario_ships() -> None:
    assert set(PROMISED) <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_scenario_says_in_one_sentence_what_it_means(path: Path) -> None:
    found = Scenario.from_file(path)
    assert found.name == path.stem
    assert found.title
    assert found.means.endswith(".")
    assert found.means.count(". ") == 0
    assert set(found.needs) <= set(NEEDS)
    assert set(found.events) <= {path.stem}
    assert found.events or path.stem == "baseline"


def test_shipped_scenarios_use_every_type_of_event() -> None:
    used = {event.type for path in SHIPPED for event in Scenario.from_file(path).events.values()}
    assert used == set(EVENTS)


# ---- documents ----------------------------------------------------------------------------------


def test_durations_are_text_or_hours() -> None:
    found = scenario(type="transit", add="1d 6h", start=12, duration="2d").events["e"]
    assert (found.add, found.start, found.end) == (30.0, 12.0, 60.0)


def test_an_event_without_duration_lasts_to_the_end() -> None:
    assert scenario(type="demand", factor=2).events["e"].end is None


def test_one_name_is_a_list_of_one() -> None:
    found = scenario(type="demand", factor=2, sites="W*", products=["a", "b"]).events["e"]
    assert (found.sites, found.products) == (("W*",), ("a", "b"))


def test_an_unknown_key_suggests_the_known_one() -> None:
    assert refusal(type="demand", factor=2, factr=3) == (
        "scenario s: events.e.factr: unknown key; did you mean 'factor'? There are start, "
        "duration, sites, products, regions, streams, factor.")


@pytest.mark.parametrize(("event", "message"), [
    ({"type": "demnd", "factor": 2}, "events.e.type: 'demnd' is unknown. did you mean 'demand'?"),
    ({"factor": 2}, "events.e: has no type. Write one of demand, transit, closure"),
    ({"type": "demand"}, "events.e.factor: is missing. Write it, such as 'factor: 1.5'."),
    ({"type": "demand", "factor": "many"}, "events.e.factor: 'many' is not a number."),
    ({"type": "demand", "factor": -1}, "events.e.factor: '-1' is out of range."),
    ({"type": "demand", "factor": float("nan")}, "events.e.factor: 'nan' is not a finite number"),
    ({"type": "demand", "factor": 2, "start": "5"}, "events.e.start: '5' has no unit. Write 5h"),
    ({"type": "demand", "factor": 2, "start": "-5h"}, "events.e.start: '-5h' is out of range."),
    ({"type": "demand", "factor": 2, "sites": 7}, "events.e.sites: '7' is not a name or a list"),
    ({"type": "transit"}, "events.e: changes nothing. Write add (a duration) or factor."),
    ({"type": "closure"}, "events.e: names nothing. Write lanes or sites."),
    ({"type": "slowdown", "factor": 0}, "events.e.factor: '0' is out of range."),
    ({"type": "breakdown", "duration": "2d"}, "a breakdown ends with its repair."),
    ({"type": "quality", "yield_factor": 1.2}, "events.e.yield_factor: '1.2' is out of range."),
    ({"type": "visibility", "mode": "real_time", "delay": "1d"}, "delay goes with mode batch"),
])
def test_a_refusal_names_the_key_the_value_and_the_remedy(event: dict[str, Any],
                                                          message: str) -> None:
    assert message in refusal(**event)


def test_all_offenders_are_named_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario(name="s", needs=["prt"], events={"a": {"type": "demand"}, "b": {"type": "x"}})
    assert len(caught.value.problems) == 3


def test_a_refusal_survives_the_way_back_from_a_worker() -> None:
    error = ScenarioError(["one", "two"])
    assert pickle.loads(pickle.dumps(error)).problems == ["one", "two"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_document_gives_the_scenario_back(path: Path) -> None:
    found = Scenario.from_file(path)
    assert Scenario.from_document(found.name, found.document()) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_scenario_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Scenario.baseline().name = "other"  # type: ignore[misc]


# ---- composition --------------------------------------------------------------------------------


def test_two_scenarios_compose() -> None:
    spike = Scenario(name="spike", title="Spike", means="More.", needs="demand",
                     events={"more": {"type": "demand", "factor": 2}})
    late = Scenario(name="late", title="Late", means="Slow.", needs=["demand", "lane"],
                    events={"slow": {"type": "transit", "add": "1d"}})
    both = spike + late
    assert both.name == "spike+late"
    assert both.title == "Spike + Late"
    assert both.means == "More. Slow."
    assert both.needs == ("demand", "lane")
    assert list(both.events) == ["more", "slow"]


def test_the_baseline_adds_nothing() -> None:
    spike = scenario(type="demand", factor=2)
    assert Scenario.baseline() + spike == spike == spike + Scenario.baseline()


def test_two_events_of_one_name_do_not_compose() -> None:
    with pytest.raises(ScenarioError, match=r"both have the event 'e'. Rename it"):
        scenario(type="demand", factor=2) + scenario(type="demand", factor=3)


# ---- what they address --------------------------------------------------------------------------


def test_patterns_are_those_of_a_shell() -> None:
    assert matches("S1:W1:sea", ["*:W1:*"])
    assert not matches("S1:W10:sea", ["*:W1:*"])
    assert not matches("w1", ["W1"])


def test_kinds_become_names(chain: Network) -> None:
    found = fit(scenario(type="closure", sites="@port"), chain).events["e"]
    assert found.sites == ("Rotterdam",)
    found = fit(scenario(type="closure", lanes="*:@customer:*"), chain).events["e"]
    assert found.lanes == ("W1:C1:road", "W1:C2:road")
    found = fit(scenario(type="transit", modes="@carrier", add="1d"), chain).events["e"]
    assert found.modes == ("sea", "road")
    found = fit(scenario(type="demand", regions="@first", factor=2), chain).events["e"]
    assert found.regions == ("north",)


def test_an_event_that_addresses_nothing_says_what_there_is(chain: Network) -> None:
    with pytest.raises(ScenarioError, match=r"addresses nothing in model chain. There are sites: "
                                            r"C1, C2; products: tea; regions: north, south"):
        fit(scenario(type="demand", sites="X*", factor=2), chain)


def test_targets_that_exist_apart_but_not_together_address_nothing(chain: Network) -> None:
    with pytest.raises(ScenarioError, match="addresses nothing"):
        fit(scenario(type="demand", sites="C1", regions="south", factor=2), chain)


def test_a_misspelt_name_suggests_the_right_one(chain: Network) -> None:
    with pytest.raises(ScenarioError, match=r"events.e.sites: 'Roterdam' is not in model chain. "
                                            r"Did you mean 'Rotterdam'"):
        fit(scenario(type="closure", sites=["Roterdam", "W1"]), chain)


def test_an_unknown_kind_is_refused(chain: Network) -> None:
    with pytest.raises(ScenarioError, match=r"'@harbor' is unknown. Write .*@port"):
        fit(scenario(type="closure", sites="@harbor"), chain)


def test_an_unmet_need_is_an_answer_about_the_pair(chain: Network) -> None:
    trucks = Scenario(name="t", needs=["fleet"], events={"e": {"type": "extra_trucks"}})
    assert unmet(trucks, chain) == ["fleet"]
    with pytest.raises(UnmetNeed, match=r"scenario t needs 'fleet' \(lanes that own trucks drive\),"
                                        r" which model chain does not have"):
        fit(trucks, chain)


def test_every_need_can_be_missing(chain: Network) -> None:
    empty = Network(name="empty", sites=[{"site": "W", "kind": "warehouse"}])
    assert unmet(Scenario(name="all", needs=list(NEEDS)), empty) == list(NEEDS)
    assert unmet(Scenario(name="all", needs=list(NEEDS)), chain) == [
        "fleet", "refrigerated_fleet", "fuel", "production", "operations", "machines",
        "storage_area", "several_sources"]


# ---- hostile documents --------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "message"), [
    ("a: &x [1]\nb: [*x, *x]", "line 1 uses an anchor"),
    ("!!python/object/apply:os.system [ls]", "line 1 uses the tag"),
    ("a: !!binary abc", "line 1 uses the tag"),
    ("a: 1\na: 2", "line 2 has the key 'a' twice"),
    ("a: " + "[" * 40 + "]" * 40, "nested deeper than"),
    ("a: " + "[" * 100_000, "nested deeper than"),
    ("[1, 2", "is not YAML"),
    ("- 1", "holds a list"),
    ("", "is empty"),
    ("? [a, b]\n: 1", "has a key that is not a word"),
    ("a: " + "x" * 1_100_000, "at most 1,000,000"),
    ("a: \x00", "is not YAML"),
])
def test_hostile_documents_are_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=r"bad\.yaml") as caught:
        parse_document(text, "bad.yaml")
    assert message in str(caught.value)


def test_dates_and_merges_stay_text() -> None:
    assert parse_document("a: 2026-03-01\n'<<': {b: 1}", "x.yaml") == {
        "a": "2026-03-01", "<<": {"b": 1}}


@given(st.sampled_from(SHIPPED),
       st.lists(st.tuples(st.integers(0, 300), st.integers(0, 5), st.text(max_size=4)),
                min_size=1, max_size=6))
def test_any_damage_to_a_document_is_read_or_refused(
        path: Path, damage: list[tuple[int, int, str]]) -> None:
    text = path.read_text("utf-8")
    for place, length, other in damage:
        text = text[:place] + other + text[place + length:]
    try:
        found = Scenario.from_document(path.stem, parse_document(text, path.name))
    except (DocumentError, ScenarioError):
        return
    assert Scenario.from_document(found.name, found.document()) == found
