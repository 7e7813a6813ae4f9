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
# # 01 What if demand doubles?
#
# `harbour` is a small juice company: two suppliers, one plant, two warehouses, four trucks, five
# customers. Suppose every customer orders twice as much for two months. What breaks first, how
# much does it cost, and what helps?

# %%
import matplotlib.pyplot as plt

import twin
from twin.scenario import Scenario

network = twin.read_model("harbour")
network

# %% [markdown]
# ## Double it
#
# A scenario is a name and a few events. This one multiplies the rate of all orders by two, from
# day 30 for 60 days. Baseline and scenario share their luck, so that their difference is the
# doubling and nothing else.

# %%
doubled = Scenario(
    name="doubled",
    events={"doubled": {"type": "demand", "factor": 2, "start": "30d", "duration": "60d"}},
)
result = twin.run(network, scenarios=[doubled], horizon="120d", replications=8, seed=1)
columns = ["kpi", "unit", "mean", "difference", "difference_low", "difference_high", "verdict"]
headline = result.headline
headline.loc[headline["scenario"] == "doubled", columns].round(3)

# %% [markdown]
# ## Where does it hurt?
#
# Fill rate by place and product, baseline against doubled:

# %%
kpis = result.kpis
by_place = kpis[(kpis["kpi"] == "fill_rate") & (kpis["place"] != "") & (kpis["product"] != "")]
table = by_place.pivot_table(index=["place", "product"], columns="scenario", values="mean")
table[["baseline", "doubled"]].sort_values("doubled").round(2)

# %% [markdown]
# And how busy are the machines? Utilisation close to one is where a queue grows.

# %%
busy = kpis[(kpis["kpi"] == "utilisation") & kpis["place"].isin(network.machines)]
busy.pivot_table(index="place", columns="scenario", values="mean")[["baseline", "doubled"]].round(2)

# %% [markdown]
# ## How high may it go?
#
# The same event with other factors; one run, one table, the same luck.

# %%
factors = (1.2, 1.4, 1.6, 1.8, 2.0)
steps = {
    f"x {factor:g}": Scenario(
        name=f"times_{factor:g}".replace(".", "_"),
        events={"more": {"type": "demand", "factor": factor, "start": "30d", "duration": "60d"}},
    )
    for factor in factors
}
sweep = twin.run(network, scenarios=steps, horizon="120d", replications=8, seed=1)
rows = sweep.headline
rows = rows[(rows["kpi"] == "fill_rate") & (rows["scenario"] != "baseline")]

fig, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.errorbar(
    factors,
    rows["mean"],
    yerr=[rows["mean"] - rows["low"], rows["high"] - rows["mean"]],
    marker="o",
    capsize=3,
)
axes.set(xlabel="demand, times the usual", ylabel="fill rate", ylim=(0, 1))
axes.set_title("Harbour, two months of it")
plt.show()

# %% [markdown]
# ## What helps?
#
# More stock from the first day, or one more truck of every kind while it lasts?

# %%
from twin.workspace import Workspace

workspace = Workspace()
responses = {
    "doubled": doubled,
    "with more stock": doubled + workspace.scenario("higher_reorder_points"),
    "with more trucks": doubled + workspace.scenario("extra_trucks"),
}
answer = twin.run(network, scenarios=responses, horizon="120d", replications=8, seed=1)
rows = answer.headline
rows[rows["kpi"].isin(["fill_rate", "total_cost"])].pivot_table(
    index="scenario", columns="kpi", values="mean", sort=False
).round(2)

# %% [markdown]
# Each of these numbers has an interval; `answer.headline` holds them, and the guide *Can I trust
# the number?* says what they mean.
