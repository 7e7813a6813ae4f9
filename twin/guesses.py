"""Guesses: parameters drawn within what is known of them, so that ignorance can be played."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.network import ModelError, Network
from twin.parameters import Calibration
from twin.settings import SettingError

#: Gives a calibration that might be the true one: its cells drawn within what is known of them.
Drawer = Callable[[Calibration, np.random.Generator], Calibration]


class Guesses:
    """Draws of the parameters: draw i is the same for every scenario, and for every run of a seed.

    Parameters
    ----------
    network
        The model before the calibration.
    how
        Gives a calibration that might be the true one.

    Raises
    ------
    SettingError
        If the calibration holds nothing that was learned.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from twin.parameters import Parameter
    >>> shop = Network(sites=[{"site": "W", "kind": "warehouse"}])
    >>> learned = Calibration("may", rows=(Parameter("sites", "W", "record_delay", value="2d"),))
    >>> def draw(calibration, rng):
    ...     row = replace(calibration.rows[0], value=f"{rng.integers(1, 4)}d")
    ...     return replace(calibration, rows=(row,))
    >>> guesses = Guesses(shop, learned, draw, seed=1)
    >>> [guesses.network(i).sites["W"].record_delay for i in (0, 1, 0)]
    [72.0, 48.0, 72.0]
    >>> guesses.inputs()
    {'sites[W].record_delay': [72.0, 48.0]}
    """

    def __init__(self, network: Network, learned: Calibration | None, how: Drawer,
                 seed: int) -> None:
        if learned is None or not learned.rows:
            name = learned.name if learned else "nominal"
            raise SettingError(f"uncertainty: calibration {name} holds no learned values, so there "
                               "is no ignorance to carry. Give calibration=NAME of a learned one, "
                               "or leave uncertainty out.")
        self.plain, self.learned, self.seed = network, learned, seed
        self.how = how
        self.networks: dict[int, Network] = {}

    def network(self, number: int) -> Network:
        """The model with draw `number` of the parameters in its cells."""
        if number not in self.networks:
            luck = np.random.SeedSequence(self.seed, spawn_key=(number, *b"parameters"))
            drawn = self.how(self.learned, np.random.default_rng(luck))
            try:
                self.networks[number] = drawn.apply(self.plain)
            except ModelError as error:
                raise ModelError(f"draw {number + 1} of calibration {self.learned.name}: {problem}"
                                 for problem in error.problems) from None
        return self.networks[number]

    def inputs(self) -> dict[str, list[float]]:
        """Size of each learned cell, draw by draw."""
        return {row.cell: [_size(self.networks[i], row.cell) for i in sorted(self.networks)]
                for row in self.learned.rows if row.value}


def _size(network: Network, cell: str) -> float:
    """A learned cell as one number: the mean of what it says; NaN if it is no number."""
    try:
        table, key, name = network.find(cell)
    except ModelError:
        return float("nan")
    value = getattr(network.table(table)[key], name)
    value = value.mean() if hasattr(value, "mean") else value
    return float(value) if isinstance(value, int | float) else float("nan")
