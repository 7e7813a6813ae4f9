"""Which family a stream belongs to: by evidence, with a leaning to what the planner wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.calibrate.laws import FAMILIES, Family, Floats
from twin.calibrate.likelihood import EXACT, Observed, maximise

#: Another family has to be 20 times as likely as the planner's (two units of AIC a factor e).
LEANING = 2.0 * float(np.log(20.0))
#: A weak belief about sd over mean keeps streams of two or three values sane and vanishes as they
#: grow: normal on the log scale, around the planner's ratio, or around a guess.
_CV_BELIEF, _CV_GUESS, _CV_DOUBT = 0.7, 0.6, 1.5
#: How the free parameters say the logarithm of sd over mean.
_CV_OF = {"lognormal": (-1.0, 1.0), "gamma": (-1.0, 1.0), "weibull": (-0.92, 0.0)}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The family of one stream, and the parameters in it."""

    family: Family
    theta: Floats
    covariance: Floats
    criterion: float  #: AICc
    rival: str  #: the next best family
    ahead: float  #: by so much AICc, the planner's leaning included


def choose(data: Observed, streams: int, planned: Sequence[str], cvs: Floats,
           allowed: Sequence[Sequence[str]]) -> list[Chosen | None]:
    """The family and parameters of each stream; None where nothing could be fitted.

    Parameters
    ----------
    data
        Values above zero.
    planned
        The planner's kind for each stream, blank for none.
    cvs
        The planner's sd over mean for each stream; NaN for none.
    allowed
        The families that each stream may belong to.
    """
    exact = (data.state == EXACT).astype(float) * data.weight
    events = np.bincount(data.stream, weights=exact, minlength=streams)
    whole = np.bincount(data.stream, weights=data.value * data.weight, minlength=streams)
    mean = np.maximum(whole / np.maximum(events, 0.5), 1e-9)
    square = np.bincount(data.stream, weights=exact * data.value**2, minlength=streams)
    first = np.bincount(data.stream, weights=exact * data.value, minlength=streams)
    sure = np.maximum(events, 1e-9)
    sd = np.sqrt(np.maximum(square / sure - (first / sure) ** 2, 0.0))
    cv = np.clip(sd / np.maximum(first / sure, 1e-12), 0.02, 3.0)
    centre = np.where(np.isfinite(cvs), np.log(np.maximum(cvs, 0.02)), np.log(_CV_GUESS))
    doubt = np.where(np.isfinite(cvs), _CV_BELIEF, _CV_DOUBT)
    best: list[list[tuple[float, Family, Floats, Floats]]] = [[] for _ in range(streams)]
    for name, family in FAMILIES.items():
        those = np.array([i for i in range(streams) if name in allowed[i] and events[i] > 0], int)
        if not len(those):
            continue
        place = np.full(streams, -1)
        place[those] = np.arange(len(those))
        part = data.of(place[data.stream] >= 0)
        part = Observed(place[part.stream], part.value, part.state, part.entry, part.limit,
                        part.weight)
        belief = None
        if name in _CV_OF:
            belief = (np.array(_CV_OF[name]), centre[those], doubt[those])
        fits = maximise(family, part, family.start(mean[those], cv[those]), belief=belief)
        for row, stream in enumerate(those.tolist()):
            if fits.found[row]:
                size, n = family.size, max(float(events[stream]), family.size + 1.5)
                score = -2.0 * float(fits.loglik[row]) + 2.0 * size * n / (n - size - 1.0)
                score -= LEANING * (name == planned[stream])
                best[stream].append((score, family, fits.theta[row], fits.covariance[row]))
    return [_winner(found) for found in best]


def _winner(found: list[tuple[float, Family, Floats, Floats]]) -> Chosen | None:
    if not found:
        return None
    found.sort(key=lambda one: one[0])
    score, family, theta, covariance = found[0]
    rival, ahead = (found[1][1].name, found[1][0] - score) if len(found) > 1 else ("", 0.0)
    return Chosen(family, theta, covariance, score, rival, ahead)
