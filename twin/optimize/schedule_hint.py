"""A complete hint: every variable of a model that a schedule decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.optimize.schedule_score import Schedule

if TYPE_CHECKING:
    from twin.optimize.schedule_model import ScheduleModel


def hint(scheme: ScheduleModel, schedule: Schedule) -> None:
    """Search from a schedule that somebody else found."""
    scheme.model.clear_hints()
    model = scheme.model
    for v, ways in enumerate(scheme.ways):
        if scheme.task[v].started is None:
            model.add_hint(scheme.begin[v], schedule.start[v])
        model.add_hint(scheme.end[v], schedule.end[v])
        for way in ways:
            for gate in way.gates():
                model.add_hint(gate, way.machine == schedule.machine[v])
            if way.machine == schedule.machine[v] and way.own is not None:
                model.add_hint(way.own, scheme.hours[way.machine].worked(
                    schedule.start[v]))
    for piece, v, machine, low, high, ending in scheme.pieces:
        clock = scheme.hours[machine].worked(max(0, schedule.start[v]))
        if ending:
            clock += dict(scheme.task[v].ways)[machine]
        model.add_hint(piece, machine == schedule.machine[v] and low <= clock <= high)
    for literal, one, other in scheme.orders:
        model.add_hint(literal, schedule.machine[one] == schedule.machine[other]
                            and schedule.start[one] < schedule.start[other])
