"""A schedule as a picture: a line a machine, a bar an operation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from twin.measure.style import (
    FAINT,
    INK,
    MUTED,
    SERIES,
    clean,
    figure,
    headline,
    number,
    plain,
    styled,
)
from twin.plan import Plan

_MOST_LINES = 40
_MOST_NAMED = 120
_LETTER = 0.06  #: inches of a letter in a bar


def gantt(plan: Plan, title: str = "") -> Figure:
    """Operations and services of a plan by machine and time, hours from when it was made.

    Parameters
    ----------
    plan
        A schedule; of more than 40 machines the busiest are drawn.
    title
        Over the picture; what the answer says if blank.
    """
    busy: dict[str, float] = {}
    for one in plan.operations:
        busy[one.machine] = busy.get(one.machine, 0.0) + one.end - one.start
    for service in plan.services:
        busy.setdefault(service.asset, 0.0)
    shown = sorted(sorted(busy, key=lambda name: (-busy[name], name))[:_MOST_LINES])
    line = {name: i for i, name in enumerate(reversed(shown))}
    products = list(dict.fromkeys(one.product for one in sorted(
        plan.operations, key=lambda one: (one.product, one.start))))
    colour = {name: SERIES[i % len(SERIES)] for i, name in enumerate(products)}
    with styled():
        made = figure(11.0, 1.9 + 0.28 * max(3, len(shown)))
        left_out = len(busy) - len(shown)
        top = headline(made, title or _finding(plan),
                       "Light before a bar: set-up. Hatched: service. Strong edge: has begun"
                       + (f". {left_out} less busy machines are in the table" if left_out else ""))
        axes = made.add_axes((0.2, 0.9 / made.get_figheight(), 0.78,
                              top - 0.95 / made.get_figheight()))
        orders: dict[tuple[int, float, float], list[str]] = {}  # in each bar; a batch has several
        for one in plan.operations:
            if one.machine not in line:
                continue
            y, start = line[one.machine], one.start - plan.made_h
            if one.setup > 0.0:
                axes.barh(y, one.setup, left=start - one.setup, height=0.66, color=FAINT,
                          linewidth=0)
            axes.barh(y, one.end - one.start, left=start, height=0.66,
                      color=colour[one.product], edgecolor=INK if one.started else "white",
                      linewidth=1.2 if one.started else 0.4)
            orders.setdefault((y, start, one.end - plan.made_h), []).append(
                str(one.order or one.lot))
        for service in plan.services:
            if service.asset in line:
                axes.barh(line[service.asset], service.end - service.start,
                          left=service.start - plan.made_h, height=0.66, color="white",
                          edgecolor=MUTED, hatch="////", linewidth=0.8)
        inch = (axes.get_xlim()[1] - axes.get_xlim()[0]) / (0.78 * made.get_figwidth())
        for (y, start, end), names in orders.items():
            text = " + ".join(names)
            if len(plan.operations) <= _MOST_NAMED and end - start > _LETTER * len(text) * inch:
                axes.text((start + end) / 2.0, y, text, ha="center", va="center", fontsize=6.5,
                          color="white", clip_on=True)
        axes.set_yticks(list(line.values()), [clean(name, 26) for name in line])
        axes.set_ylim(-0.6, max(1, len(line)) - 0.4)
        axes.set_xlabel("hours from now")
        plain(axes, grid="x")
        made.legend(handles=[Patch(color=colour[name], label=clean(name, 24))
                             for name in products[:12]], loc="lower left",
                    ncols=min(6, max(1, len(products))), fontsize=8, labelcolor=MUTED,
                    bbox_to_anchor=(0.01, 0.0))
    return made


def progress(plan: Plan) -> Figure:
    """Incumbent and bound over the seconds of the search, and how far each engine came."""
    seen = plan.answer.progress
    with styled():
        made = figure(7.0, 3.2)
        top = headline(made, "How the search went",
                       f"Objective in {plan.answer.unit}; stopped by {plan.answer.stopped_by}")
        axes = made.add_axes((0.13, 0.16, 0.84, top - 0.2))
        costs = _lowest((one.seconds, one.objective) for one in seen)
        engines = sorted({one.engine for one in seen if one.engine})
        for turn, name in enumerate(engines if len(engines) > 1 else (), 1):
            own = _lowest((one.seconds, one.objective) for one in seen if one.engine == name)
            own = [*own, (max(plan.answer.seconds, own[-1][0]), own[-1][1])] if own else []
            axes.step([x for x, _ in own], [y for _, y in own], where="post", marker="o",
                      markersize=3, color=SERIES[turn % len(SERIES)], label=clean(name, 34),
                      linewidth=1.0)
        bounds = [(one.seconds, one.bound) for one in seen if one.bound is not None]
        for points, shade, label in ((costs, SERIES[0], "best plan"), (bounds, MUTED, "bound")):
            if points:
                points = [*points, (max(plan.answer.seconds, points[-1][0]), points[-1][1])]
                axes.step([x for x, _ in points], [y for _, y in points], where="post",
                          color=shade, label=label, linewidth=1.6)
        axes.set_xlabel("seconds")
        plain(axes)
        if costs or bounds:
            axes.legend(fontsize=8.5, labelcolor=MUTED)
    return made


def _lowest(points: Iterable[tuple[float, float | None]]) -> list[tuple[float, float]]:
    """The best so far at each moment at which it got better."""
    found: list[tuple[float, float]] = []
    for seconds, value in sorted((s, v) for s, v in points if v is not None):
        if not found or value < found[-1][1]:
            found.append((seconds, value))
    return found


def frontier(points: Sequence[tuple[float, float]], finding: str, across: str,
             up: str) -> Figure:
    """What one aim costs in another: a line through plans, each of which is best for its price."""
    with styled():
        made = figure(6.4, 3.8)
        top = headline(made, finding)
        axes = made.add_axes((0.13, 0.16, 0.83, top - 0.2))
        ordered = sorted(points)
        axes.plot([x for x, _ in ordered], [y for _, y in ordered], color=SERIES[0], marker="o",
                  linewidth=1.4)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        plain(axes)
    return made


def _finding(plan: Plan) -> str:
    answer = plan.answer
    if answer.objective is None:
        return f"No schedule: {answer.status.value}"
    text = f"{number(answer.objective)} {answer.unit}"
    if answer.start is not None and answer.start > 0.0:
        saved = 1.0 - answer.objective / answer.start
        text += f", {100 * saved:.0f} % below the best dispatch rule"
    return text
