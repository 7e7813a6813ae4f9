"""Random quantities: what a table cell such as ``lognormal(mean=5d, sd=2d)`` means.

A cell is parsed once, at the door, into a frozen `Quantity`; times are hours from then on.
How a quantity is drawn is the simulation's business.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from twin.clock import HOURS_IN, excerpt, format_duration, parse_duration

# For each kind: its parameters in the order of a call without names.
KINDS: dict[str, tuple[str, ...]] = {
    "constant": ("value",),
    "exponential": ("mean",),
    "lognormal": ("mean", "sd"),
    "gamma": ("mean", "sd"),
    "weibull": ("shape", "scale"),
    "poisson": ("mean",),
    "normal": ("mean", "sd"),
    "uniform": ("low", "high"),
    "triangular": ("low", "mode", "high"),
    "erlang": ("k", "mean"),
    "geometric": ("p", "step"),
    "ar1": ("mean", "sd", "phi"),
    **dict.fromkeys(("discrete", "empirical", "series"), ()),
}
# Parameters that have no unit even where the quantity is a time.
_PURE = frozenset({"shape", "k", "p", "phi", "scv"})
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

Reader = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or time that may be random.

    Parameters
    ----------
    kind
        A name of `KINDS`.
    params
        Pairs of name and value, in the order of `KINDS`; times in hours.
    values, weights
        What ``discrete``, ``empirical`` and ``series`` hold; weights add up to one.
    time
        Whether the values are hours. It only decides how the quantity is written.

    Examples
    --------
    >>> transit = parse_quantity("lognormal(mean=5d, sd=2d)", time=True)
    >>> transit.mean(), transit.sd(), transit.get("sd")
    (120.0, 48.0, 48.0)
    >>> str(transit)
    'lognormal(mean=5d, sd=2d)'
    """

    kind: str
    params: tuple[tuple[str, float], ...] = ()
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    time: bool = field(default=False, compare=False)

    def get(self, name: str) -> float:
        """The parameter of that name."""
        for key, value in self.params:
            if key == name:
                return value
        raise KeyError(f"{self.kind} has no parameter '{name}', only {[k for k, _ in self.params]}")

    def mean(self) -> float:
        """The expected value."""
        return _moments(self)[0]

    def sd(self) -> float:
        """The standard deviation of one draw (of an ``ar1``: in the long run)."""
        return _moments(self)[1]

    def problems(self) -> list[str]:
        """What makes the quantity impossible; empty when it can be drawn.

        Examples
        --------
        >>> Quantity("exponential", (("mean", -1.0),)).problems()
        ['mean -1 must be above 0']
        """
        return _problems(self)

    def __str__(self) -> str:
        write = format_duration if self.time else _format_number
        if self.kind == "constant":
            return write(self.params[0][1])
        if self.kind == "discrete":
            pairs = zip(self.values, self.weights, strict=True)
            return f"discrete({', '.join(f'{write(v)}:{w!r}' for v, w in pairs)})"
        if self.values:
            return f"{self.kind}({', '.join(write(value) for value in self.values)})"
        parts = (f"{k}={_format_number(v) if k in _PURE else write(v)}" for k, v in self.params)
        return f"{self.kind}({', '.join(parts)})"


def constant(value: float, *, time: bool = False) -> Quantity:
    """A quantity that is always the same.

    Examples
    --------
    >>> constant(2.0).mean()
    2.0
    """
    return Quantity("constant", (("value", float(value)),), time=time)


def parse_number(text: str) -> float:
    """Read a finite decimal number.

    Examples
    --------
    >>> parse_number("1.5")
    1.5
    >>> parse_number("nan")
    Traceback (most recent call last):
    ...
    ValueError: 'nan' is not a number. Write digits with a decimal point, such as 12.5.
    """
    stripped = text.strip()
    value = float(stripped) if _NUMBER.fullmatch(stripped) else math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"'{excerpt(text)}' is not a number. Write digits with a decimal point, such as 12.5."
        )
    return value


def parse_quantity(text: str, time: bool, read: Reader | None = None) -> Quantity:
    """Read a number, a duration or a distribution.

    Parameters
    ----------
    text
        Such as ``12``, ``2d``, ``exponential(mean=2h)`` or ``discrete(1:.5, 2:.5)``.
    time
        Whether the quantity is a time: its values then need a unit.
    read
        How the lines of a file named in ``empirical(FILE)`` and ``series(FILE)`` are found.

    Raises
    ------
    ValueError
        If the text cannot be read, or no such quantity can exist.

    Examples
    --------
    >>> parse_quantity("poisson(rate=0.4/d)", time=True).mean()
    60.0
    >>> parse_quantity("geometric(p=.04, step=1d)", time=True).mean()
    600.0
    >>> parse_quantity("uniform(6d, 2d)", time=True)
    Traceback (most recent call last):
    ...
    ValueError: 'uniform(6d, 2d)' is impossible: low 6d is above high 2d.
    """
    body = text.strip()
    call = _CALL.fullmatch(body)
    if call is None:
        return constant(_read(body, time), time=time)
    kind, arguments = call[1].lower(), call[2]
    if kind not in KINDS:
        raise ValueError(
            f"'{excerpt(body)}' is not a random quantity. Choose one of {', '.join(KINDS)}."
        )
    try:
        if KINDS[kind]:
            quantity = _from_parameters(kind, arguments, time)
        else:
            quantity = _from_values(kind, arguments, time, read)
    except ValueError as problem:
        raise ValueError(f"'{excerpt(body)}' cannot be read: {problem}") from None
    problems = quantity.problems()
    if problems:
        raise ValueError(f"'{excerpt(body)}' is impossible: {'; '.join(problems)}.")
    return quantity


def _from_parameters(kind: str, arguments: str, time: bool) -> Quantity:
    """A family with parameters, brought to its one normal form."""
    given = _arguments(kind, arguments, time)
    if kind == "poisson" and time:
        if "rate" not in given:
            raise ValueError("a Poisson time has a rate, such as poisson(rate=0.4/d).")
        kind = "exponential"
    mean = given.get("mean", 0.0)
    if "rate" in given:
        if given["rate"] <= 0:
            raise ValueError(f"rate {_format_number(given['rate'])} must be above 0.")
        mean = given["mean"] = 1 / given.pop("rate")
    if "scv" in given:
        if given["scv"] < 0:
            raise ValueError(f"scv {_format_number(given['scv'])} must not be negative.")
        given["sd"] = mean * math.sqrt(given.pop("scv"))
    if kind == "geometric":
        given.setdefault("step", 1.0)
    wanted = KINDS[kind]
    missing = [name for name in wanted if name not in given]
    if missing:
        raise ValueError(f"{kind} needs {' and '.join(missing)}, as in {_example(kind, time)}.")
    return Quantity(kind, tuple((name, given[name]) for name in wanted), time=time)


def _arguments(kind: str, arguments: str, time: bool) -> dict[str, float]:
    """The parameters of a call by name; those without a name take the order of `KINDS`."""
    allowed = _allowed(kind, time)
    given: dict[str, float] = {}
    for place, part in enumerate(arguments.split(",") if arguments.strip() else ()):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            if place >= len(KINDS[kind]):
                raise ValueError(f"{kind} takes {len(KINDS[kind])}: {', '.join(KINDS[kind])}.")
            name, value = KINDS[kind][place], name
        if name not in allowed:
            raise ValueError(f"{kind} has no '{excerpt(name)}', only {', '.join(allowed)}.")
        if name in given:
            raise ValueError(f"{name} is given twice.")
        reader = _read_rate if name == "rate" else _read
        given[name] = reader(value, time and name not in _PURE)
    for first, second in (("mean", "rate"), ("sd", "scv")):
        if first in given and second in given:
            raise ValueError(f"give {first} or {second}, not both.")
    return given


def _allowed(kind: str, time: bool) -> tuple[str, ...]:
    """The names that a call of this kind may use."""
    wanted = KINDS[kind]
    rated = "mean" in wanted and kind not in ("normal", "ar1") and (kind != "poisson" or time)
    return wanted + ("rate",) * rated + ("scv",) * ("sd" in wanted)


def _from_values(kind: str, arguments: str, time: bool, read: Reader | None) -> Quantity:
    """``discrete``, ``empirical`` or ``series``: values in the cell or in a file."""
    parts = [part.strip() for part in arguments.split(",")]
    if kind == "discrete":
        pairs = [part.rpartition(":") for part in parts]
        if not all(colon for _, colon, _ in pairs):
            raise ValueError("write values and weights such as discrete(1:.5, 2:.5).")
        values = tuple(_read(value, time) for value, _, _ in pairs)
        weights = tuple(parse_number(weight) for _, _, weight in pairs)
        return Quantity(kind, (), values, _normalised(weights), time)
    if len(parts) == 1 and not _is_value(parts[0]):
        return Quantity(kind, (), _file_values(parts[0], time, read), time=time)
    return Quantity(kind, (), tuple(_read(part, time) for part in parts), time=time)


def _file_values(name: str, time: bool, read: Reader | None) -> tuple[float, ...]:
    """One value a line; a first line that is no value is a heading."""
    if not name or read is None:
        raise ValueError(
            f"no file '{excerpt(name)}' can be read here. List the values, such as (1, 2, 3)."
        )
    lines = [line for line in (line.strip() for line in read(name)) if line]
    if lines and not _is_value(lines[0]):
        lines = lines[1:]
    if not lines:
        raise ValueError(f"file '{excerpt(name)}' holds no values. Write one a line.")
    values: list[float] = []
    for line in lines:
        try:
            values.append(_read(line, time))
        except ValueError as problem:
            raise ValueError(f"file '{excerpt(name)}': {problem}") from None
    return tuple(values)


def _normalised(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Weights that add up to exactly one; rounding of up to 2 % is forgiven."""
    total = math.fsum(weights)
    if min(weights) < 0:
        raise ValueError("a weight is negative.")
    if abs(total - 1) > 0.02:
        raise ValueError(f"the weights add up to {total:g}. Make them add up to 1.")
    if abs(total - 1) < 1e-12:
        return weights
    return tuple(weight / total for weight in weights)


def _is_value(text: str) -> bool:
    """Whether a text starts like a number, so that it is no file name or heading."""
    return bool(re.match(r"[+-]?\.?[0-9]", text)) and "/" not in text and not text.endswith(".csv")


def _read(text: str, time: bool) -> float:
    return parse_duration(text) if time else parse_number(text)


def _read_rate(text: str, time: bool) -> float:
    """A rate such as ``1.5/y`` in events an hour; of a plain number for what is no time."""
    count, slash, unit = (piece.strip() for piece in text.partition("/"))
    if not time:
        return parse_number(text)
    if not slash or unit not in HOURS_IN:
        raise ValueError(f"'{excerpt(text)}' is not a rate. Write it such as 1.5/y or 0.4/d.")
    return parse_number(count) / HOURS_IN[unit]


def _format_number(value: float) -> str:
    """A number without a needless ``.0`` that reads back to the same float."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _example(kind: str, time: bool) -> str:
    """A call of this kind that can be read."""
    plain = {"shape": "1.5", "k": "2", "p": ".04", "phi": ".5"}
    sizes = {"low": 2, "mode": 3, "high": 6, "mean": 5, "sd": 2, "scale": 4, "step": 1, "value": 5}
    unit = "d" if time else ""
    parts = (f"{name}={plain.get(name) or f'{sizes[name]}{unit}'}" for name in KINDS[kind])
    return f"{kind}({', '.join(parts)})"


def _moments(quantity: Quantity) -> tuple[float, float]:
    """Mean and standard deviation, in closed form."""
    p = dict(quantity.params)
    match quantity.kind:
        case "constant":
            return p["value"], 0.0
        case "exponential":
            return p["mean"], p["mean"]
        case "poisson":
            return p["mean"], math.sqrt(p["mean"])
        case "uniform":
            return (p["low"] + p["high"]) / 2, (p["high"] - p["low"]) / math.sqrt(12)
        case "triangular":
            a, c, b = p["low"], p["mode"], p["high"]
            square = (a * (a - c) + b * (b - a) + c * (c - b)) / 18
            return (a + b + c) / 3, math.sqrt(max(0.0, square))
        case "erlang":
            return p["mean"], p["mean"] / math.sqrt(p["k"])
        case "geometric":
            return p["step"] / p["p"], p["step"] * math.sqrt(1 - p["p"]) / p["p"]
        case "weibull":
            first = p["scale"] * math.gamma(1 + 1 / p["shape"])
            square = p["scale"] ** 2 * math.gamma(1 + 2 / p["shape"])
            return first, math.sqrt(max(0.0, square - first**2))
        case "discrete" | "empirical" | "series":
            equal = (1 / len(quantity.values),) * len(quantity.values)
            pairs = list(zip(quantity.values, quantity.weights or equal, strict=True))
            first = math.fsum(v * w for v, w in pairs)
            return first, math.sqrt(math.fsum(w * (v - first) ** 2 for v, w in pairs))
        case _:
            return p["mean"], p["sd"]


def _problems(quantity: Quantity) -> list[str]:
    """Every reason why no such quantity exists, in words."""
    kind, p = quantity.kind, dict(quantity.params)
    write = format_duration if quantity.time else _format_number
    if kind not in KINDS or tuple(p) != KINDS[kind] or (not KINDS[kind] and not quantity.values):
        return [f"'{kind}' with parameters {list(p)} is not a random quantity"]
    found: list[str] = []
    if not all(map(math.isfinite, (*p.values(), *quantity.values, *quantity.weights))):
        return ["a value is not finite"]
    if kind not in ("normal", "ar1", "constant"):
        for name in ("mean", "shape", "scale", "k", "p", "step"):
            # A demand may have mean 0: a Poisson count that is always 0.
            if name in p and p[name] <= 0 and not (kind == "poisson" and p[name] == 0):
                shown = (_format_number if name in _PURE else write)(p[name])
                found.append(f"{name} {shown} must be above 0")
    if p.get("sd", 0.0) < 0:
        found.append(f"sd {write(p['sd'])} must not be negative")
    if kind == "weibull" and 0 < p["shape"] < 0.05:
        found.append(f"shape {_format_number(p['shape'])} is below 0.05, too wild to average")
    if p.get("p", 0.0) > 1:
        found.append(f"p {_format_number(p['p'])} must be at most 1")
    if kind == "erlang" and p["k"] != int(p["k"]):
        found.append(f"k {p['k']:g} must be a whole number (use gamma otherwise)")
    if abs(p.get("phi", 0.0)) >= 1:
        found.append(f"phi {_format_number(p['phi'])} must lie between -1 and 1")
    ordered = [name for name in ("low", "mode", "high") if name in p]
    for lower, upper in pairwise(ordered):
        if p[lower] > p[upper]:
            found.append(f"{lower} {write(p[lower])} is above {upper} {write(p[upper])}")
    return found or _out_of_reach(quantity, p)


def _out_of_reach(quantity: Quantity, p: dict[str, float]) -> list[str]:
    """Moments too large for a float, or a time plainly below zero (a normal one is cut at zero)."""
    try:
        finite = all(map(math.isfinite, _moments(quantity)))
    except OverflowError:
        finite = False
    if not finite:
        return ["its mean or sd is too large"]
    is_normal = quantity.kind in ("normal", "ar1")
    values = (p["mean"],) if is_normal else (*quantity.values, p.get("low", p.get("value", 0.0)))
    if not quantity.time or min(values) >= 0:
        return []
    return [f"{'mean ' if is_normal else ''}{format_duration(min(values))} is negative"]
