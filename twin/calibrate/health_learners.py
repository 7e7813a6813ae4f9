"""What turns features into remaining life: siblings with `fit` and `predict`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from twin.calibrate.season import Array

_RIDGE = 10.0


class Learner(Protocol):
    """Learns remaining life from features of readings."""

    def fit(self, features: Array, remaining: Array) -> Learner:
        """Learn from one row a reading."""

    def predict(self, features: Array) -> Array:
        """Remaining life of each row."""


class Ridge:
    """Ridge regression with a bend: linear in the features, then a cubic in what that gives.

    It needs NumPy alone.

    Examples
    --------
    >>> x = np.linspace(0.0, 1.0, 50)[:, None]
    >>> Ridge().fit(x, 100.0 * (1.0 - x[:, 0])).predict(np.array([[0.5]])).round(0).tolist()
    [50.0]
    """

    def fit(self, features: Array, remaining: Array) -> Ridge:
        """Learn from one row a reading."""
        self.mean, self.sd = features.mean(axis=0), features.std(axis=0)
        self.sd = np.where(self.sd > 0.0, self.sd, 1.0)
        x = (features - self.mean) / self.sd
        self.level = float(remaining.mean())
        self.weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]),
                                       x.T @ (remaining - self.level))
        straight = x @ self.weights + self.level
        self.low, self.high = float(straight.min()), float(straight.max())
        self.bend = np.polynomial.Polynomial.fit(straight, remaining, 3) \
            if np.ptp(straight) > 0.0 else None
        return self

    def predict(self, features: Array) -> Array:
        """Remaining life of each row."""
        straight = (features - self.mean) / self.sd @ self.weights + self.level
        straight = np.clip(straight, self.low, self.high)
        return np.asarray(straight if self.bend is None else self.bend(straight))


class Trees:
    """Extremely randomised trees of scikit-learn (extra `analytics`).

    Source: Geurts, Ernst & Wehenkel (2006).
    """

    def fit(self, features: Array, remaining: Array) -> Trees:
        """Learn from one row a reading."""
        from sklearn.ensemble import ExtraTreesRegressor  # type: ignore[import-untyped]

        self.forest: Any = ExtraTreesRegressor(120, min_samples_leaf=6, max_features=0.4,
                                               random_state=0, n_jobs=1)
        self.forest.fit(features, remaining)
        return self

    def predict(self, features: Array) -> Array:
        """Remaining life of each row."""
        return np.asarray(self.forest.predict(features), dtype=float)


def learner(name: str = "") -> type[Ridge] | type[Trees]:
    """A learner by name; blank is the trees where they are installed, else the ridge.

    Raises
    ------
    ValueError
        If there is none of that name, or its library is missing.
    """
    installed = find_spec("sklearn") is not None
    if name in ("", "trees") and installed:
        return Trees
    if name == "trees":
        raise ValueError("scikit-learn is not installed, and trees were asked for. Install it "
                         "with: pip install 'twin[analytics]'.")
    if name in ("", "ridge"):
        return Ridge
    raise ValueError(f"learner '{name}' is unknown. There are ridge, trees.")
