"""Is the truth recovered? ``python benchmarks/rehearsals.py [count] [days] [model]``.

Rehearsals with random hidden parameters are heard through planted faults, learned from, and scored
against their truth: how many intervals hold it, how wide they are, whether the planted change is
found, how often a change is told of that did not happen, and whether a machine made to fail raises
an alert before it breaks down. What changes, a carrier's lane or a customer, is drawn among those
that can tell: of which the hidden truth, played without the change, sends as much before and after
as the test needs to find it with 90 % chance. That is worked out before anything is heard.
"""

from __future__ import annotations

import sys
import time

from twin.commands.calibrate import streams_of
from twin.rehearse.study import Rehearsed, rehearse_once, summary
from twin.workspace import Workspace


def main(count: int = 20, days: float = 120.0, model: str = "harbour") -> int:
    """Print a line a rehearsal and the sum; 0 if the bar is met."""
    workspace = Workspace()
    network, streams = workspace.network(model), streams_of(workspace)
    those: list[Rehearsed] = []
    for seed in range(1, count + 1):
        began = time.perf_counter()
        one = rehearse_once(network, seed, streams, days=days)
        those.append(one)
        lead = f"{one.failing} {one.lead_h:.0f} h ahead" if one.lead_h > 0.0 else \
            f"{one.failing} NOT ahead" if one.failing else ""
        change = f"{one.changed} {'found' if one.found else 'NOT found'}" if one.changed else ""
        print(f"{seed:>3}  {one.score.inside} of {one.score.cells} parameters, {one.false} false "
              f"alarms, {change}, {lead}  ({time.perf_counter() - began:.0f} s)", flush=True)
    return 0 if summary(those, print) else 1


if __name__ == "__main__":
    defaults = ["20", "120", "harbour"]
    count, days, model = [*sys.argv[1:4], *defaults[len(sys.argv) - 1:]]
    sys.exit(main(int(count), float(days), model))
