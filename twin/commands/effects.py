"""Effects in words: money over the horizon, shares in points."""

from __future__ import annotations

from twin.operate.gate import Verdict
from twin.recommendation import BETTER, Effect


def in_words(effect: Effect, currency: str, days: float) -> str:
    """An effect as a sentence: money over the horizon, shares in points.

    Examples
    --------
    >>> in_words(Effect("running_cost", "EUR/d", -12.0, -15.0, -9.0, 0.9, "better", 900.0,
    ...                 (800.0, 990.0)), "EUR", 10.0)
    'saves 120 EUR in 10 days (90 to 150), P(better) 90 %: better'
    """
    chance = f", P(better) {100 * effect.chance:.0f} %" if effect.mean or effect.low else ""
    if effect.unit.endswith("/d"):
        if not (effect.mean or effect.low or effect.high):
            return f"changes nothing in money: {effect.verdict}"
        word = "saves" if effect.mean <= 0.0 else "costs"
        sign = -1.0 if effect.mean <= 0.0 else 1.0
        ends = sorted((sign * effect.low * days, sign * effect.high * days))
        return (f"{word} {_amount(sign * effect.mean * days)} {currency} in {days:g} days "
                f"({_amount(ends[0])} to {_amount(ends[1])}){chance}: {effect.verdict}")
    if not (effect.mean or effect.low or effect.high):
        return ""
    name = {"otif": "OTIF", "fill_rate": "fill rate"}.get(effect.kpi, effect.kpi)
    return (f"{name} {100 * effect.mean:+.2f} points ({100 * effect.low:+.2f} to "
            f"{100 * effect.high:+.2f}), to {100 * effect.expected:.1f} %: {effect.verdict}")


def against(verdict: Verdict, currency: str, days: float) -> str:
    """Money, and what stands against a plan that would save some."""
    money = verdict.effects[0]
    said = [in_words(effect, currency, days) for effect in dict.fromkeys((money, *verdict.harms))]
    if money.verdict == BETTER:
        said += [f"{in_words(effect, currency, days)}, and a loss of more than "
                 f"{100 * (verdict.allowed + verdict.doubt):g} points is not excluded"
                 for effect in verdict.doubts]
    return "; but ".join(said)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:,.3g}"


def format_moment(moment: str) -> str:
    """A moment as people read it: ``2026-01-06 07:00 UTC``."""
    return moment[:16].replace("T", " ") + " UTC"
