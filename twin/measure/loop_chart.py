"""An operation with a twin and without: cost and service over time."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from twin.measure.style import INK, MUTED, SERIES, figure, headline, plain, styled, tick

#: (day, running cost so far, OTIF of the last weeks).
Row = tuple[float, float, float]


def loop_picture(taken: Sequence[Row], without: Sequence[Row], rounds: Sequence[float], *,
                 model: str, currency: str) -> Figure:
    """Two panels: running cost so far, and orders on time in full over the last four weeks.

    Parameters
    ----------
    rounds
        Days on which the twin advised something that was done.

    Examples
    --------
    >>> made = loop_picture([(0, 0, 0.9), (7, 70, 0.92)], [(0, 0, 0.9), (7, 80, 0.9)], [0.0],
    ...                     model="tea", currency="EUR")
    >>> made.get_label()
    'tea with a twin: 10 EUR less in 7 days (an example: one hidden truth)'
    """
    saved = without[-1][1] - taken[-1][1]
    word = "less" if saved >= 0.0 else "more"
    with styled():
        made = figure(9.5, 5.6)
        top = headline(
            made, f"{model} with a twin: {tick(abs(saved))} {currency} {word} in "
            f"{taken[-1][0]:g} days (an example: one hidden truth)",
            "The same operation twice, with the same hidden parameters and the same luck: once it "
            "does what the twin advises and a planner approves (dashed: when), once nobody advises")
        cost, service = made.subplots(2, 1, sharex=True)
        made.subplots_adjust(left=0.1, right=0.86, top=top - 0.06, bottom=0.1, hspace=0.3)
        for axes, column, scale, title in (
                (cost, 1, 1.0, f"running cost so far, {currency}"),
                (service, 2, 100.0, "on time in full, last 4 weeks, %")):
            plain(axes)
            axes.set_title(title, loc="left", fontsize=10, color=MUTED)
            for rows, colour, label in ((without, MUTED, "without"), (taken, SERIES[0], "with")):
                days = [row[0] for row in rows if row[column] == row[column]]
                values = [scale * row[column] for row in rows if row[column] == row[column]]
                axes.yaxis.set_major_formatter(tick)
                axes.plot(days, values, color=colour, lw=2.0)
                if values:
                    last = tick(float(f"{values[-1]:.4g}"))
                    axes.annotate(f" {label}: {last}", (days[-1], values[-1]),
                                  color=colour if colour != MUTED else INK, fontsize=9, va="center",
                                  annotation_clip=False)
            for day in rounds:
                axes.axvline(day, color=INK, lw=0.8, ls="--", alpha=0.6)
        _apart(cost, service)
        service.set_xlabel("day")
    return made


def _apart(*panels: object) -> None:
    """Move the two labels of a panel apart where they would lie on one another."""
    for axes in panels:
        labels = axes.texts  # type: ignore[attr-defined]
        if len(labels) == 2:
            low, high = sorted(labels, key=lambda one: one.xy[1])
            low.set_va("top")
            high.set_va("bottom")
