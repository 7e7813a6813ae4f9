"""Try: the simulated world, its disturbances, its luck, and replications of it."""

from twin.simulate.play import Run, play

__all__ = ["Run", "play"]
