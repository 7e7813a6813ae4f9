"""A contestant's side: a process that plays a world when asked, and says how long it took.

Run as ``python benchmarks/play_loop.py``: one JSON line in (what to play), one out (seconds, KPIs).
Each contestant stays alive between turns, so that imports are not timed and turns can alternate.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from typing import Any

Play = Callable[..., dict[str, Any]]


def serve(plays: dict[str, Play]) -> None:
    """Answer requests until the input ends."""
    out, sys.stdout = sys.stdout, sys.stderr  # what a library prints must not get between
    for line in sys.stdin:
        request = json.loads(line)
        gc.collect()
        answer = plays[request.pop("play")](**request)
        out.write(json.dumps(answer) + "\n")
        out.flush()
