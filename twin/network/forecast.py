"""What a stock policy believes of demand, and what a truck burns: small texts with numbers."""

import re
from dataclasses import dataclass

from twin.clock import excerpt
from twin.quantity import parse_number

_CALL = re.compile(r"(\w+)\s*\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Forecast:
    """A rule that turns past demand into a forecast of demand per review.

    Parameters
    ----------
    kind
        ``moving_average`` (``n`` reviews), ``smoothing`` (``alpha``) or ``constant`` (``value``).
    params
        Pairs of name and value; the first two kinds may have a ``start``.

    Examples
    --------
    >>> forecast = parse_forecast("smoothing(alpha=.3, start=4)")
    >>> forecast.get("alpha"), forecast.get("start")
    (0.3, 4.0)
    >>> str(forecast)
    'smoothing(alpha=0.3, start=4)'
    """

    kind: str
    params: tuple[tuple[str, float], ...]

    def get(self, name: str, default: float | None = None) -> float | None:
        """The parameter of that name, or the default when it was not given."""
        return dict(self.params).get(name, default)

    def __str__(self) -> str:
        if self.kind == "constant":
            return f"{self.params[0][1]:.15g}"
        return f"{self.kind}({', '.join(f'{name}={value:.15g}' for name, value in self.params)})"


_FORECASTS = {
    "moving_average": ("n", "start"),
    "smoothing": ("alpha", "start"),
    "constant": ("value",),
}
_EXAMPLES = "moving_average(n=5), smoothing(alpha=.3, start=4) or a number"


def parse_forecast(text: str) -> Forecast:
    """Read a forecast.

    Examples
    --------
    >>> parse_forecast("12")
    Forecast(kind='constant', params=(('value', 12.0),))
    """
    call = _CALL.fullmatch(text.strip())
    if call is None:
        if "(" in text:
            raise ValueError(f"'{excerpt(text)}' is not a forecast. Write {_EXAMPLES}.")
        return Forecast("constant", (("value", parse_number(text)),))
    kind, arguments = call.groups()
    names = _FORECASTS.get(kind)
    if names is None:
        raise ValueError(f"'{excerpt(text)}' is not a forecast. Write {_EXAMPLES}.")
    given: dict[str, float] = {}
    for place, part in enumerate(arguments.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            name, value = names[place] if place < len(names) else "", name
        if name not in names or name in given:
            raise ValueError(f"'{excerpt(text)}' is not a forecast. Write {_EXAMPLES}.")
        given[name] = parse_number(value)
    return _possible(text, kind, given)


def _possible(text: str, kind: str, given: dict[str, float]) -> Forecast:
    """Refuse a window or weight that cannot be."""
    first = _FORECASTS[kind][0]
    value = given.get(first)
    if value is None:
        raise ValueError(f"'{excerpt(text)}' lacks {first}. Write {_EXAMPLES}.")
    if kind == "moving_average" and not (1 <= value <= 100_000 and value == int(value)):
        raise ValueError(f"'{excerpt(text)}': n must be a whole number of reviews, at least 1.")
    if kind == "smoothing" and not 0 < value <= 1:
        raise ValueError(f"'{excerpt(text)}': alpha must lie above 0 and at most at 1.")
    return Forecast(kind, tuple((name, given[name]) for name in _FORECASTS[kind] if name in given))


def parse_fuel(text: str) -> tuple[float, ...]:
    """Read litres per 100 km: equally spaced points from empty to full; one point is any load.

    Examples
    --------
    >>> parse_fuel("31.5")
    (31.5,)
    >>> parse_fuel("by_load(24, 30, 36)")
    (24.0, 30.0, 36.0)
    """
    call = _CALL.fullmatch(text.strip())
    if call is None:
        points: tuple[float, ...] = (parse_number(text),)
    elif call[1] == "by_load":
        points = tuple(parse_number(part) for part in call[2].split(","))
    elif call[1] == "cmem":
        raise ValueError(
            f"'{excerpt(text)}' is not played yet. Write a number or by_load(empty, ..., full)."
        )
    else:
        raise ValueError(f"'{excerpt(text)}' is not a fuel use. Write a number or by_load(24, 36).")
    if min(points) < 0:
        raise ValueError(f"'{excerpt(text)}' is negative. Write litres per 100 km.")
    return points
