"""Folding days, and what a person sees of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from twin.commands.rules import SimulationRules
from twin.commands.show import Screen
from twin.network import Network
from twin.sense.checkpoint import Checkpoints
from twin.store import Store

_MANY = 5  # days: fewer are folded before anybody wonders


@contextmanager
def folding(screen: Screen) -> Iterator[Callable[[int, int], None]]:
    """What is called with days folded and days to fold: a bar, or one line without a terminal."""
    with ExitStack() as stack:
        bars: list[Progress] = []

        def show(done: int, whole: int) -> None:
            if whole < _MANY or screen.quiet:
                return
            if done == 0:
                screen.note(f"{whole} days of the store were not folded before; that is done once.")
                if screen.err.is_terminal:
                    bars.append(stack.enter_context(Progress(
                        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                        TimeRemainingColumn(), console=screen.err, transient=True)))
                    bars[0].add_task("Folding days", total=whole)
            elif bars:
                bars[0].update(bars[0].task_ids[0], completed=done)

        yield show


def fold_days(store: Store, network: Network, screen: Screen) -> None:
    """Fold and keep the days that are over, so that questions about them are answered at once."""
    with folding(screen) as show:
        Checkpoints(store, network, SimulationRules(network)).keep_up(show)
