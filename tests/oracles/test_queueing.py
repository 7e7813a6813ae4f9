"""Reference cases of queues, machines and lines, said in tables as in SCHEMA.md section 3.

Each is the mean of 10 replications of the stated length, of which the first tenth is dropped, and
must lie within four standard errors of the exact value (values and tolerances: the open cases
Q01-Q40; Q30, Q36 and Q38 are about trucks and lanes). Times are in the unit of the case, one hour
of the model standing for it, unless a duration says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import fmean

import pytest

from tests.oracles.job_shop import BASELINE, job_shop, means, per_lot, wait
from twin.network import Demand, Network
from twin.simulate.play import play
from twin.tally import Tally

pytestmark = pytest.mark.slow


def poisson(rate: float, **columns: object) -> Demand:
    """A stream of single units at the shop, `rate` an hour."""
    given: dict[str, object] = {"product": "A", **columns}
    return Demand(site="shop", interarrival=f"exponential(mean={1 / rate!r}h)", **given)


def single(process_time: str, rate: float, **tables: object) -> Network:
    """One product, one work centre, one machine."""
    return job_shop({"A": [("M", process_time)]}, demand=[poisson(rate)], **tables)


def queue_length(tally: Tally) -> float:
    return tally.total("queue_length_time") / tally.hours


def utilisation(tally: Tally) -> float:
    return tally.total("busy_time") / tally.total("machine_clock_time")


def availability(tally: Tally) -> float:
    return 1.0 - tally.total("down_time") / tally.total("machine_clock_time")


def throughput(tally: Tally) -> float:
    return tally.total("lots_finished") / tally.hours


def cycle_time(tally: Tally) -> float:
    return tally.total("make_time") / tally.total("lots_finished")


def te(tally: Tally) -> float:
    """Mean effective process time."""
    return tally.total("process_time") / tally.total("jobs_processed")


def ce2(tally: Tally) -> float:
    """Squared coefficient of variation of the effective process time."""
    squares = tally.total("process_time_squared") / tally.total("jobs_processed")
    return squares / te(tally) ** 2 - 1.0


def check(network: Network, hours: float, *expected: tuple[Callable[[Tally], float], float, float],
          ) -> None:
    """Play ten replications and compare each reading with its value and tolerance."""
    found = means(network, hours, [reading for reading, _, _ in expected])
    for value, (reading, exact, tolerance) in zip(found, expected, strict=True):
        assert value == pytest.approx(exact, abs=tolerance), reading.__name__


def test_q01_poisson_arrivals_exponential_service() -> None:
    check(single("exponential(mean=1h)", 0.8), 50_000 / 0.8,
          (wait, 4.0, 0.27), (queue_length, 3.2, 0.21), (utilisation, 0.8, 0.01))


def test_q03_three_machines() -> None:
    network = single("exponential(mean=20min)", 6.0, units=3)
    check(network, 50_000 / 6,
          (lambda t: t.total("jobs_delayed") / t.total("jobs_queued"), 0.44444444444444453, 0.02),
          (queue_length, 0.8888888888888891, 0.043), (wait, 0.14814814814814817, 0.0072))


def test_q05_lognormal_service() -> None:
    network = single("lognormal(mean=15min, scv=.5)", 3.0)  # .05 a minute
    check(network, 50_000 / 3, (lambda t: 60 * wait(t), 33.75, 1.8))


def test_q07_constant_service() -> None:
    check(single("1h", 0.9), 50_000 / 0.9, (wait, 4.5, 0.42))


def test_q09_timetabled_arrivals() -> None:
    arrivals = Demand(site="shop", product="A", interarrival="1.25h")
    network = job_shop({"A": [("M", "exponential(mean=1h)")]}, demand=[arrivals])
    check(network, 50_000 * 1.25, (wait, 1.6927308399200491, 0.095),
          (lambda t: t.total("jobs_delayed") / t.total("jobs_queued"), 0.6286297964969676, 0.01))


def test_q11_arrivals_turned_away_at_the_cap() -> None:
    network = job_shop({"A": [("M", "exponential(mean=1h)")]}, wip_cap=5,
                       demand=[poisson(0.9, unmet="lost")])
    check(network, 50_000 / 0.9,
          (lambda t: t.total("orders_lost") / t.total("orders"), 0.12602254998836862, 0.0031),
          (wait, 1.790285951503016, 0.022))


def test_q13_two_priorities() -> None:
    network = job_shop({"A": [("M", "exponential(mean=1h)")]}, group={"dispatch": "priority"},
                       demand=[poisson(0.3, stream="rush", priority=1),
                               poisson(0.4, stream="plain", priority=2)])
    check(network, 50_000 / 0.7,
          (lambda t: wait(t, stream="rush"), 1.0, 0.021),
          (lambda t: wait(t, stream="plain"), 3.3333333333333326, 0.16))


def test_preemptive_priorities() -> None:
    """The sibling of Q13: the rush stream does not notice the other (M/M/1 at .3), and the whole
    wait of the plain one is (1 / (1 - .3)) (1 + (.3 + .4) / (1 - .7)) - 1."""
    network = job_shop({"A": [("M", "exponential(mean=1h)")]},
                       group={"dispatch": "priority", "preempt": True},
                       demand=[poisson(0.3, stream="rush", priority=1),
                               poisson(0.4, stream="plain", priority=2)])
    plain = (1.0 + 0.7 / 0.3) / 0.7 - 1.0
    check(network, 50_000 / 0.7,
          (lambda t: wait(t, stream="rush"), 0.3 / 0.7, 0.021),
          (lambda t: wait(t, stream="plain"), plain, 0.18))


def breaking(mttf: str, mttr: str, rate: float, clock: str = "operating") -> Network:
    """The machine of Hopp and Spearman's chapter 8: gamma times of 15 minutes, SCV .05."""
    return single("gamma(mean=15min, scv=.05)", rate, failures=[
        {"asset": "M", "time_to_failure": f"exponential(mean={mttf})", "clock": clock,
         "time_to_repair": f"exponential(mean={mttr})"}])


@pytest.mark.parametrize(("mttf", "mttr", "scv", "hours", "tolerance"), [
    ("744min", "248min", 6.25, 27.79166666666669, (0.35, 0.45)),
    ("114min", "38min", 1.0, 7.666666666666674, (0.12, 0.025)),
], ids=["hare", "tortoise"])
def test_q15_breakdowns_in_the_effective_process_time(
        mttf: str, mttr: str, scv: float, hours: float, tolerance: tuple[float, float]) -> None:
    """Hare and tortoise have the same te; the rare long repairs spread it. CTq by VUT."""
    check(breaking(mttf, mttr, 2.0), 25_000, (lambda t: 60 * te(t), 20.0, tolerance[0]),
          (ce2, scv, tolerance[1]))
    load = 2.875 * 20 / 60
    assert (1 + scv) / 2 * load / (1 - load) * 20 / 60 == pytest.approx(hours, abs=1e-6)


def test_q16_failures_by_working_time() -> None:
    check(breaking("114min", "38min", 2.4), 40_000 / 2.4,
          (lambda t: 60 * wait(t), 80.0, 7.0), (lambda t: 60 * te(t), 20.0, 0.1),
          (ce2, 1.0, 0.024))


def test_q18_failures_at_any_time() -> None:
    network = single("exponential(mean=1h)", 0.5, failures=[
        {"asset": "M", "time_to_failure": "exponential(rate=.05/h)", "clock": "elapsed",
         "time_to_repair": "exponential(rate=.2/h)"}])
    check(network, 60_000, (lambda t: t.total("wip_time") / t.hours, 3.0, 0.14),
          (availability, 0.8, 0.0047))


def test_q20_network_with_rework() -> None:
    """Product A enters at 1, B at 2; a tenth of what leaves 3 goes back to 1."""
    times = {"1": "exponential(mean=1h)", "2": f"exponential(mean={1 / 0.9!r}h)",
             "3": f"exponential(mean={1 / 1.3!r}h)"}
    network = job_shop(
        {"A": [(g, times[g]) for g in "123"], "B": [(g, times[g]) for g in "231"]},
        branches=[{"product": "A", "step": 1, "next": "3", "share": 0.4},
                  {"product": "A", "step": 3, "next": "1", "share": 0.1},
                  {"product": "B", "step": 2, "next": "done", "share": 0.9},
                  {"product": "B", "step": 3, "next": "1", "share": 0.6},
                  {"product": "B", "step": 3, "next": "2", "share": 0.4}],
        demand=[poisson(0.5), poisson(0.2, product="B")])

    def wip(number: str) -> Callable[[Tally], float]:
        return lambda t: t.total("group_wip_time", place=f"shop/{number}") / t.hours

    def rate(number: str) -> Callable[[Tally], float]:
        return lambda t: t.total("jobs_processed", place=f"shop/{number}") / t.hours

    check(network, 30_000, (wip("1"), 1.3684210526315788, 0.059),
          (wip("2"), 1.5471698113207546, 0.075), (wip("3"), 1.4893617021276588, 0.053),
          (cycle_time, 6.292789380114275, 0.16), (rate("1"), 0.577777778, 0.01),
          (rate("2"), 0.546666667, 0.01), (rate("3"), 0.777777778, 0.012))


def test_q22_machine_repairman() -> None:
    network = job_shop({"A": [("M", "1h")]}, units=10, crews=[{"crew": "repairman"}], failures=[
        {"asset": "M", "time_to_failure": "exponential(mean=100h)", "clock": "elapsed",
         "time_to_repair": "exponential(mean=8h)", "crew": "repairman"}])
    check(network, 200_000, (availability, 0.8475607223527815, 0.0031),
          (lambda t: t.total("repair_wait") / t.total("failures"), 9.98564676570376, 0.26),
          (lambda t: t.total("failures") / t.hours, 0.08475607223527815, 0.00072))


@pytest.mark.parametrize(("buffer", "rate", "tolerance"), [
    (0, 0.5641025641025641, 0.0043), (1, 0.6704661583208866, 0.0045)])
def test_q24_saturated_line_blocks_after_service(buffer: int, rate: float,
                                                 tolerance: float) -> None:
    groups = [{"group": "1", "buffer": 0}] + [{"group": g, "buffer": buffer} for g in "23"]
    network = job_shop({"A": [(g, "exponential(mean=1h)") for g in "123"]}, groups=groups,
                       saturated=True)
    check(network, 30_000, (throughput, rate, tolerance))


def test_q26_unreliable_line_of_two() -> None:
    """Cycles of one hour; ten places between the machines, one of them in the second machine."""
    network = job_shop(
        {"A": [("1", "1h"), ("2", "1h")]}, saturated=True,
        groups=[{"group": "1", "buffer": 0, "blocking": "before"}, {"group": "2", "buffer": 9}],
        failures=[{"asset": asset, "time_to_failure": "geometric(p=.01, step=1h)",
                   "time_to_repair": "geometric(p=.1, step=1h)"} for asset in "12"])
    check(network, 100_000, (throughput, 0.8561749307052666, 0.007),
          (lambda t: t.total("group_wip_time", place="shop/2") / t.hours, 5.0, 0.19))


def test_q26_a_machine_alone() -> None:
    network = job_shop(
        {"A": [("1", "1h")]}, saturated=True, groups=[{"group": "1", "buffer": 0}],
        failures=[{"asset": "1", "time_to_failure": "geometric(p=.01, step=1h)",
                   "time_to_repair": "geometric(p=.1, step=1h)"}])
    check(network, 100_000, (throughput, 0.9090909090909092, 0.004))


def test_q28_constant_work_in_process() -> None:
    network = job_shop({"A": [(g, "exponential(mean=2h)") for g in "1234"]}, wip_cap=10,
                       saturated=True)
    check(network, 40_000, (throughput, 0.38461538461538464, 0.0031), (cycle_time, 26.0, 0.21))


def test_q32_set_ups_in_turn() -> None:
    network = job_shop({"A": [("M", "exponential(mean=1h)")], "B": [("M", "exponential(mean=1h)")]},
                       setup_time="30min", group={"dispatch": "wheel"},
                       demand=[poisson(0.3), poisson(0.3, product="B")])
    check(network, 60_000, (wait, 2.3749999999999996, 0.086))


def test_q34_assembly_of_two_parts() -> None:
    network = job_shop(
        {"P": [(None, "0h")], "A": [("1", "exponential(mean=1h)")],
         "B": [("2", "exponential(mean=1h)")]},
        bom=[{"product": "P", "component": "A"}, {"product": "P", "component": "B"}],
        demand=[poisson(0.5, product="P")])
    check(network, 80_000,
          (lambda t: t.total("cycle_time") / t.total("orders_delivered"), 2.875, 0.045))


@pytest.mark.parametrize(("units", "mean", "delay", "tolerance"), [
    (1, ".9min", 4.134184602984627, 0.078), (2, "1.8min", 3.70002016241856, 0.076)])
def test_q40_the_first_hundred(units: int, mean: str, delay: float, tolerance: float) -> None:
    """Ten sets of 2,000 short runs from empty."""
    network = job_shop({"A": [("M", f"exponential(mean={mean})")]}, units=units,
                       demand=[Demand(site="shop", product="A", limit=100,
                                      interarrival="exponential(mean=1min)")])
    found = [per_lot(play(network, BASELINE, horizon_h=12.0, replication=number).tally)
             for number in range(20_000)]
    assert 60 * fmean(found) == pytest.approx(delay, abs=tolerance)
    assert 60 * fmean(found) != pytest.approx(0.9**2 / 0.1, abs=1 / sqrt(100))  # not steady yet
