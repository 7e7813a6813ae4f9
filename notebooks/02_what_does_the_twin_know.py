# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 What does the twin know?
#
# A real chain does not tell its state. It tells events (an order, a departure, a scan) and signals
# (a temperature, a position). This notebook lives a month of `harbour` in a simulation that stands
# for the real one, listens to what its scanners, systems and sensors say, and asks: what does the
# twin know now, what did it know then, how sure is it, and is that enough to go on from?

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import twin
from twin.commands.arrivals import arrived, foreseen
from twin.commands.state import picture, sensed
from twin.ledger import Ledger
from twin.readings import Reading
from twin.scenario import Scenario
from twin.simulate import play
from twin.store import Store
from twin.witness import readings_of_ledger

network = twin.read_model("harbour")
baseline = Scenario.baseline()
hours = 30.4 * 24.0

# %% [markdown]
# ## A month to listen to
#
# The stand-in writes a ledger; a witness says it as readings. A thermometer in the northern cold
# room and a clerk who counts a shelf speak, too. What was really so at the end is kept aside.

# %%
ledger = Ledger()
truth = play(network, baseline, horizon_h=hours, save_at=hours, seed=11, ledger=ledger).state
start = network.start.timestamp()
readings = list(readings_of_ledger(ledger, network.start, sensor=lambda row: f"wms {row['site']}"))
for number in range(int(hours * 6)):
    hour = number / 6.0
    warm = 9.0 if 700.0 <= hour < 702.5 else 4.0 + 0.5 * (number % 3)
    readings.append(Reading(sensor="thermometer", id=str(number), kind="temperature", value=warm,
                            time=start + hour * 3600.0, asset="north_dc:cold_room"))
counted = truth.actors["shelf south_dc/lemonade"]["on_hand"] - 12.0
readings.append(Reading(sensor="clerk", id="1", kind="count", site="south_dc", product="lemonade",
                        quantity=counted, time=start + (hours - 1.0) * 3600.0))

store = Store(Path(tempfile.mkdtemp()) / "harbour")
store.write(readings)

# %% [markdown]
# ## What is known now
#
# Every fact has an age, a quality, a source and the number of readings behind it.

# %%
now = start + hours * 3600.0
knowledge, state = sensed(store, network, now)
facts = knowledge.frame()
facts[facts["kind"].isin(["stock", "truck"])].drop(columns=["time"]).round(2).head(20)

# %%
figure = picture(knowledge, network)
figure

# %% [markdown]
# ## Seen against booked
#
# The clerk found twelve units less than the systems have booked. What nobody can explain is
# flagged; the state holds what was found, and its record stays wrong by as much.

# %%
pd.DataFrame([{"where": row.site, "product": row.product, "seen": row.seen, "booked": row.booked,
               "units": row.units, "why": row.explanation, "flagged": row.flagged}
              for row in knowledge.differences]).round(2)

# %% [markdown]
# ## Is it right?
#
# Stock by the readings against stock in the world that told them, for every shelf but the one that
# was counted wrong on purpose; and the hours that each machine has worked on its lot.

# %%
compared = pd.DataFrame([
    {"shelf": name[6:], "so": row["on_hand"], "known": state.actors[name]["on_hand"]}
    for name, row in truth.actors.items() if name.startswith("shelf ")])
compared["off"] = (compared["known"] - compared["so"]).round(6)
compared.round(2)

# %% [markdown]
# ## When will each order come?
#
# The twin plays the chain from what is known, twenty times, and tells when each open order has
# come: so waiting for machines, trucks and goods is foreseen. The line is its 80 % interval, the
# dot as likely earlier as later, the cross when it came in the world that told the readings.

# %%
expected = foreseen(knowledge, state, network)
later = Ledger()
play(network, baseline, horizon_h=hours + 30 * 24.0, seed=11, ledger=later)
came = dict(arrived(later, state))
told = [(row["number"], *(expected.value("order", f"order {row['number']}", f"expected in{end}")
                          for end in ("", ", 10 %", ", 90 %")))
        for row in state.orders if row["number"] in came]
fig, axes = plt.subplots(figsize=(8, 0.4 * len(told) + 1))
for place, (number, middle, low, high) in enumerate(told):
    axes.hlines(place, low if low is not None else middle, high if high is not None else middle,
                color="#0072b2", linewidth=3, alpha=0.5)
    axes.plot(middle, place, "o", color="#0072b2")
    axes.plot(came[number], place, "x", color="#d55e00", markeredgewidth=2)
axes.set_yticks(range(len(told)), [f"order {number}" for number, *_ in told])
axes.set_xlabel("hours from now")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## What was known then
#
# The store keeps everything, so any moment can be asked. Here: the stock of juice in the north,
# and the hours that it stood too warm, day by day.

# %%
moments = [start + day * 86_400.0 for day in range(2, 31, 2)]
then = [sensed(store, network, moment)[0] for moment in moments]
level = [known.value("stock", "north_dc/juice", "on hand") for known in then]
warm = [max((fact.value for fact in known.facts if fact.attribute == "hours out of range"),
            default=0.0) for known in then]
fig, (above, below) = plt.subplots(2, 1, figsize=(8, 4.5), sharex=True)
above.step(range(2, 31, 2), level, where="post")
above.set_ylabel("juice on hand, units")
below.bar(range(2, 31, 2), warm, color="#d55e00")
below.set_ylabel("longest too warm, h")
below.set_xlabel("day")
fig.tight_layout()
plt.show()

# %% [markdown]
# ## Going on from it
#
# A run from the sensed state and one from the true state share their luck. If the twin had missed
# something that matters, they would part.

# %%
fortnight = {}
for name, begin in (("from what is known", state), ("from what was so", truth)):
    tally = play(network, baseline, horizon_h=14 * 24.0, seed=5, state=begin).tally
    fortnight[name] = {measure: tally.total(measure) for measure in (
        "units_delivered", "units_shipped", "trips", "units_made", "on_hand_time")}
pd.DataFrame(fortnight).round(1)
