# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 What should we do now?
#
# A plan starts from what is going on at this moment. This notebook plans the juice company
# `harbour` from a state: which machine works on which lot, which truck calls where, what to order.
# Then it plays each plan against today's policies, on the same luck, and asks: does it help?

# %%
import matplotlib.pyplot as plt
import pandas as pd

import twin
from twin.commands.planning import open_hours, played_leads
from twin.commands.replay import document, replay
from twin.measure.gantt import gantt, progress
from twin.measure.route_map import route_map, route_times
from twin.optimize.allocation import allocate
from twin.optimize.route_plan import plan_routes
from twin.optimize.schedule import plan_of, promises, solve
from twin.optimize.schedule_work import GOALS
from twin.optimize.workload import workload
from twin.scenario import Scenario
from twin.simulate import play

network = twin.read_model("harbour")
state = play(network, Scenario.baseline(), horizon_h=network.warmup, save_at=network.warmup).state
hours = open_hours(network)

# %% [markdown]
# ## Which machine works on which lot when?
#
# Started work is frozen; shifts, set-ups, crews and services are kept. The search begins with the
# best dispatch rule, and proves how good it is where it can.

# %%
work = workload(network, state, ahead=7 * 24.0, hours=hours, goal=GOALS["tardiness"])
solved = solve(work, seconds=5)
schedule = plan_of(solved, network.name, state.clock_h)
gantt(schedule)

# %%
progress(schedule)

# %%
told = pd.DataFrame(promises(solved, state.clock_h), columns=["lot", "done", "due"])
told["late_h"] = (told["done"] - told["due"]).clip(lower=0.0)
told.round(1).head(12)

# %% [markdown]
# ## Which truck calls where?
#
# Goods that wait become stops. Trucks on the road go on from where they are.

# %%
routes = plan_routes(network, state, hours=hours, seconds=5)
route_map(routes, network)

# %%
route_times(routes)

# %% [markdown]
# ## What to order, move and hurry?
#
# How long goods take, waiting included, is played first. Then the cheapest flow over the next weeks
# becomes orders. What limits it has a price.

# %%
leads = played_leads(network, state, seed=1)
flows = allocate(network, state, leads=leads)
pd.DataFrame([{"day": round(one.when / 24.0, 1), "what": one.verb, "product": one.product,
               "at": one.site, "from": one.source, "units": round(one.quantity)}
              for one in flows.orders])

# %%
pd.DataFrame([{"limit": reason.subject, "price": reason.price}
              for reason in flows.answer.reasons if reason.price]).round(2)

# %% [markdown]
# ## Does it help?
#
# Eight pairs of a fortnight are enough to see a large effect, not a small one; thirty are played by
# `twin optimize`. Intervals of one plan hold together at 95 %.

# %%
shown = []
for name, plan in (("schedule", schedule), ("routes", routes), ("flows", flows)):
    rows = replay(network, plan, state, horizon_h=14 * 24.0, count=8, seed=1)
    shown += [{"plan": name, **row} for row in document(rows)]
shown = pd.DataFrame(shown)
shown.query("kpi in ['running_cost', 'otif', 'fill_rate']").round(4)

# %%
money = shown.query("kpi == 'running_cost'")
fig, axes = plt.subplots(figsize=(7, 2.4))
axes.errorbar(money["change"], money["plan"], fmt="o", capsize=4,
              xerr=[money["change"] - money["low"], money["high"] - money["change"]])
axes.axvline(0.0, color="#8796a5", linewidth=1)
axes.set_xlabel("change of the running cost, EUR a day, with its interval")
fig.tight_layout()
plt.show()

# %% [markdown]
# What is *worse* here is worse: a plan on paper knows mean times only, and the simulation has luck.
# That is why every plan is played before anybody acts on it.
