"""What every test may count on: no window opens, and a run writes into a folder of its own."""

from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "agg")

from hypothesis import settings

# On every change a machine tries the same examples, so that a failure is of that change; at home
# each run looks for new ones.
settings.register_profile("same", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("same")
