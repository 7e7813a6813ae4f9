"""Token buckets: how often somebody may call."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

_MOST = 10_000  # callers remembered; who has called least lately is forgotten, with a full bucket


class Buckets:
    """A bucket for each caller: it holds `burst` calls and is filled at `rate` a second.

    Parameters
    ----------
    rate
        Calls a second, above 0.
    burst
        Calls at once.
    clock
        Seconds; a test may bring its own.

    Examples
    --------
    >>> now = [0.0]
    >>> buckets = Buckets(rate=0.5, burst=2, clock=lambda: now[0])
    >>> [buckets.take("ann") for _ in range(3)], buckets.take("bob")
    ([0.0, 0.0, 2.0], 0.0)
    >>> now[0] = 2.0
    >>> buckets.take("ann")
    0.0
    """

    def __init__(self, rate: float, burst: float,
                 clock: Callable[[], float] = time.monotonic) -> None:
        if not (rate > 0 and burst >= 1):
            raise ValueError(f"rate {rate:g} a second and burst {burst:g} let nobody in. Write a "
                             "rate above 0 and a burst of 1 or more.")
        self.rate, self.burst, self.clock = rate, burst, clock
        self._held: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, caller: Hashable) -> float:
        """Take one call: 0 if there is one, else the seconds until there is."""
        return self._take(caller, 1.0)

    def wait(self, caller: Hashable) -> float:
        """The seconds until a call can be taken; nothing is taken."""
        return self._take(caller, 0.0)

    def _take(self, caller: Hashable, spent: float) -> float:
        with self._lock:
            now = self.clock()
            held, since = self._held.pop(caller, (self.burst, now))
            held = min(self.burst, held + (now - since) * self.rate)
            short = 1.0 - held
            self._held[caller] = (held if short > 0 else held - spent, now)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
        return max(0.0, short) / self.rate
