"""Numbers and tables as the page prints them, and the few sums that no verb of bitlaw gives."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

CLEAR = 0.01  # p-value of lack of fit below which a law misses more than noise
NOISE = 2.0  # a difference below so many deviations is noise


def digits(value: float | None, count: int = 3) -> str:
    if value is None or not math.isfinite(value):
        return "none"
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{count - 1}e}"
    text = f"{value:.{count}g}"
    return text if "e" not in text else f"{value:.0f}"


def interval(parameter: dict, count: int = 3) -> str:
    """"0.26 [0.25, 0.27]", or what is not known of it: an end that the rows do not tell is "none"."""
    low = None if parameter.get("low_open") else parameter.get("low")
    high = None if parameter.get("high_open") else parameter.get("high")
    ends = f"[{digits(low, count)}, {digits(high, count)}]"
    if parameter.get("value") is None or parameter.get("identified") is False or (low is None and high is None):
        return f"not identified {ends}"
    return f"{digits(parameter['value'], count)} {ends}"


def short(count: float) -> str:
    """27008 as "27 k"."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= unit * 0.9995:
            return f"{count / unit:.3g} {name}"
    return f"{count:.3g}"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    header = list(header)
    lines = [header, ["---"] * len(header), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean(values: Iterable[float]) -> float:
    values = list(values)
    return sum(values) / len(values)


def setting(row: dict[str, str], *columns: str) -> tuple[str, ...]:
    return tuple(row[column] for column in columns)


# What makes two runs replicates: all that a run is, but its seed.
ALIKE = (
    "N", "D", "format_w", "format_a", "format_kv", "format_q", "granularity_w", "granularity_a",
    "granularity_kv", "extra_norm", "schedule", "batch_tokens",
)  # fmt: skip


def deviation(runs: list[dict[str, str]]) -> tuple[float, int]:
    """Of losses between seeds, nats, and its degrees of freedom."""
    groups = defaultdict(list)
    for row in runs:
        if row["status"] == "finished":
            groups[setting(row, *ALIKE)].append(float(row["loss"]))
    squares, freedom = 0.0, 0
    for losses in groups.values():
        centre = mean(losses)
        squares += sum((loss - centre) ** 2 for loss in losses)
        freedom += len(losses) - 1
    return (math.sqrt(squares / freedom) if freedom else math.nan), freedom


def by_setting(runs: list[dict[str, str]]) -> dict[tuple[str, ...], list[float]]:
    """Losses of the seeds of each setting; runs that diverged are left out."""
    out: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in runs:
        if row["status"] == "finished":
            out[setting(row, *ALIKE)].append(float(row["loss"]))
    return out


# From ten standard errors on bitlaw fits the logarithm of a delta, in units of a tenth.
LOGARITHMIC = 10
UNIT = 0.1
CLEAR_DELTA = 15


def chance_of_f(ratio: float, freedom: int, noise_freedom: int) -> float:
    """The chance of an F of at least `ratio`: the regularized incomplete beta function, by its continued fraction."""
    if not math.isfinite(ratio) or freedom < 1 or noise_freedom < 1:
        return math.nan
    x, a, b = noise_freedom / (noise_freedom + freedom * ratio), noise_freedom / 2, freedom / 2
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_fraction(1 - x, b, a)
    return beta_fraction(x, a, b)


def beta_fraction(x: float, a: float, b: float) -> float:
    """I_x(a, b) for x below (a + 1) / (a + b + 2), by Lentz's method (Numerical Recipes, section 6.4)."""
    if x <= 0:
        return 0.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 1000):
        for term in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d, c = 1 / (1 + term * d), 1 + term / c
            value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return front * value


def lack_of_fit(residuals: dict[tuple, dict[str, list[float]]], constants: int) -> tuple[float, float, float, int, int]:
    """Residuals of settings, run by run, against the spread of the runs of a setting (Draper and Smith, section 2.2).

    Returns the residual and the deviation between runs, F, and its degrees of freedom.
    """
    runs = [[mean(values) for values in setting.values()] for setting in residuals.values()]
    count = sum(map(len, runs))
    squares = sum(value**2 for setting in runs for value in setting)
    pure = sum((value - mean(setting)) ** 2 for setting in runs for value in setting)
    pure_freedom = sum(len(setting) - 1 for setting in runs)
    freedom = count - constants - pure_freedom
    if pure_freedom < 4 or freedom < 1 or pure == 0:
        return math.nan, math.nan, math.nan, freedom, pure_freedom
    ratio = max(0.0, squares - pure) / freedom / (pure / pure_freedom)
    return math.sqrt(squares / (count - constants)), math.sqrt(pure / pure_freedom), ratio, freedom, pure_freedom
