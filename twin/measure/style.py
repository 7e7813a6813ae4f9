"""One look for every picture: light, printable, and safe for colour-blind readers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK, MUTED, FAINT, GRID, PAPER = "#1c2733", "#5d6b78", "#a9b4be", "#e3e8ec", "#ffffff"
SEA = "#f3f7fa"
BASELINE = "#6b7884"

#: Okabe and Ito's colours, in an order whose neighbours differ in lightness as well.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#e69f00", "#56b4e9", "#8a5a2b", "#332288")

#: A verdict has a colour, a marker and a sign, so that none of them stands alone.
VERDICTS: dict[str, tuple[str, str, str]] = {
    "better": ("#0072b2", "o", "\u25b2"),
    "worse": ("#c44e00", "s", "\u25bc"),
    "no effect shown": ("#87939e", "D", "\u25cb"),
    "higher": ("#4b5965", "^", "\u2191"),
    "lower": ("#4b5965", "v", "\u2193"),
}

#: Colour and marker of each kind of site.
KINDS: dict[str, tuple[str, str]] = {
    "supplier": ("#009e73", "^"), "plant": ("#aa4499", "s"), "warehouse": ("#0072b2", "D"),
    "port": ("#56b4e9", "p"), "customer": ("#d55e00", "o"),
}

_RC: Any = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK, "text.parse_math": False,
    "axes.edgecolor": FAINT, "axes.labelcolor": MUTED, "axes.linewidth": 0.8,
    "axes.facecolor": PAPER, "axes.axisbelow": True, "axes.grid": True, "grid.color": GRID,
    "grid.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "xtick.color": MUTED, "ytick.color": MUTED, "xtick.major.size": 0, "ytick.major.size": 0,
    "legend.frameon": False, "figure.facecolor": PAPER, "savefig.facecolor": PAPER,
    "axes.unicode_minus": True, "lines.solid_capstyle": "round",
}


@contextmanager
def styled() -> Iterator[None]:
    """The look, for the length of a drawing; names in scripts that the font lacks pass quietly."""
    with mpl.rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def figure(width: float, height: float) -> Figure:
    """An empty picture, in inches, outside of pyplot's global state."""
    made = Figure(figsize=(width, height), layout=None)
    FigureCanvasAgg(made)
    return made


def headline(made: Figure, finding: str, detail: str = "") -> float:
    """Write the finding over the picture; gives the height, as a share, left for the rest."""
    width, height = made.get_figwidth(), made.get_figheight()
    made.set_label(finding)
    lines = wrap(finding, int(width * 9.2))
    step = 0.25 / height
    top = 1.0 - 0.14 / height
    for i, line in enumerate(lines):
        made.text(0.16 / width, top - i * step, line, fontsize=13, fontweight="bold", va="top",
                  color=INK)
    top -= len(lines) * step + 0.02 / height
    for i, line in enumerate(wrap(detail, int(width * 13))):
        made.text(0.16 / width, top - i * 0.18 / height, line, fontsize=9.5, va="top",
                  color=MUTED)
    return top - (len(wrap(detail, int(width * 13))) * 0.18 + 0.1) / height


def wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of about so many characters."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def plain(axes: Axes, grid: str = "y") -> None:
    """Grid lines one way only, and no frame on the other side."""
    axes.grid(visible=False)
    axes.grid(visible=True, axis=grid)  # type: ignore[arg-type]
    axes.spines["left" if grid == "x" else "bottom"].set_visible(grid == "y")
    axes.spines["left"].set_visible(False)


def map_sheet(axes: Axes) -> None:
    """A plain sheet to draw places on: sea-coloured, framed, without ticks."""
    axes.set_facecolor(SEA)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(True)
        side.set_color(GRID)
    axes.set_xticks([])
    axes.set_yticks([])


def clean(name: object, most: int = 34) -> str:
    """A name as it may be drawn: one line, printable, not too long."""
    text = "".join(ch if ch.isprintable() else " " for ch in str(name))
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def title_of(name: str) -> str:
    """A name of code as words: `port_closure` reads Port closure.

    Examples
    --------
    >>> title_of("port_closure"), title_of("demand_spike events.demand_spike.factor=1.5")
    ('Port closure', 'Demand spike, factor=1.5')
    """
    head, *rest = clean(name, 120).split(" ")
    words = head.replace("_", " ").replace("+", " + ")
    return ", ".join([words[:1].upper() + words[1:], *map(_after_path, rest)])


def _after_path(pair: str) -> str:
    """`events.demand_spike.factor=1.5` without where the key lies."""
    key, equals, value = pair.partition("=")
    return (key.rpartition(".")[2] if key.startswith("events.") else key) + equals + value


def number(value: float, unit: str = "") -> str:
    """A number as a reader wants it: three figures, shares as per cent.

    Examples
    --------
    >>> number(0.9731, "share"), number(1234567.0, "EUR/d"), number(0.01234), number(42.0)
    ('97.3 %', '1.23 M', '0.0123', '42.0')
    """
    if value != value:
        return "\u2013"
    if unit == "share":
        return f"{100 * value:.1f} %".replace("-", "\u2212")
    size = abs(value)
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if size >= bound * (1 - 5e-4):
            scaled = value / (1e3 if letter == "k" else bound)
            return f"{_three(scaled)} {letter}".replace("-", "\u2212")
    return _three(value).replace("-", "\u2212")


def tick(value: float, _: object = None) -> str:
    """A number on an axis, without idle zeros.

    Examples
    --------
    >>> tick(12000.0), tick(7.5), tick(-2000000.0), tick(800.0)
    ('12 k', '7.5', '−2 M', '800')
    """
    size = abs(value)
    for bound, factor, letter in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if size >= bound:
            return f"{value / factor:.4g}{letter}".replace("-", "\u2212")
    return f"{value:,.6g}".replace("-", "\u2212")


def _three(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 999.5:
        return f"{value:,.0f}"
    if size >= 99.95:
        return f"{value:.0f}"
    if size >= 9.995:
        return f"{value:.1f}"
    if size >= 0.9995:
        return f"{value:.2f}"
    return f"{value:.3g}" if size >= 1e-3 else f"{value:.1g}"
