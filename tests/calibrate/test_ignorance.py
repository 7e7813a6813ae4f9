"""Draws from what is not known about a calibration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twin.calibrate import draw
from twin.parameters import Calibration, Parameter
from twin.quantity import parse_quantity

ROWS = (
    Parameter("lanes", "A,B,sea", "transit", value="lognormal(mean=20d, sd=4d)", n="50"),
    Parameter("lanes", "A,C,sea", "transit", value="gamma(mean=20d, sd=4d)",
              spread="0.04 0.0 0.0001", n="50"),
    Parameter("failures", "M,wear", "time_to_failure", value="weibull(shape=2, scale=120h)",
              n="20"),
    Parameter("supply", "S,tea", "fill", value="discrete(1:0.9, 0.5:0.1)", n="40"),
    Parameter("docks", "W,in", "time", value="triangular(low=10min, mode=15min, high=25min)",
              n="9"),
    Parameter("branches", "P,tea,10,scrap", "share", value="0.5", n="10"),
    Parameter("branches", "P,tea,10,20", "share", value="0.5", n="10"),
    Parameter("trucks", "T", "speed_kmh", value="55", n="12", spread="0.0004"),
    Parameter("sites", "W", "record_delay", value="2h", spread="0.01", n="5"),
    Parameter("lanes", "A,D,sea", "transit", value="constant(3d)"),
)
SEEN = Calibration("seen", as_of="2026-03-01", rows=ROWS)


def test_same_luck_same_draw_and_only_values_differ():
    one = draw(SEEN, np.random.default_rng(7))
    assert one == draw(SEEN, np.random.default_rng(7))
    assert one != draw(SEEN, np.random.default_rng(8))
    assert [replace(row, value="") for row in one.rows] == [
        replace(row, value="") for row in ROWS]


def test_a_row_without_evidence_stays():
    assert draw(SEEN, np.random.default_rng(7)).rows[-1] == ROWS[-1]


def test_a_cell_alone_is_drawn_as_among_others():
    cell = ROWS[2].cell
    together = draw(SEEN, np.random.default_rng(3))
    alone = draw(SEEN, np.random.default_rng(3), only={cell})
    for mine, other, before in zip(alone.rows, together.rows, ROWS, strict=True):
        assert mine == (other if mine.cell == cell else before)


@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_draws_spread_as_the_evidence_says(place):
    """The log mean of 400 draws scatters as its standard error: 0.2 over the root of 50."""
    row = ROWS[place]
    rng = np.random.default_rng(1)
    means = np.log([parse_quantity(draw(Calibration("x", rows=(row,)), rng).rows[0].value,
                                   True).mean() for _ in range(400)])
    expected = {0: 0.2 / 50**0.5, 1: 0.2, 2: 0.5227 / 20**0.5, 4: 0.187 / 9**0.5}[place]
    assert np.std(means) == pytest.approx(expected, rel=0.12)


def test_shares_stay_shares():
    for seed in range(200):
        rows = {row.cell: row for row in draw(SEEN, np.random.default_rng(seed)).rows}
        shares = [float(rows[ROWS[place].cell].value) for place in (5, 6)]
        assert min(shares) >= 0.0
        assert sum(shares) <= 1.0
        fill = parse_quantity(rows[ROWS[3].cell].value, False)
        assert fill.values == (1.0, 0.5)
