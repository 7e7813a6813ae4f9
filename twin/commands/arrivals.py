"""When open orders will be there: what is going on, played to its end a number of times.

A law of transit or lead time says how long a thing takes once it is begun. An order waits besides:
for machines and crews, trucks and docks, orders before it, and goods that nobody has ordered yet.
A simulation from the present state foresees all of that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any

from twin.knowledge import Fact, Knowledge
from twin.ledger import Ledger
from twin.network import Network
from twin.scenario import Scenario
from twin.sense.eta import Eta
from twin.sense.knowledge_etas import EXPECTED, as_facts
from twin.simulate import play
from twin.state import State

#: Replications unless said otherwise.
REPLICATIONS = 20
_FAR_H = 180 * 24.0  # nobody asks what comes later
_SEED = 0xE7A
_SHARE = 1e-6  # of an order that may be missing of it: rounding
_ENDS = ("delivering", "arriving", "commissioning", "picking")


def foreseen(knowledge: Knowledge, state: State, network: Network, *,
             replications: int = REPLICATIONS,
             told: Callable[[str, int, int], None] | None = None) -> Knowledge:
    """Knowledge that says of open orders when they come, as so many replications have it.

    An order on board of something whose position is known keeps what that tells.

    Parameters
    ----------
    knowledge, state
        What is known at a moment, and the state from which a simulation goes on; see
        `twin.commands.state.sensed`.
    replications
        How often it is played; none changes nothing.
    told
        Called with what is played, replications done, and all of them.

    Examples
    --------
    >>> import twin
    >>> from twin.commands.state import sensed
    >>> network = twin.read_model("harbour")
    >>> nothing = twin.readings.to_frame([])
    >>> known, state = sensed(nothing, network, network.start.timestamp())
    >>> foreseen(known, state, network, replications=2).select(["order"])
    ()
    """
    numbers = {f"order {row['number']}": row["number"] for row in state.orders}
    seen = {fact.subject for fact in knowledge.facts
            if fact.attribute == "expected in" and fact.source == "position"}
    asked = {fact.subject for fact in knowledge.facts
             if fact.kind == "order" and fact.subject in numbers} - seen
    if not asked or not replications:
        return knowledge
    hours = arrivals(state, network, replications, told)
    facts: list[Fact] = []
    for subject, said in groupby(knowledge.facts, key=lambda fact: (fact.kind, fact.subject)):
        if subject[0] != "order" or subject[1] not in asked:
            facts += said
            continue
        order = [fact for fact in said if not fact.attribute.startswith(EXPECTED)]
        due = next((float(fact.value) for fact in order if fact.attribute == "due in"), None)
        facts += order
        facts += [replace(order[0], attribute=attribute, value=value, unit=unit,
                          quality="uncertain", source="simulation")
                  for attribute, value, unit in as_facts(
                      Eta.of_sample(hours[numbers[subject[1]]]), due)]
    return replace(knowledge, facts=tuple(facts))


def arrivals(state: State, network: Network, replications: int,
             told: Callable[[str, int, int], None] | None = None
             ) -> Mapping[int, tuple[float, ...]]:
    """Hours until each open order has come whole, by replication; inf where that is very far away.
    """
    found: dict[int, list[float]] = {row["number"]: [] for row in state.orders}
    horizon = _FAR_H
    for replication in range(replications):
        ledger = Ledger()
        play(network, Scenario.baseline(), horizon_h=horizon, seed=_SEED, replication=replication,
             ledger=ledger, state=state)
        come = dict(arrived(ledger, state))
        if not replication and len(come) == len(found):
            horizon = min(_FAR_H, 48.0 + 3.0 * max(come.values()))
        for number, hours in found.items():
            hours.append(come.get(number, math.inf))
        if told is not None:
            told("the state", replication + 1, replications)
    return {number: tuple(hours) for number, hours in found.items()}


def arrived(ledger: Ledger, state: State) -> Iterator[tuple[int, float]]:
    """When orders that were open in a state came whole, hours from its moment, as a ledger has it.
    """
    left = {row["number"]: row["undelivered"] * (1.0 - _SHARE) for row in state.orders}
    ends = {row["number"]: _end(row) for row in state.orders}
    rows = ledger.frame()
    rows = rows[(rows["time"] >= state.clock_h) & rows["order"].isin(list(left))
                & rows["event"].isin([*_ENDS, "lost"]) & ~rows["role"].isin(
                    ["gate", "truck", "lot"])]
    last: dict[int, float] = {}
    for number, event, units, time in zip(rows["order"].tolist(), rows["event"].astype(str),
                                          rows["quantity"].tolist(), rows["time"].tolist(),
                                          strict=True):
        if number not in left or event not in (ends[number], "lost"):
            continue
        left[number] -= units  # what is lost is not waited for
        if event != "lost":
            last[number] = time
        if left[number] <= 0.0:
            del left[number]
            if number in last:
                yield number, last[number] - state.clock_h


def _end(order: Mapping[str, Any]) -> str:
    """The event with which goods have come: to a customer, by a lane, made or picked at the site.
    """
    if order["buyer"].startswith("customer "):
        return "delivering"
    if order["lane"] is not None:
        return "arriving"
    return "commissioning" if order["buyer"].startswith("shelf ") else "picking"
