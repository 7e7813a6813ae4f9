"""What every test may count on: no window opens, and a run writes into a folder of its own."""

from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "agg")
