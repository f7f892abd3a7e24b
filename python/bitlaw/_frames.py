"""Which part of an axis a figure shows, where it has ticks, how a value is written: as the page does it
(web/page/src/draw/numbers.ts and panel.ts), so that a figure is the same here and there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ._looks import BEYOND, BEYOND_QUARTER, MARGIN

Json = dict[str, Any]
Range = tuple[float, float]


def short(value: float, digits: int = 4) -> str:
    """12345678 as "12.35 M": four digits at most."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 2}e}".split("e")
        return f"{float(mantissa):.{digits}g}e{int(exponent)}"
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= 0.99995 * unit:
            return f"{value / unit:.{digits}g} {name}"
    return f"{value + 0.0:.{digits}g}"


def tick_words(ticks: Sequence[float]) -> list[str]:
    """Four digits, more where these would name another number or two ticks alike."""
    def holds(tick: float, digits: int) -> bool:
        return abs(float(f"{tick:.{digits}g}") - tick) <= 1e-9 * abs(tick)

    enough = next((digits for digits in range(4, 10) if all(holds(tick, digits) for tick in ticks)), 9)
    return [short(tick, enough) for tick in ticks]


def _forward(log: bool) -> Callable[[float], float]:
    return math.log if log else lambda value: value


def _back(log: bool) -> Callable[[float], float]:
    return math.exp if log else lambda value: value


def _good(values: Iterable[float], log: bool) -> list[float]:
    return [value for value in values if math.isfinite(value) and (not log or value > 0)]


@dataclass(frozen=True)
class Frame:
    range: Range
    cut: bool = False  # something lies outside


def _quarter(ordered: Sequence[float], which: int) -> float:
    return ordered[math.floor((len(ordered) - 1) * which / 4 + 0.5)]


def frame_of(points: Iterable[float], curves: Iterable[float], log: bool, whole: bool) -> Frame | None:
    """All of `points`, and of `curves` what does not dwarf them; with `whole`, everything."""
    to, back = _forward(log), _back(log)
    must = [to(value) for value in _good(points, log)]
    may = sorted(to(value) for value in _good(curves, log))
    if not must and not may:
        return None
    all_low, all_high = min([*must, *may[:1]]), max([*must, *may[-1:]])
    low, high = all_low, all_high
    if not whole and may:
        spread = _quarter(may, 3) - _quarter(may, 1)
        if must:
            # Of few points, or points that hardly differ, the curves' own middle half says more.
            width = max(max(must) - min(must), 0.5 * spread, 1e-12)
            low = max(low, min(must) - BEYOND * width)
            high = min(high, max(must) + BEYOND * width)
        elif spread > 0:
            low = max(low, _quarter(may, 1) - BEYOND_QUARTER * spread)
            high = min(high, _quarter(may, 3) + BEYOND_QUARTER * spread)
    extra = MARGIN * (high - low) or (0.2 if log else abs(high) * 0.05 or 1.0)
    return Frame((back(low - extra), back(high + extra)), low > all_low or high < all_high)


def with_lines(frame: Frame, lines: Iterable[float], log: bool) -> Frame:
    """With these reference lines, where they are not far away."""
    to, back = _forward(log), _back(log)
    low, high = to(frame.range[0]), to(frame.range[1])
    width = high - low
    near = [line for line in map(to, _good(lines, log)) if low - width < line < high + width]
    return Frame(
        (
            back(min([low, *(line - MARGIN * width for line in near)])),
            back(max([high, *(line + MARGIN * width for line in near)])),
        ),
        frame.cut,
    )


def _powers(low: float, high: float, step: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [float(f"1e{e}") for e in range(first, last + 1) if e % step == 0]


def ticks_of(shown: Range, log: bool, most: int, bits: bool = False) -> list[float]:
    """About `most` round numbers inside; of bits, whole ones in steps of powers of two."""
    low, high = shown
    if not low < high:
        return [low]
    if log:
        for parts in ((1, 2, 3, 5), (1, 2, 5), (1, 3), (1,)):
            out = [float(f"{part * ten:.3g}") for ten in _powers(low, high, 1) for part in parts]
            out = [tick for tick in out if low <= tick <= high]
            if 2 <= len(out) <= most:
                return out
        if math.log10(high / low) > 1:
            step = 2
            while True:
                out = [tick for tick in _powers(low, high, step) if low <= tick <= high]
                if len(out) <= most:
                    return out
                step += 1
    raw = (high - low) / max(2, most)
    ten = 10.0 ** math.floor(math.log10(raw))
    if bits and raw > 0.3:
        size = 2.0 ** math.floor(math.log2(max(1.0, raw)) + 0.5)
    else:
        size = next((part * ten for part in (1, 2, 2.5, 5, 10) if part * ten >= raw * 0.999), raw)
    out, i = [], math.ceil(low / size - 1e-9)
    while i * size <= high + 1e-9 * size:
        out.append(float(f"{i * size:.12g}"))
        i += 1
    return out


def bounds(middles: Iterable[float], log: bool) -> dict[float, Range]:
    """Of cells about their middles: half way to the neighbours, in the scale of the axis."""
    to, back = _forward(log), _back(log)
    ordered = sorted(set(_good(middles, log)))
    last = len(ordered) - 1

    def half(i: int) -> float:
        if last < 1:
            return math.log(2) / 2 if log else 0.5
        return (to(ordered[min(i + 1, last)]) - to(ordered[min(i, last - 1)])) / 2

    return {
        value: (back(to(value) - half(max(i - 1, 0))), back(to(value) + half(i)))
        for i, value in enumerate(ordered)
    }


def _uneven(values: Iterable[float], log: bool) -> list[float] | None:
    to = _forward(log)
    ordered = sorted(set(_good(values, log)))
    gaps = [to(b) - to(a) for a, b in zip(ordered, ordered[1:], strict=False)]
    return ordered if gaps and max(gaps) > 1.3 * min(gaps) else None


def cells_of(panels: Iterable[Json]) -> list[Json]:
    return [cell for panel in panels for cell in panel.get("cells", [])]


@dataclass(frozen=True)
class Scale:
    """An axis. `steps`: where only cells stand, unevenly spaced, they have places 0, 1, 2, ..."""

    log: bool
    steps: list[float] | None

    def at(self, value: float) -> float:
        return value if self.steps is None else float(self.steps.index(value))


def _values(drawing: Json, axis: str) -> Iterable[float]:
    for panel in drawing["panels"]:
        for series in panel.get("series", []):
            for each in [*series.get("points", []), *series.get("curve", [])]:
                yield each[axis]
        for each in [*panel.get("cells", []), *panel.get("lines", [])]:
            if axis in each:
                yield each[axis]


def scale_of(drawing: Json, axis: str) -> Scale:
    """Logarithmic where the drawing asks for that, and some value is positive."""
    log = bool(drawing[axis].get("log")) and any(value > 0 for value in _values(drawing, axis))
    panels = drawing["panels"]
    if any(panel.get("series") or panel.get("lines") for panel in panels):
        return Scale(log, None)
    steps = _uneven((cell[axis] for cell in cells_of(panels)), log)
    return Scale(log and steps is None, steps)


def frames_of(drawing: Json, panels: Sequence[Json], whole: bool) -> tuple[Frame, Frame] | None:
    """Of these panels together: x and y. None where nothing can be shown."""
    scales = {axis: scale_of(drawing, axis) for axis in "xy"}
    log_x, log_y = scales["x"].log, scales["y"].log
    xs: list[float] = []
    ys: list[float] = []
    curve_x: list[float] = []
    curve_y: list[float] = []
    band_y: list[float] = []
    line_y: list[float] = []
    for panel in panels:
        for series in panel.get("series", []):
            for point in series.get("points", []):
                if (log_x and not point["x"] > 0) or (log_y and not point["y"] > 0):
                    continue
                xs.append(point["x"])
                ys.append(point["y"])
                curve_y += [point[end] for end in ("low", "high") if end in point]
            for place in series.get("curve", []):
                curve_x.append(place["x"])
                curve_y.append(place["y"])
                band_y += [*place.get("mean", []), *place.get("run", [])]
        for line in panel.get("lines", []):
            if "x" in line:
                xs.append(line["x"])
            if "y" in line:
                line_y.append(line["y"])
        for axis, values, log in (("x", xs, log_x), ("y", ys, log_y)):
            for low, high in bounds((cell[axis] for cell in panel.get("cells", [])), log).values():
                values += [low, high]
    # Curves go on where the points end; only their height is limited.
    x = frame_of([*xs, *curve_x], [], log_x, True)
    # A band may be wider than all that was measured, where a law only just holds.
    of_y = frame_of(ys, curve_y if ys and not whole else [*curve_y, *band_y], log_y, whole)
    if x is None or of_y is None:
        return None
    y = with_lines(of_y, line_y, log_y)
    if drawing.get("equal"):
        both = (min(x.range[0], y.range[0]), max(x.range[1], y.range[1]))
        return Frame(both, x.cut), Frame(both, y.cut)
    if any(panel.get("cells") for panel in panels):
        return _tight("x", scales["x"], panels, x), _tight("y", scales["y"], panels, y)
    return x, y


def _tight(axis: str, scale: Scale, panels: Sequence[Json], frame: Frame) -> Frame:
    """Cells fill their frame; points may lie beside them."""
    edges = [
        end
        for both in bounds((scale.at(cell[axis]) for cell in cells_of(panels)), scale.log).values()
        for end in both
    ]
    if not edges:
        return frame
    low, high = min(edges), max(edges)
    points = _good(
        (
            point[axis]
            for panel in panels
            for series in panel.get("series", [])
            for point in series.get("points", [])
        ),
        scale.log,
    )
    return frame if any(value < low or value > high for value in points) else Frame((low, high))
