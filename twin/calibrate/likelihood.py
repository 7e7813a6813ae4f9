"""The most likely parameters of many streams at once: Newton's method over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.calibrate.laws import Family, Floats

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

CENSORED, EXACT, RENEWING = 0, 1, 2  #: what is known of a value
_STEP = 1e-4  #: of the numerical derivatives, on the free scale
_ROUNDS = 60
_FAR = 1.0  #: longest step of one round, on the free scale


@dataclass(frozen=True, slots=True)
class Observed:
    """Values of many streams, one array a column.

    Parameters
    ----------
    stream
        Which stream each value belongs to, from 0.
    value
        Hours, units, ...
    state
        0 censored (it is longer than this), 1 exact, 2 exact but begun before we looked: the rest
        of a gap that was under way (its density is survival over mean).
    entry
        It would not have been seen if it had been shorter than this (left truncation); 0 for none.
    limit
        It would not have been seen if it had been longer (right truncation); inf for none.
    weight
        How much each counts.
    """

    stream: Ints
    value: Floats
    state: Ints
    entry: Floats
    limit: Floats
    weight: Floats

    def of(self, keep: NDArray[np.bool_]) -> Observed:
        """Some of the values."""
        return Observed(self.stream[keep], self.value[keep], self.state[keep], self.entry[keep],
                        self.limit[keep], self.weight[keep])

    @classmethod
    def one(cls, values: Floats, censored: Floats | tuple[()] = ()) -> Observed:
        """One stream of exact and of censored values.

        Examples
        --------
        >>> Observed.one(np.array([3.0, 4.0]), np.array([9.0])).state.tolist()
        [1, 1, 0]
        """
        value = np.concatenate([np.asarray(values, float), np.asarray(censored, float)])
        state = np.concatenate([np.ones(len(values), int), np.zeros(len(censored), int)])
        n = len(value)
        return cls(np.zeros(n, int), value, state, np.zeros(n), np.full(n, np.inf), np.ones(n))


#: A linear combination of the free parameters (size), and for each stream the middle and the sd of
#: a normal belief about it.
Belief = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, slots=True)
class Fits:
    """The most likely parameters of each stream in one family.

    Parameters
    ----------
    theta
        Free parameters, shape (streams, size).
    loglik
        Logarithm of the likelihood at `theta`.
    covariance
        Of `theta`, shape (streams, size, size): the inverse of the observed information.
    found
        Whether a maximum was found.
    """

    theta: Floats
    loglik: Floats
    covariance: Floats
    found: NDArray[np.bool_]


def likelihoods(family: Family, theta: Floats, data: Observed) -> Floats:
    """Logarithm of the likelihood of each stream at its parameters (streams, size)."""
    return _Terms(family, data, len(theta))(theta)


class _Terms:
    """A likelihood with the values of each kind set apart once."""

    def __init__(self, family: Family, data: Observed, streams: int,
                 belief: Belief | None = None) -> None:
        self.family, self.data, self.streams, self.belief = family, data, streams, belief
        self.exact = np.flatnonzero(data.state == EXACT)
        self.survived = np.flatnonzero(data.state != EXACT)
        self.renewing = np.flatnonzero(data.state == RENEWING)
        self.late = np.flatnonzero(data.entry > 0.0)
        self.limited = np.flatnonzero(np.isfinite(data.limit))

    def __call__(self, theta: Floats) -> Floats:
        family, data = self.family, self.data
        whole = np.ascontiguousarray(theta.T)
        term = np.zeros(len(data.value))
        if len(self.exact):
            term[self.exact] = family.log_density(whole[:, data.stream[self.exact]],
                                                  data.value[self.exact])
        if len(self.survived):
            term[self.survived] = family.log_survival(whole[:, data.stream[self.survived]],
                                                      data.value[self.survived])
        if len(self.renewing):
            term[self.renewing] -= family.log_mean(whole[:, data.stream[self.renewing]])
        late, limited = self.late, self.limited
        if len(limited):
            at = whole[:, data.stream[limited]]
            seen = family.distribution(at, data.limit[limited])
            before = data.entry[limited]
            if before.any():
                seen = seen - np.where(before > 0.0, family.distribution(at, before), 0.0)
            term[limited] -= np.log(np.maximum(seen, 1e-300))
            late = late[~np.isfinite(data.limit[late])]
        if len(late):
            term[late] -= family.log_survival(whole[:, data.stream[late]], data.entry[late])
        total: Floats = np.bincount(data.stream, weights=data.weight * term,
                                    minlength=self.streams).astype(float)
        if self.belief is not None:
            weights, middle, sd = self.belief
            total = total - 0.5 * ((theta @ weights - middle) / sd) ** 2
        return total


def maximise(family: Family, data: Observed, start: Floats, belief: Belief | None = None) -> Fits:
    """Climb to the most likely parameters of every stream, from `start` (streams, size).

    With a `belief`, to the most likely ones in the light of it. Streams that have arrived take no
    further part, so that a few stubborn ones cost little.

    Examples
    --------
    >>> from twin.calibrate.laws import FAMILIES
    >>> data = Observed.one(np.array([54., 187, 216, 240, 244, 335, 361, 373, 375, 386]),
    ...                     np.full(10, 500.0))
    >>> weibull = FAMILIES["weibull"]
    >>> fit = maximise(weibull, data, weibull.start(np.array([500.0]), np.array([0.7])))
    >>> np.exp(fit.theta[0]).round(3).tolist(), round(float(fit.loglik[0]), 4)
    ([1.721, 606.528], -75.1346)
    """
    streams, size = start.shape
    theta = start.copy()
    best = np.full(streams, -np.inf)
    covariance = np.full((streams, size, size), np.nan)
    found = np.zeros(streams, bool)
    active = np.arange(streams)
    terms = _Terms(family, data, streams, belief)
    damping = np.full(streams, 1e-3)
    best[active] = _finite(terms(theta))
    for _ in range(_ROUNDS):
        gradient, hessian = _slopes(terms, theta[active])
        step = _newton(gradient, hessian, damping[active])
        trial = theta[active] + step
        value = _finite(terms(trial))
        slack = 1e-9 * (1.0 + np.abs(best[active]))
        up = value >= best[active] - slack
        moved = active[up]
        theta[moved], best[moved] = trial[up], np.maximum(value[up], best[moved])
        damping[moved] *= 0.1
        damping[active[~up]] *= 10.0
        near = np.abs(step).max(axis=1) < 1e-6
        there = (up & near) | (damping[active] > 1e9)
        if there.any():
            sure, spread = _inverse(-hessian[there])
            covariance[active[there]] = spread
            found[active[there]] = sure
            active = active[~there]
            if not len(active):
                break
            terms = _rest(terms, ~there)
    if len(active):  # the rounds are over: take what there is, if it is a summit
        _, hessian = _slopes(terms, theta[active])
        sure, spread = _inverse(-hessian)
        covariance[active], found[active] = spread, sure
    return Fits(theta, best, covariance, found & np.isfinite(best))


def _rest(terms: _Terms, keep: NDArray[np.bool_]) -> _Terms:
    """The values of the streams that go on, numbered anew."""
    number = np.cumsum(keep) - 1
    part = terms.data.of(keep[terms.data.stream])
    part = Observed(number[part.stream], part.value, part.state, part.entry, part.limit,
                    part.weight)
    belief = terms.belief
    if belief is not None:
        belief = (belief[0], belief[1][keep], belief[2][keep])
    return _Terms(terms.family, part, int(keep.sum()), belief)


def _finite(value: Floats) -> Floats:
    return np.where(np.isfinite(value), value, -1e300)


def _slopes(terms: _Terms, theta: Floats) -> tuple[Floats, Floats]:
    """Gradient (streams, size) and Hessian (streams, size, size), by central differences."""
    streams, size = theta.shape
    middle = terms(theta)
    gradient = np.empty((streams, size))
    hessian = np.empty((streams, size, size))
    step = _STEP * np.eye(size)
    ahead = [terms(theta + step[i]) for i in range(size)]
    behind = [terms(theta - step[i]) for i in range(size)]
    for i in range(size):
        gradient[:, i] = (ahead[i] - behind[i]) / (2.0 * _STEP)
        hessian[:, i, i] = (ahead[i] - 2.0 * middle + behind[i]) / _STEP**2
        for j in range(i):
            both = terms(theta + step[i] + step[j]) + terms(theta - step[i] - step[j])
            mixed = (both - ahead[i] - ahead[j] - behind[i] - behind[j] + 2.0 * middle) / (
                2.0 * _STEP**2)
            hessian[:, i, j] = hessian[:, j, i] = mixed
    return np.nan_to_num(gradient), np.nan_to_num(hessian)


def _newton(gradient: Floats, hessian: Floats, damping: Floats) -> Floats:
    """A step uphill: Newton's where the surface is a hill, else along the slope."""
    size = gradient.shape[1]
    steep = np.maximum(np.abs(hessian[:, range(size), range(size)]).max(axis=1), 1e-8)
    lowest = np.linalg.eigvalsh(-hessian)[:, 0]
    lift = damping * steep + np.maximum(0.0, 1e-3 * steep - lowest)
    curved = -hessian + lift[:, None, None] * np.eye(size)
    step = np.linalg.solve(curved, gradient[:, :, None])[:, :, 0]
    longest = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, _FAR / np.maximum(longest, 1e-300)))


def _inverse(information: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """The inverse of each matrix, and whether it is a covariance."""
    lowest = np.linalg.eigvalsh(information)[:, 0]
    sure = lowest > 1e-8
    safe = np.where(sure[:, None, None], information, np.eye(information.shape[1]))
    return sure, np.where(sure[:, None, None], np.linalg.inv(safe), np.nan)
