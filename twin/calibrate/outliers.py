"""Values that no law of the stream would give: far too long, or far too short."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twin.calibrate.laws import Floats
from twin.calibrate.likelihood import EXACT, Ints, Observed

_LEAST = 20  #: values that a stream needs before any of them may be called too many
_CHANCE = 0.002  #: that a clean stream loses a value


def outliers(data: Observed, streams: int) -> NDArray[np.bool_]:
    """Which values to leave out.

    The middle half of a stream, which outliers cannot move, says how the rest should look. A value
    is too long if a lognormal through the quartiles would give one as long in fewer than one in
    500 streams of that size, and too short if a Weibull through them would give one as short: each
    is the family with the most generous tail on that side. Streams of fewer than 20 exact values,
    and those in which more than a third are censored or truncated, are left alone.

    Examples
    --------
    >>> values = np.append(np.linspace(8.0, 12.0, 60), [200.0, 0.01])
    >>> np.flatnonzero(outliers(Observed.one(values), 1)).tolist()
    [60, 61]
    """
    out = np.zeros(len(data.value), bool)
    plain = (data.state == EXACT) & (data.value > 0.0)
    count = np.bincount(data.stream, weights=plain, minlength=streams)
    total = np.bincount(data.stream, minlength=streams)
    loose = np.bincount(data.stream, weights=np.isfinite(data.limit) | (data.entry > 0.0),
                        minlength=streams)
    fit = (count >= _LEAST) & (count > 2 / 3 * total) & (loose < total / 3)
    used = np.flatnonzero(plain & fit[data.stream])
    if not len(used):
        return out
    stream, logs = data.stream[used], np.log(data.value[used])
    low, middle, high = _quartiles(stream, logs, streams)
    width = high - low
    # Quartiles of few values are uncertain: be more generous then.
    doubt = 1.0 + 6.0 / np.sqrt(np.maximum(count, 1.0))
    rare = _CHANCE / np.maximum(count, 1.0)
    sigma = np.maximum(width / 1.34898, 1e-12) * doubt
    far_up = middle + sigma * -special.ndtri(rare)
    power = np.maximum(width / (np.log(np.log(4.0)) - np.log(np.log(4.0 / 3.0))), 1e-12) * doubt
    base = middle - power * np.log(np.log(2.0))
    far_down = base + power * np.log(-np.log1p(-rare))
    odd = (logs > far_up[stream]) | (logs < far_down[stream])
    out[used] = odd & (width[stream] > 1e-9)
    return out


def _quartiles(stream: Ints, values: Floats, streams: int) -> tuple[Floats, Floats, Floats]:
    """Quartiles of each stream."""
    order = np.lexsort((values, stream))
    ranked = values[order]
    count = np.bincount(stream, minlength=streams)
    first = np.cumsum(count) - count

    def at(share: float) -> Floats:
        place = first + share * np.maximum(count - 1, 0)
        below = np.minimum(np.floor(place).astype(int), len(ranked) - 1)
        above = np.minimum(below + 1, np.maximum(first + count - 1, 0))
        part = place - below
        return np.asarray(ranked[below] * (1 - part) + ranked[np.minimum(above, len(ranked) - 1)]
                          * part)

    return at(0.25), at(0.5), at(0.75)
