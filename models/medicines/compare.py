"""Hold the twin of `medicines` against the shipment lines: what was fitted and what came later.

    python models/medicines/compare.py [--replications 20] [--write]

Plays the baseline, a year to fill up and a year that counts, and prints the table that `README.md`
ends with; `--write` puts it there. The data's side comes from `evidence/evidence.csv`.
"""

import argparse
import csv
import math
from pathlib import Path
from statistics import fmean, stdev

from scipy import stats

from twin.network import Network, read_network
from twin.scenario import Scenario
from twin.simulate.play import play
from twin.tally import Tally

FOLDER = Path(__file__).parent
YEAR_H = 365 * 24.0
HEADING = "## The data and the twin"
#: The measures that a comparison is made of, summed over customers.
MEASURES = ("orders", "orders_delivered", "orders_on_time", "cycle_time", "cycle_time_squared",
            "lateness")
#: figure in the evidence -> its name in the table
ROWS = {
    "lead_time_mean": "lead time, mean (d)",
    "lead_time_sd": "lead time, sd (d)",
    "on_time_share": "on-time share",
    "lateness_past_schedule": "days past schedule, all lines",
    "orders_a_year": "orders a year",
}


def group_of(site: str) -> str:
    """The channel and mode of a customer.

    Examples
    --------
    >>> group_of("ZM-centre-road"), group_of("ZA-sea"), group_of("clinic_kitwe")
    ('rdc road', 'direct sea', '')
    """
    parts = site.split("-")
    if len(parts) < 2:
        return ""
    return f"rdc {parts[2]}" if parts[1] == "centre" else f"direct {parts[1]}"


def sums(tally: Tally) -> dict[str, dict[str, float]]:
    """Measures by channel, and by channel and mode."""
    found: dict[str, dict[str, float]] = {}
    for (measure, site, _, _), value in tally.sums.items():
        group = group_of(site) if measure in MEASURES else ""
        for name in (group, group.split(" ")[0]) if group else ():
            into = found.setdefault(name, dict.fromkeys(MEASURES, 0.0))
            into[measure] += value
    return found


def figures(total: dict[str, float]) -> dict[str, float]:
    """The compared figures of one group in one replication, days and shares."""
    count = total["orders_delivered"] or math.nan
    mean = total["cycle_time"] / count
    return {
        "lead_time_mean": mean / 24,
        "lead_time_sd": math.sqrt(max(0.0, total["cycle_time_squared"] / count - mean**2)) / 24,
        "on_time_share": total["orders_on_time"] / count,
        "lateness_past_schedule": total["lateness"] / count / 24,
        "orders_a_year": total["orders"],
    }


def played(network: Network, replications: int) -> dict[tuple[str, str], list[float]]:
    """Each figure of each group in every replication."""
    scenario = Scenario(name="baseline", title="Baseline", means="As it is.")
    found: dict[tuple[str, str], list[float]] = {}
    for replication in range(replications):
        run = play(network, scenario, horizon_h=2 * YEAR_H, warmup_h=YEAR_H,
                   replication=replication)
        for group, total in sums(run.tally).items():
            for figure, value in figures(total).items():
                if not math.isnan(value):
                    found.setdefault((figure, group), []).append(value)
    return found


def table(twin: dict[tuple[str, str], list[float]]) -> list[str]:
    """The comparison, in Markdown."""
    with (FOLDER / "evidence" / "evidence.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["figure"] in ROWS]
    lines = ["| quantity | group | data, fitted (n) | data, 2012 (n) | twin |",
             "|---|---|---|---|---|"]
    for figure, name in ROWS.items():
        for row in rows:
            values = twin.get((figure, row["group"]), [])
            if row["figure"] != figure or len(values) < 2:
                continue
            half = stats.t.ppf(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))
            digits = 3 if figure == "on_time_share" else 1
            data = (
                f"{float(row[side]):.{digits}f} ({row[f'{side}_count']})" if row[side] else "none"
                for side in ("fit", "later"))
            mine = f"{fmean(values):.{digits}f} ± {half:.{digits}f}"
            lines.append(f"| {name} | {row['group']} | {' | '.join(data)} | {mine} |")
    return lines


def main() -> None:
    """Print the table, or put it at the end of the README."""
    parser = argparse.ArgumentParser(description="Compare `medicines` with its shipment lines.")
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    asked = parser.parse_args()
    network = read_network(FOLDER.with_suffix(".yaml"))
    lines = table(played(network, asked.replications))
    print("\n".join(lines))
    if asked.write:
        page = FOLDER / "README.md"
        before, _, after = page.read_text(encoding="utf-8").partition(f"{HEADING}\n")
        kept = after.partition("\n| quantity")[0].rstrip()
        note = f"\nTwin: {asked.replications} replications, 95 % intervals of the mean.\n"
        text = f"{before}{HEADING}\n{kept}\n\n" + "\n".join(lines) + "\n" + note
        page.write_text(text.replace(f"{HEADING}\n\n\n", f"{HEADING}\n\n"), encoding="utf-8")


if __name__ == "__main__":
    main()
