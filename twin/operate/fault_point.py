"""Places where a test may kill the process: between any two steps of a push.

`TWIN_FAULT_POINT=name` or ``name:3`` (at the third time) ends the process there, as `kill -9`
would. Without the variable a point costs a dictionary look-up.
"""

from __future__ import annotations

import os
import signal

POINTS = ("decided", "claimed", "sending", "sent", "answered", "recorded", "undoing")
_passed: dict[str, int] = {}


def point(name: str) -> None:
    """Pass a point, or die there if a test says so.

    Examples
    --------
    >>> point("claimed")
    """
    wanted = os.environ.get("TWIN_FAULT_POINT")
    if not wanted:
        return
    where, _, times = wanted.partition(":")
    if where == name:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(times or 1):
            os.kill(os.getpid(), signal.SIGKILL)
