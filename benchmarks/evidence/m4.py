"""M4 competition, weekly and hourly: against a library's Theta on the same series.

A sample by a stated seed where there are many, so that it takes a few minutes; the seasons that a
series may have are 52 weeks, or 24 and 168 hours.

The forecast's defaults (which methods are combined, how a season is taken out and blended) were
settled with the scores on M3, on these two parts of M4 and on SupplyGraph in view. So these lines
show that the choice does no harm there; they are no test on unseen data.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from benchmarks.evidence.line import Line
from benchmarks.evidence.m3 import covered, score

_MOST, _SEED = 150, 4
_SEASONS = {"weekly": ([52], 1), "hourly": ([24, 168], 24)}  #: the twin's, and Theta's as in M4


def lines() -> list[Line]:
    """sMAPE of each part."""
    from joblib import Parallel, delayed

    folder = Path(os.environ["TWIN_DATA"]) / "m4_weekly_hourly"
    found = []
    for part, (seasons, season) in _SEASONS.items():
        rows = pd.read_csv(folder / f"{part}.csv.gz")
        many = len(rows)
        rows = rows.sample(min(_MOST, many), random_state=_SEED)
        table = pd.DataFrame(Parallel(n_jobs=2)(
            delayed(score)(part, row.train, row.test, seasons, season)
            for row in rows.itertuples()))
        theta = float(table["theta"].mean())
        found += [Line(f"M4 {part}", "sMAPE [%]", float(table["twin"].mean()), "<=", theta,
                       "library Theta", theta,
                       f"{len(table)} of {many} series, sampled with seed {_SEED}"),
                  covered(f"M4 {part}", table)]
    return found
