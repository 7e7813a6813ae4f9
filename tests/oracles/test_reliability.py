"""Reference cases of reliability: R18 (two pumps of three)."""

from __future__ import annotations

import pytest

from tests.oracles.job_shop import job_shop, means


@pytest.mark.slow
def test_r18_two_of_three_with_one_crew() -> None:
    network = job_shop(
        {"A": [("pump", "1h")]}, units=3, group={"needed": 2}, crews=[{"crew": "fitters"}],
        failures=[{"asset": "pump", "time_to_failure": "exponential(mean=1000h)",
                   "clock": "elapsed", "time_to_repair": "exponential(mean=50h)",
                   "crew": "fitters"}])
    [up] = means(network, 2_000_000.0,
                 [lambda t: t.total("group_up_time") / t.total("group_clock_time")])
    assert up == pytest.approx(0.9864893845164059, abs=0.0015)
