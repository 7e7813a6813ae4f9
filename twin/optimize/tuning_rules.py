"""The dispatch rule of the work centres, chosen by playing it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from twin.network import ModelError, Network
from twin.optimize.selection import Gain, paired, select
from twin.optimize.tuning import Play, Trial
from twin.plan import Answer, Plan, Progress, Reason, Status
from twin.tally import Tally

RULES = ("fifo", "priority", "due_date", "shortest", "family")
_SEED_APART = 1_000_003


def late_hours(tally: Tally) -> float:
    """Hours late a day: of delivered orders, and a day for each that is still open and overdue."""
    late = tally.total("lateness") + 24.0 * tally.total("orders_overdue")
    return late / (tally.hours / 24.0)


def rule_settings(network: Network, rules: Sequence[str] = RULES) -> dict[str, Mapping[str, str]]:
    """Today's rules, and each rule at all work centres that differ from it; by name."""
    found: dict[str, Mapping[str, str]] = {"today": {}}
    for rule in rules:
        cells = {f"groups[{site},{group}].dispatch": rule
                 for (site, group), row in network.groups.items() if row.dispatch != rule}
        try:
            network.with_cells(cells)
        except ModelError:
            continue  # a rule that this model cannot play
        if cells:
            found[rule] = cells
    return found


def tune_rules(network: Network, play: Play, *, seed: int = 1, budget: int = 60,
               confirm: int = 30, told: Callable[[str, int, str, float], None] | None = None,
               ) -> tuple[Plan, Gain]:
    """The dispatch rule with the fewest late hours, confirmed on new luck.

    Raises
    ------
    ValueError
        If the model has no work centre to rule.
    """
    began = time.perf_counter()
    settings = rule_settings(network)
    if len(settings) < 2:
        raise ValueError(f"model {network.name} has no work centre in its table groups. There is "
                         "no dispatch rule to choose.")
    played = 0

    def costs(names: Sequence[str], runs: Sequence[int],
              base: int = seed) -> dict[str, list[float]]:
        nonlocal played
        trials = [Trial(tuple(sorted(settings[name].items())), base, run)
                  for name in names for run in runs]
        played += len(trials)
        late = [late_hours(tally) for tally in play(trials)]
        size = len(runs)
        return {name: late[k * size:(k + 1) * size] for k, name in enumerate(names)}

    progress: list[Progress] = []

    def tell(spent: int, leader: str, mean: float, left: int) -> None:
        progress.append(Progress(time.perf_counter() - began, mean))
        if told is not None:
            told(f"dispatch rules, {left} left", spent, leader, mean)

    pilot = costs(["today"], range(3))["today"]
    chosen = select(costs, list(settings), indifference=max(0.01 * sum(pilot) / 3.0, 1e-6),
                    budget=budget, told=tell)
    sure = costs(["today", chosen.best] if chosen.best != "today" else ["today"],
                 range(confirm), seed + _SEED_APART)
    gain = paired(sure["today"], sure[chosen.best])
    kept = settings[chosen.best] if gain.verdict != "worse" else {}
    mean = sum(sure[chosen.best]) / confirm
    answer = Answer(
        Status.FEASIBLE, objective=mean, unit="h late/d", seconds=time.perf_counter() - began,
        engine=f"ranking and selection ({chosen.best})", work=float(played),
        stopped_by="proof" if chosen.proved else "work", start=sum(sure["today"]) / confirm,
        progress=tuple(progress), reasons=(Reason(
            "binding", "dispatch", f"{chosen.best} saves {gain.mean:,.2f} h late a day "
            f"({gain.low:,.2f} to {gain.high:,.2f}, {confirm} pairs on new luck): "
            f"{gain.verdict}"),))
    return Plan("schedule", network.name, 0.0, answer, cells=dict(kept)), gain
