"""Judge: KPIs, intervals, paired comparison, warm-up, charts and the report."""

from twin.measure.comparison import compare
from twin.measure.kpis import KPIS, Kpi, kpis
from twin.measure.recorded import tally_of
from twin.measure.stopping import enough, more_needed
from twin.measure.truncation import warmup

__all__ = ["KPIS", "Kpi", "compare", "enough", "kpis", "more_needed", "tally_of", "warmup"]
