"""Reference cases of detection: R15 (run length of a CUSUM) and K01 (local level of the Nile)."""

from __future__ import annotations

import numpy as np
import pytest

from twin.sense.cusum import Cusum
from twin.sense.kalman import LocalLevel

#: Annual flow of the Nile at Aswan, 1871 to 1970, in 10^8 m3 (Cobb 1978).
NILE = [
    1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020,
    960, 1180, 799, 958, 1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840,
    874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702,
    1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
    781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801,
    1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975, 815,
    1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
]


def run_length(mu: float, rng: np.random.Generator) -> int:
    """How many values until a two-sided CUSUM with k 0.5 and h 5 raises its alarm."""
    cusum = Cusum(allowance=0.5, limit=5.0)
    while True:
        for value in (mu + rng.standard_normal(64)).tolist():
            cusum.update(value)
            if cusum.get().alarm:
                return cusum.seen


@pytest.mark.slow
@pytest.mark.parametrize(("mu", "arl", "tolerance"), [
    (0.0, 465.44350603117175, 27.0),
    (1.0, 10.375969921593542, 0.3),
    (2.0, 4.00887106103109, 0.058),
])
def test_r15_average_run_length_of_a_cusum(mu: float, arl: float, tolerance: float) -> None:
    """Ten times 400 runs, as the reference asks."""
    rng = np.random.default_rng(15)
    lengths = [run_length(mu, rng) for _ in range(4000)]
    assert np.mean(lengths) == pytest.approx(arl, abs=tolerance)


def test_k01_local_level_of_the_nile() -> None:
    level = LocalLevel(noise=15099.0, step=1469.1)
    for flow in NILE:
        level.update(float(flow))
    assert len(NILE) == 100
    assert level.get().loglik == pytest.approx(-632.5456251, abs=0.01)
    assert level.get().mean == pytest.approx(798.3702926, abs=0.01)
