"""Learn: estimators of table cells, life data, and what is not known about a parameter."""

from twin.calibrate.ignorance import draw

__all__ = ["draw"]
