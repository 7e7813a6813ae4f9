"""One machine of a schedule model: one lot or batch at a time, and set up in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from twin.optimize.schedule_check import triangular

if TYPE_CHECKING:
    from twin.optimize.schedule_model import ScheduleModel, Way


def share_machine(scheme: ScheduleModel, machine: int) -> None:
    """A machine works on one lot at a time, or on one batch, and is set up in between."""
    ways = scheme.on[machine]
    together = any(scheme.task[way.v].batch for way in ways)
    mixed = len({bool(scheme.task[way.v].family) for way in ways}) > 1
    costs = scheme.work.goal.setup > 0 or mixed or not triangular(scheme.work)
    changes = any(minutes or (costs and cost) for way in ways
                  for family in _families(scheme, machine)
                  for minutes, cost in [
                      scheme.work.changeover(machine, family, scheme.task[way.v])])
    if not together:
        scheme.model.add_no_overlap([
            scheme.model.new_optional_fixed_size_interval_var(
                way.begin, way.minutes, way.here, "") for way in ways])
    mates: dict[tuple[int, int], Any] = {}
    if together or (changes and not costs):
        mates = _precedence(scheme, machine, setups=not costs)
    if changes and costs:
        _succession(scheme, machine, mates)


def _families(scheme: ScheduleModel, machine: int) -> set[str]:
    return {scheme.work.tools[machine].family, *(
        scheme.task[way.v].family for way in scheme.on[machine] if scheme.task[way.v].family)}


def _precedence(scheme: ScheduleModel, machine: int, *, setups: bool) -> dict[tuple[int, int], Any]:
    """Of two operations one is first, and the other waits (for its set-up, if no chain sees to
    that), or they go together; the literals of those that may go together."""
    work, model = scheme.work, scheme.model
    mates: dict[int, list[Any]] = {}
    together: dict[tuple[int, int], Any] = {}
    for way in scheme.on[machine] if setups else ():
        setup, _ = work.changeover(machine, _set_up(scheme, machine), scheme.task[way.v])
        if setup and scheme.task[way.v].started is None:
            model.add(way.begin >= setup).only_enforce_if(way.gates())
    for one, other in combinations(scheme.on[machine], 2):
        a, b = scheme.task[one.v], scheme.task[other.v]
        there, back = model.new_bool_var(""), model.new_bool_var("")
        choices = [there, back]
        for first, second, before in ((one, other, there), (other, one, back)):
            setup, _ = work.changeover(machine, scheme.task[first.v].family,
                                       scheme.task[second.v]) if setups else (0, 0)
            model.add(second.begin >= first.end + setup).only_enforce_if(before)
            scheme.orders.append((before, first.v, second.v))
        if a.batch and a.batch == b.batch and one.minutes == other.minutes \
                and a.started == b.started:  # begun together, or neither
            mate = model.new_bool_var("")
            model.add(one.begin == other.begin).only_enforce_if(mate)
            choices.append(mate)
            mates.setdefault(one.v, []).append(mate)
            mates.setdefault(other.v, []).append(mate)
            together[one.v, other.v] = together[other.v, one.v] = mate
        for gate in (*one.gates(), *other.gates()):
            for choice in choices:
                model.add_implication(choice, gate)
        model.add_bool_or([*choices, *(~gate for gate in (*one.gates(), *other.gates()))])
    for v, found in mates.items():
        model.add(sum(found) <= scheme.task[v].room - 1)
    for way in scheme.on[machine]:
        lead = scheme.leads[way.v, machine] = model.new_bool_var("")
        for gate in way.gates():
            model.add_implication(lead, gate)
        model.add_bool_or(lead, *(~gate for gate in way.gates()), *(
            mate for (v, other), mate in together.items() if v == way.v and other < v))
    return together


def _set_up(scheme: ScheduleModel, machine: int) -> str:
    """The family of a machine as the first operation that has not started finds it."""
    begun = [scheme.task[way.v].family for way in scheme.on[machine]
             if scheme.task[way.v].started is not None and scheme.task[way.v].family]
    return begun[-1] if begun else scheme.work.tools[machine].family


def _succession(scheme: ScheduleModel, machine: int, mates: Mapping[tuple[int, int], Any]) -> None:
    """Operations form a chain; each waits for its own changeover, which has its own cost.

    Those that go together follow each other at once. Work that needs no set-up stands outside
    the chain, and changes nothing in it.
    """
    work, model, arcs = scheme.work, scheme.model, []
    ways = [way for way in scheme.on[machine] if scheme.task[way.v].family]
    turned: list[tuple[Any, Way, int]] = []  # literal of an arc, whom it leads to, its set-up
    empty = model.new_bool_var("")
    arcs.append((0, 0, empty))
    for i, way in enumerate(ways, 1):
        gate = way.gates()
        if gate:
            arcs.append((i, i, ~gate[0]))
        else:
            model.add(empty == 0)
        for k, other in [(0, None), *enumerate(ways, 1)]:
            if k != i:
                literal = model.new_bool_var("")
                arcs.append((k, i, literal))
                family = (work.tools[machine].family if other is None
                          else scheme.task[other.v].family)
                setup, cost = work.changeover(machine, family, scheme.task[way.v])
                if other is not None:
                    mate = mates.get((way.v, other.v))
                    model.add(way.begin >= other.end + setup).only_enforce_if(
                        literal, *([] if mate is None else [~mate]))
                elif scheme.task[way.v].started is None:
                    model.add(way.begin >= setup).only_enforce_if(literal)
                turned.append((literal, way, setup))
                scheme.costs.append(cost * literal)
        arcs.append((i, 0, model.new_bool_var("")))
    model.add_circuit(arcs)
    for plain in scheme.on[machine]:
        if not scheme.task[plain.v].family:
            _beside(scheme, plain, turned)


def _beside(scheme: ScheduleModel, plain: Way, turned: Sequence[tuple[Any, Way, int]]) -> None:
    """No set-up is made while work that needs none is on the machine."""
    before: dict[int, Any] = {}
    for literal, way, setup in turned:
        if setup and scheme.task[way.v].started is None:
            if way.v not in before:
                first = before[way.v] = scheme.model.new_bool_var("")
                gates = [*plain.gates(), *way.gates()]
                scheme.model.add(way.begin >= plain.end).only_enforce_if(first, *gates)
                scheme.model.add(plain.begin >= way.end).only_enforce_if(~first, *gates)
                scheme.orders.append((first, plain.v, way.v))
            scheme.model.add(way.begin >= plain.end + setup).only_enforce_if(
                literal, before[way.v], *plain.gates())
