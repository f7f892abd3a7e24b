"""From a figure as data (src/science/report/drawing.h) to matplotlib: marks, frames, colours and words are
those of the report's page. Sizes are in its pixels, of 1/96 inch, and grow with rcParams["font.size"].
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LogNorm, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.ticker import Formatter, Locator, NullLocator
from matplotlib.transforms import ScaledTranslation

from . import _looks
from ._ask import Error, article
from ._frames import Frame, Scale, bounds, cells_of, frames_of, scale_of, short, tick_words, ticks_of

Json = dict[str, Any]

_WIDTH = 800  # of a figure, with its margins: the page's own file
_MARGIN, _GAP = 20, 20
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 16, 24, 40  # of a panel, about its axes
_LEAST_PANEL = 230
_LINE = 1.42  # of text, in font sizes
_MANY_POINTS = 250
_MANY_CELLS = 400

# What a drawing may have, by the name of its part. Anything else must not be left out without a word.
_KNOWN: dict[str, set[str]] = {
    "drawing": {"id", "group", "title", "says", "x", "y", "value", "equal", "whole", "panels"},
    "axis": {"label", "log", "ticks"},
    "panel": {"title", "series", "lines", "contours", "cells"},
    "series": {"name", "bits", "points", "curve", "dashed", "range"},
    "point": {"x", "y", "low", "high", "run", "about", "flagged"},
    "place": {"x", "y", "mean", "run"},
    "line": {"x", "y", "diagonal", "label"},
    "cell": {"x", "y", "value", "about"},
    "contour": {"label", "lines"},
}


def _check(drawing: Json) -> None:
    def known(part: str, entries: Iterable[Mapping[str, Any]]) -> None:
        for entry in entries:
            for key in entry:
                if key not in _KNOWN[part]:
                    raise Error(
                        f"the figure {drawing.get('id')} has '{key}' in a {part}, which this version of bitlaw "
                        "cannot draw; `pip install -U bitlaw`"
                    )

    known("drawing", [drawing])
    known("axis", [drawing[axis] for axis in ("x", "y", "value") if axis in drawing])
    known("panel", drawing["panels"])
    for panel in drawing["panels"]:
        for name, part in (("series", "series"), ("lines", "line"), ("contours", "contour"), ("cells", "cell")):
            known(part, panel.get(name, []))
        for series in panel.get("series", []):
            known("point", series.get("points", []))
            known("place", series.get("curve", []))


class LawFigure(Figure):
    """A matplotlib figure that a notebook shows whether or not pyplot is in use; pyplot does not hold it."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        out = io.BytesIO()
        dpi = self.get_dpi()
        self.savefig(out, format="png", dpi=2 * dpi)
        width, height = self.get_size_inches()
        return out.getvalue(), {"width": round(width * dpi), "height": round(height * dpi)}


# ---- looks --------------------------------------------------------------------------------------------------


class _Look:
    """How all series of one name look."""

    def __init__(self, colour: str, shape: int, members: Sequence[Json]) -> None:
        self.colour = colour
        corners = _looks.SHAPES[shape % len(_looks.SHAPES)]
        self.marker: str | Path = "o"
        self.reach = 1.0  # of the shape, in radii
        if corners:
            turned = [(x, -y) for x, y in corners]
            self.marker = Path([*turned, turned[0]], closed=True)
            self.reach = max(abs(end) for corner in corners for end in corner)
        points = [point for each in members for point in each.get("points", [])]
        self.has_curve = any(len(each.get("curve", [])) > 1 for each in members)
        self.dashed = any(each.get("dashed") for each in members)
        self.range = all(each.get("range") for each in members)
        all_flagged = bool(points) and all("flagged" in point for point in points)
        self.hollow = all_flagged or all(each.get("dashed") and not each.get("points") for each in members)


def _mixed(low: str, high: str, share: float) -> str:
    ends = zip(to_rgb(low), to_rgb(high), strict=True)
    mixed = [math.floor(255 * (a * (1 - share) + b * share) + 0.5) for a, b in ends]
    return "#" + "".join(f"{part:02x}" for part in mixed)


class _Style:
    """Colours on this paper, and sizes."""

    def __init__(self, paper: Any) -> None:
        self.paper = to_rgb(paper if paper not in ("none", None) else "white")
        red, green, blue = self.paper
        self.tone = 0 if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else 1
        self.ink, self.quiet = _looks.INK[self.tone], _looks.QUIET[self.tone]
        self.grid, self.line = _looks.GRID[self.tone], _looks.LINE[self.tone]
        self.scale = float(mpl.rcParams["font.size"]) / 10

    def pt(self, pixels: float) -> float:
        return 0.75 * pixels * self.scale

    def inches(self, pixels: float) -> float:
        return pixels * self.scale / 96

    def of_bits(self, bits: float) -> str:
        if bits >= _looks.INK_BITS:
            return self.ink
        widest = math.log(_looks.MOST_BITS / _looks.FEWEST_BITS)
        share = min(1.0, math.log(max(bits, _looks.FEWEST_BITS) / _looks.FEWEST_BITS) / widest)
        step = math.floor(share * (_looks.STEPS - 1) + 0.5)
        place = step / (_looks.STEPS - 1) * (len(_looks.RAMP) - 1)
        below = min(len(_looks.RAMP) - 2, math.floor(place))
        low, high = (_looks.RAMP[i][self.tone] for i in (below, below + 1))
        return _mixed(low, high, place - below)

    def looks(self, drawing: Json) -> dict[str, _Look]:
        """By name, as the legend lists them: by bits where all have bits, otherwise as they come."""
        members: dict[str, list[Json]] = {}
        for panel in drawing["panels"]:
            for series in panel.get("series", []):
                members.setdefault(series["name"], []).append(series)
        names = list(members)
        if all("bits" in members[name][0] for name in names):
            names.sort(key=lambda name: float(members[name][0]["bits"]))
        out: dict[str, _Look] = {}
        order = 0
        for shape, name in enumerate(names):
            first = members[name][0]
            if "bits" in first:
                colour = self.of_bits(first["bits"])
            else:
                colour = _looks.BY_ORDER[order % len(_looks.BY_ORDER)][self.tone]
                order += 1
            out[name] = _Look(colour, shape, members[name])
        return out


def _handle(look: _Look, style: _Style) -> Line2D | Patch:
    """What a legend's entry shows: line, point or both."""
    if look.range:
        return Patch(facecolor=look.colour, alpha=0.3, linewidth=0)
    return Line2D(
        [], [], color=look.colour, linestyle=_dashes(look.dashed) if look.has_curve else "none",
        linewidth=style.pt(1.8), marker=look.marker, markersize=style.pt(2 * 3.8 * look.reach),
        markeredgewidth=style.pt(1.2), markeredgecolor=look.colour,
        markerfacecolor=style.paper if look.hollow else look.colour,
    )


def _dashes(dashed: bool) -> Any:
    return (0, (5 / 1.7, 4 / 1.7)) if dashed else "solid"


def key_of(drawing: Json, cut: bool) -> str:
    """What the marks mean that a legend of series does not say."""
    series = [each for panel in drawing["panels"] for each in panel.get("series", [])]
    points = [point for each in series for point in each.get("points", [])]
    places = [place for each in series if not each.get("range") for place in each.get("curve", [])]
    said = [
        ("bars: intervals", any("low" in point for point in points)),
        ("hollow: does not count", any("flagged" in point for point in points)),
        ("dark band: interval of the mean", any("mean" in place for place in places)),
        ("light band: of one run", any("run" in place for place in places)),
        ("band: range of the series", any(each.get("range") for each in series)),
        ("dashed: published", any(each.get("dashed") for each in series)),
        ("curves or bars leave the frame", cut),
    ]
    return "; ".join(words for words, holds in said if holds)


# ---- words --------------------------------------------------------------------------------------------------


class _Writer:
    """Measures and breaks text, in the page's pixels."""

    def __init__(self, renderer: RendererAgg, dpi: float, style: _Style) -> None:
        self.renderer, self.style = renderer, style
        self.pixels = 96 / dpi / style.scale

    def width(self, text: str, size: float, weight: str | int = "normal") -> float:
        font = FontProperties(size=self.style.pt(size), weight=weight)
        found: float = self.renderer.get_text_width_height_descent(text, font, False)[0]  # type: ignore[no-untyped-call]
        return found * self.pixels

    def lines(self, text: str, size: float, most: float, weight: str | int = "normal") -> list[str]:
        out: list[str] = []
        space = self.width("n n", size, weight) - self.width("nn", size, weight)
        used = 0.0
        for word in text.split():
            wide = self.width(word, size, weight)
            if out and used + space + wide <= most:
                out[-1] += f" {word}"
                used += space + wide
            else:
                out.append(word)
                used = wide
        return out


def _words(size: float, style: _Style, colour: str | None = None) -> dict[str, Any]:
    return {"fontsize": style.pt(size), "color": colour or style.quiet, "parse_math": False}


# ---- axes ---------------------------------------------------------------------------------------------------


class _Ticks(Locator):
    """As many round numbers as there is room for, also after zooming."""

    def __init__(self, side: str, scale: Scale, axis: Json, style: _Style) -> None:
        self.side, self.scale, self.style = side, scale, style
        self.wanted: list[float] = axis.get("ticks", [])
        self.bits = "bits" in axis["label"].replace(",", " ").split()

    def __call__(self) -> list[float]:
        low, high = sorted(self.axis.get_view_interval())  # type: ignore[union-attr]
        return self.tick_values(low, high)

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        box = self.axis.axes.bbox  # type: ignore[union-attr]
        dpi = self.axis.get_figure(root=True).dpi  # type: ignore[union-attr]
        pixels = 96 / dpi / self.style.scale
        room = (box.width * pixels + _RIGHT) / 58 if self.side == "x" else box.height * pixels / 30
        most = max(3, math.floor(room))
        if self.scale.steps is not None:
            count = len(self.scale.steps)
            return [float(i) for i in range(0, count, math.ceil(count / (2 * most)))]
        wanted = [tick for tick in self.wanted if vmin <= tick <= vmax]
        if 1 < len(wanted) <= 2 * most:
            return wanted
        return ticks_of((vmin, vmax), self.scale.log, most, self.bits)


class _TickWords(Formatter):
    def __init__(self, steps: list[float] | None) -> None:
        self.steps = steps

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.format_ticks([x])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        if self.steps is None:
            return tick_words(values)
        last = len(self.steps) - 1
        return tick_words([self.steps[min(last, max(0, round(value)))] for value in values])


def _set_axis(axes: Axes, side: str, scale: Scale, said: Json, style: _Style) -> None:
    axis: Axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_major_locator(_Ticks(side, scale, said, style))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(_TickWords(scale.steps))


def _offset(axes: Axes, style: _Style, x: float, y: float) -> ScaledTranslation:
    return ScaledTranslation(style.inches(x), style.inches(y), axes.get_figure(root=True).dpi_scale_trans)  # type: ignore[union-attr]


def _dress(axes: Axes, style: _Style, cells: bool) -> None:
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom") and not cells)
        spine.set_color(style.line)
        spine.set_linewidth(style.pt(1))
    axes.tick_params(
        which="major", length=style.pt(4), width=style.pt(1), color=style.line, labelcolor=style.quiet,
        labelsize=style.pt(11), pad=style.pt(3), left=True, bottom=True, right=False, top=False,
        direction="out", grid_color=style.grid, grid_linewidth=style.pt(1), grid_linestyle="-", grid_alpha=1,
    )
    axes.set_axisbelow(True)
    axes.grid(not cells)


def _draw_panel(
    axes: Axes, drawing: Json, panel: Json, looks: Mapping[str, _Look], frames: tuple[Frame, Frame], style: _Style
) -> None:
    scales = {axis: scale_of(drawing, axis) for axis in "xy"}
    cells = panel.get("cells", [])
    axes.set_xscale("log" if scales["x"].log else "linear")
    axes.set_yscale("log" if scales["y"].log else "linear")
    _dress(axes, style, bool(cells))
    axes.set_autoscale_on(False)
    axes.set_xlim(*frames[0].range)
    axes.set_ylim(*frames[1].range)
    for side in "xy":
        _set_axis(axes, side, scales[side], drawing[side], style)
    if cells:
        _draw_cells(axes, drawing, panel, scales, style)
    _draw_contours(axes, panel, frames[1].range, scales["y"].log, style)
    _draw_lines(axes, panel, frames, style)
    _draw_series(axes, panel, looks, frames[1].range, scales, style, bool(cells))


# ---- series -------------------------------------------------------------------------------------------------


def _draw_series(
    axes: Axes, panel: Json, looks: Mapping[str, _Look], y_range: tuple[float, float], scales: Mapping[str, Scale],
    style: _Style, on_cells: bool,
) -> None:
    low, high = y_range
    log_x, log_y = scales["x"].log, scales["y"].log
    # What is far outside ends far outside: a path of 1e200 pixels is none.
    wide = min(high / low, 1e8) ** 12 if log_y else 300 * (high - low)
    limits = (low / wide, high * wide) if log_y else (low - wide, high + wide)

    def held(values: Iterable[float]) -> list[float]:
        return [min(limits[1], max(limits[0], value)) for value in values]

    def shown(places: Iterable[Json]) -> list[Json]:
        return [each for each in places if (not log_x or each["x"] > 0) and (not log_y or each["y"] > 0)]

    all_series = panel.get("series", [])
    many = sum(len(each.get("points", [])) for each in all_series) > _MANY_POINTS
    radius = 5.5 if on_cells else 2.3 if many else 3.4
    banded = sum(any("mean" in each or "run" in each for each in series.get("curve", [])) for series in all_series)
    rim = withStroke(linewidth=style.pt(4.5), foreground="white")
    for series in all_series:
        look = looks[series["name"]]
        points = shown(series.get("points", []))
        curve = sorted(shown(series.get("curve", [])), key=lambda place: float(place["x"]))
        for key, opacity in (("run", 0.13), ("mean", 0.26)):
            band = [place for place in curve if key in place]
            if len(band) > 1:
                axes.fill_between(
                    [place["x"] for place in band], held(place[key][0] for place in band),
                    held(place[key][1] for place in band), facecolor=look.colour,
                    alpha=opacity / banded**0.75, linewidth=0, zorder=2, gid=f"{key} of {series['name']}",
                )
        is_range = bool(series.get("range"))
        if len(curve) > 1 and not is_range:
            dashed = bool(series.get("dashed"))
            (line,) = axes.plot(
                [place["x"] for place in curve], held(place["y"] for place in curve), color=look.colour,
                linewidth=style.pt(1.7), linestyle=_dashes(dashed), alpha=0.8 if dashed else 1, marker="none",
                zorder=3, gid=f"curve of {series['name']}",
            )
            if on_cells:
                line.set_path_effects([rim])
        # A curve without points wears its series' shape at its end.
        if not series.get("points") and curve and not is_range:
            _mark(axes, curve[-1:], look, 3.2, style, gid=f"end of {series['name']}", zorder=6,
                  hollow=bool(series.get("dashed")))
        barred = [point for point in points if "low" in point and "high" in point]
        if barred:
            axes.vlines(
                [point["x"] for point in barred], held(point["low"] for point in barred),
                held(point["high"] for point in barred), colors=look.colour, linewidth=style.pt(1.2),
                alpha=0.4 if many else 0.75, zorder=4, gid=f"bars of {series['name']}",
            )
        counted = [point for point in points if "flagged" not in point]
        if on_cells:
            _mark(axes, counted, look, radius, style, edge="white", width=1.6, gid=f"points of {series['name']}")
        else:
            _mark(axes, counted, look, radius, style, alpha=0.55 if many else 0.9, width=0 if many else 0.6,
                  gid=f"points of {series['name']}")
        _mark(axes, [point for point in points if "flagged" in point], look, radius, style, hollow=True, width=1.3,
              gid=f"flagged points of {series['name']}")


def _mark(
    axes: Axes, places: Sequence[Json], look: _Look, radius: float, style: _Style, *, hollow: bool = False,
    alpha: float = 1, width: float = 1, edge: str | None = None, gid: str = "", zorder: float = 6,
) -> None:
    if places:
        axes.plot(
            [place["x"] for place in places], [place["y"] for place in places], linestyle="none",
            marker=look.marker, markersize=style.pt(2 * radius * look.reach),
            markerfacecolor=style.paper if hollow else look.colour, markeredgecolor=edge or look.colour,
            markeredgewidth=style.pt(width), alpha=alpha, zorder=zorder, gid=gid,
        )


# ---- lines, contours and cells ------------------------------------------------------------------------------


def _draw_lines(axes: Axes, panel: Json, frames: tuple[Frame, Frame], style: _Style) -> None:
    (x0, x1), (y0, y1) = frames[0].range, frames[1].range
    stroke: dict[str, Any] = {
        "color": style.line, "linewidth": style.pt(1.2), "linestyle": (0, (2 / 1.2, 3 / 1.2)), "marker": "none",
        "zorder": 2.5,
    }
    words: dict[str, Any] = _words(11, style) | {
        "zorder": 7, "path_effects": [withStroke(linewidth=style.pt(3), foreground=style.paper)],
        "annotation_clip": True, "textcoords": "offset points",
    }
    upright = 0
    for line in panel.get("lines", []):
        label = line.get("label", "")
        if line.get("diagonal"):
            ends = [max(x0, y0), min(x1, y1)]
            if ends[0] < ends[1]:
                axes.plot(ends, ends, gid="diagonal", **stroke)
        if "x" in line:
            axes.axvline(line["x"], gid="line at x", **stroke)
            if label:
                place = axes.transData.transform((line["x"], y0))[0]
                left = axes.transAxes.inverted().transform((place, 0))[0] > 0.6
                # Beside each other, the names stand on steps.
                axes.annotate(
                    label, (line["x"], 1), xycoords=("data", "axes fraction"), va="center",
                    xytext=(style.pt(-4 if left else 4), -style.pt(8 + 13 * (upright % 4))),
                    ha="right" if left else "left", **words,
                )
                upright += 1
        if "y" in line:
            axes.axhline(line["y"], gid="line at y", **stroke)
            if label and y0 <= line["y"] <= y1:
                axes.annotate(
                    label, (1, line["y"]), xycoords=("axes fraction", "data"), ha="right", va="center",
                    xytext=(style.pt(-2), style.pt(7)), **words,
                )


def _draw_contours(axes: Axes, panel: Json, y_range: tuple[float, float], log: bool, style: _Style) -> None:
    """Thin lines on white ones, legible on every colour; the name stands where a line is highest in the frame."""
    low, high = y_range

    def share(y: float) -> float:
        return math.log(y / low) / math.log(high / low) if log else (y - low) / (high - low)

    for contour in panel.get("contours", []):
        for line in contour["lines"]:
            axes.plot(
                [x for x, _ in line], [y for _, y in line], color="black", linewidth=style.pt(0.9), zorder=2.6,
                gid=f"contour {contour['label']}",
                path_effects=[withStroke(linewidth=style.pt(2.4), foreground="white", alpha=0.55)],
            )
        places = [(x, y) for line in contour["lines"] for x, y in line if 0.08 < share(y) < 0.86]
        if places:
            axes.annotate(
                contour["label"], max(places, key=lambda place: float(place[1])), ha="center", va="center", zorder=7,
                path_effects=[withStroke(linewidth=style.pt(3), foreground="white")],
                **_words(11, style, "black"),
            )


def _cell_scale(drawing: Json) -> tuple[Normalize, str] | None:
    """The colours of cells: one scale for all panels."""
    values = [cell["value"] for cell in cells_of(drawing["panels"])]
    if not values:
        return None
    low, high = min(values), max(values)
    if low < 0 < high:
        return Normalize(-max(-low, high), max(-low, high)), "PuOr_r"
    if drawing.get("value", {}).get("log") and low > 0:
        return LogNorm(low, high if high > low else 2 * low), "viridis_r"
    return Normalize(low, high if high > low else low + 1), "viridis_r"


def _draw_cells(axes: Axes, drawing: Json, panel: Json, scales: Mapping[str, Scale], style: _Style) -> None:
    found = _cell_scale(drawing)
    if not found:
        return
    norm, colours = found
    cells = panel["cells"]
    places = [(scales["x"].at(cell["x"]), scales["y"].at(cell["y"])) for cell in cells]
    xs = bounds((x for x, _ in places), scales["x"].log)
    ys = bounds((y for _, y in places), scales["y"].log)
    boxes = [
        [(xs[x][0], ys[y][0]), (xs[x][1], ys[y][0]), (xs[x][1], ys[y][1]), (xs[x][0], ys[y][1])] for x, y in places
    ]
    surface = len(cells) > _MANY_CELLS
    values = np.array([cell["value"] for cell in cells], dtype=float)
    boxes_drawn = PolyCollection(
        boxes, array=values, cmap=colours, norm=norm, zorder=1, gid="cells", antialiased=not surface,
        edgecolors="face" if surface else style.paper, linewidths=style.pt(0.1 if surface else 1),
    )
    axes.add_collection(boxes_drawn, autolim=False)
    # The number itself, where there is room.
    box = axes.bbox
    pixels = 96 / axes.get_figure(root=True).dpi / style.scale  # type: ignore[union-attr]
    if box.width * pixels / len(xs) > 38 and box.height * pixels / len(ys) > 16:
        for (x, y), value in zip(places, values, strict=True):
            red, green, blue, _ = boxes_drawn.cmap(norm(value))
            bright = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.42
            axes.text(x, y, short(value, 3), ha="center", va="center", zorder=7, clip_on=True,
                      **_words(10, style, "#111111" if bright else "#ffffff"))


# ---- a figure -----------------------------------------------------------------------------------------------


def _panels_of(drawing: Json, panel: int | str | None) -> list[Json]:
    panels: list[Json] = drawing["panels"]
    if panel is None:
        return panels
    titles = [each.get("title", "") for each in panels]
    if isinstance(panel, str) and panel in titles:
        return [panels[titles.index(panel)]]
    if isinstance(panel, int) and -len(panels) <= panel < len(panels):
        return [panels[panel]]
    named = [title for title in titles if title]
    there = f"it has {', '.join(map(repr, named))}" if named else f"its panels are 0 to {len(panels) - 1}"
    raise Error(f"{drawing['id']} has no panel {panel!r}; {there if panels else 'it has none'}")


def _frames_of(drawing: Json, panels: Sequence[Json], whole: bool, own: bool) -> list[tuple[Frame, Frame]]:
    """Of each panel: one for all, or each its own. Empty where nothing can be shown."""
    whole = whole or bool(drawing.get("whole"))
    found = [frames_of(drawing, [each] if own else drawing["panels"], whole) for each in panels]
    return [each for each in found if each is not None]


def draw_into(
    drawing: Json, axes: Axes | Sequence[Axes], *, panel: int | str | None, legend: bool, whole: bool, own: bool
) -> list[Axes]:
    """Into axes of the caller's, one for each panel."""
    _check(drawing)
    panels = _panels_of(drawing, panel)
    places: list[Axes] = [axes] if isinstance(axes, Axes) else list(np.ravel(np.asarray(axes, dtype=object)))
    for place in places:
        if not isinstance(place, Axes):
            raise Error(f"ax: {article(place)} is no matplotlib Axes; give one for each panel")
    if not panels:
        raise Error(f"{drawing['title']}: {drawing['says']}")
    if len(places) != len(panels):
        titles = ", ".join(repr(each.get("title", "")) for each in panels)
        raise Error(
            f"{drawing['id']} has {len(panels)} panels and ax has {len(places)} axes; give as many, or one panel: "
            f"panel={titles}" if len(panels) > 1 else f"{drawing['id']} has one panel; give one ax"
        )
    style = _Style(places[0].get_facecolor())
    looks = style.looks(drawing)
    all_frames = _frames_of(drawing, panels, whole, own)
    for place, each, frames in zip(places, panels, all_frames, strict=True):
        _draw_panel(place, drawing, each, looks, frames, style)
        place.set_xlabel(drawing["x"]["label"], **_words(12, style))
        place.set_ylabel(drawing["y"]["label"], **_words(12, style))
        title = each.get("title") or (drawing["title"] if len(drawing["panels"]) == 1 else "")
        place.set_title(title, **_words(13, style, style.ink), fontweight="bold")
    names = [name for name in looks if any(name == s["name"] for each in panels for s in each.get("series", []))]
    if legend and names:
        box = places[0].legend([_handle(looks[name], style) for name in names], names, fontsize=style.pt(11),
                                  frameon=True, framealpha=0.85, edgecolor="none", facecolor=style.paper)
        _plain(box, style)
    found = _cell_scale(drawing)
    if found and any(each.get("cells") for each in panels):
        bar = places[-1].get_figure().colorbar(  # type: ignore[union-attr]
            next(each for each in places[-1].collections if each.get_gid() == "cells"), ax=places)
        _dress_bar(bar.ax, drawing, style, "y")
        bar.ax.set_ylabel(drawing["value"]["label"], **_words(12, style))
    return places


def _plain(legend: Legend, style: _Style) -> None:
    for text in legend.get_texts():
        text.set_parse_math(False)
        text.set_color(style.ink)


def _dress_bar(axes: Axes, drawing: Json, style: _Style, side: str) -> None:
    log = (axes.get_xscale() if side == "x" else axes.get_yscale()) == "log"
    _set_axis(axes, side, Scale(log, None), drawing.get("value", {"label": ""}), style)
    axes.tick_params(which="major", length=style.pt(4), width=style.pt(1), color=style.line,
                     labelcolor=style.quiet, labelsize=style.pt(11))
    for spine in axes.spines.values():
        spine.set_visible(False)


class _Sheet:
    """A figure that is filled from the top, in the page's pixels."""

    def __init__(self, width: float | None, style: _Style) -> None:
        self.style = style
        self.width = width * 96 / style.scale if width else float(_WIDTH)
        self.figure = LawFigure(figsize=(style.inches(self.width), style.inches(self.width)))
        canvas = FigureCanvasAgg(self.figure)
        renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
        self.writer = _Writer(renderer, self.figure.dpi, style)
        self.y = float(_MARGIN)
        self.placed: list[tuple[Text | Axes, float, float, float, float]] = []

    @property
    def inner(self) -> float:
        return self.width - 2 * _MARGIN

    def words(self, text: str, size: float, colour: str, weight: str = "normal") -> None:
        lines = self.writer.lines(text, size, self.inner, weight)
        if lines:
            drawn = self.figure.text(0, 0, "\n".join(lines), va="top", ha="left", linespacing=_LINE / 1.045,
                                     fontweight=weight, **_words(size, self.style, colour))
            height = len(lines) * size * _LINE
            self.placed.append((drawn, _MARGIN, self.y, 0, 0))
            self.y += height + 3

    def legend(self, looks: Mapping[str, _Look]) -> None:
        """In rows, as many beside each other as there is room for."""
        names = list(looks)
        if not names:
            return
        style = self.style
        widths = [36 + self.writer.width(name, 12) for name in names]
        columns = len(names)
        while columns > 1 and sum(
            max(widths[i::columns]) + 12 for i in range(columns)
        ) > self.inner:
            columns -= 1
        rows = math.ceil(len(names) / columns)
        # matplotlib fills columns; readers read rows.
        order = [row * columns + column for column in range(columns) for row in range(rows)
                 if row * columns + column < len(names)]
        size = style.pt(12)
        legend = self.figure.legend(
            [_handle(looks[names[i]], style) for i in order], [names[i] for i in order], loc="upper left",
            bbox_to_anchor=(0, 0), ncols=columns, frameon=False, fontsize=size, borderpad=0, borderaxespad=0,
            handlelength=style.pt(22) / size, handletextpad=style.pt(6) / size, columnspacing=style.pt(12) / size,
            labelspacing=0.35,
        )
        _plain(legend, style)
        self.legend_at, self.legend_drawn = self.y, legend
        self.y += rows * 12 * 1.55 + 4

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        made = self.figure.add_axes((0, 0, 1, 1))
        made.set_facecolor("none")
        self.placed.append((made, left, top, width, height))
        return made

    def done(self) -> LawFigure:
        """Everything at its place, now that the height is known."""
        height = self.y + _MARGIN / 2
        style = self.style
        self.figure.set_size_inches(style.inches(self.width), style.inches(height))
        for what, left, top, width, tall in self.placed:
            if isinstance(what, Text):
                what.set_position((left / self.width, 1 - top / height))
            else:
                what.set_position((left / self.width, 1 - (top + tall) / height, width / self.width, tall / height))
        if hasattr(self, "legend_drawn"):
            self.legend_drawn.set_bbox_to_anchor((_MARGIN / self.width, 1 - self.legend_at / height),
                                                 transform=self.figure.transFigure)
        return self.figure


def draw(
    drawing: Json, *, panel: int | str | None = None, width: float | None = None, words: bool = True,
    legend: bool = True, whole: bool = False, own: bool = False,
) -> LawFigure:
    """A figure of its own, `width` inches wide. `words`: with title, key and sentence."""
    if width is not None and not (isinstance(width, (int, float)) and 0 < width < 1000):
        raise Error(f"width={width!r} is no width in inches; give a number such as 4")
    _check(drawing)
    panels = _panels_of(drawing, panel)
    style = _Style(mpl.rcParams["figure.facecolor"])
    sheet = _Sheet(width, style)
    if sheet.inner < _LEAST_PANEL:
        least = style.inches(_LEAST_PANEL + 2 * _MARGIN)
        raise Error(f"width={width} inches is too narrow for a figure; give at least {least:.1f}")
    if words:
        sheet.words(drawing["title"], 16, style.ink, "bold")
    frames = _frames_of(drawing, panels, whole, own)
    if frames:
        if legend:
            sheet.legend(style.looks(drawing))
        if words:
            sheet.words(key_of(drawing, any(x.cut or y.cut for x, y in frames)), 11, style.quiet)
        _draw_bar(sheet, drawing)
        _draw_panels(sheet, drawing, panels, frames)
    if words:
        sheet.y += 4
        sheet.words(drawing["says"], 12, style.quiet)
    return sheet.done()


def _draw_bar(sheet: _Sheet, drawing: Json) -> None:
    """The scale of the cells' colours."""
    found = _cell_scale(drawing)
    if not found:
        return
    norm, colours = found
    style = sheet.style
    sheet.words(drawing.get("value", {}).get("label", "value"), 12, style.quiet)
    axes = sheet.axes(_MARGIN, sheet.y, min(300, sheet.inner), 10)
    bar = sheet.figure.colorbar(ScalarMappable(norm, colours), cax=axes, orientation="horizontal")
    bar.outline.set_visible(False)
    values = [cell["value"] for cell in cells_of(drawing["panels"])]
    if min(values) < max(values):
        axes.set_xlim(min(values), max(values))  # of a scale about zero, the part that is used
    _dress_bar(axes, drawing, style, "x")
    sheet.y += 38


def _draw_panels(
    sheet: _Sheet, drawing: Json, panels: Sequence[Json], all_frames: Sequence[tuple[Frame, Frame]]
) -> None:
    style, writer = sheet.style, sheet.writer
    count, equal = len(panels), bool(drawing.get("equal"))
    wanted = 1 if count == 1 else 2 if count in (2, 4) else 3
    columns = max(1, min(wanted, math.floor((sheet.inner + _GAP) / (_LEAST_PANEL + _GAP))))
    width = (sheet.inner - _GAP * (columns - 1)) / columns
    if columns > 1:
        height = width * (1 if equal else 0.85) + 10
    elif equal:
        width = height = min(width, 520)
    else:
        height = max(_LEAST_PANEL, width * (0.62 if width < 520 else 0.55))
    # Labels above the axes: at the left, where they need no turned head.
    x_label = writer.lines(drawing["x"]["label"], 12, width - _LEFT)
    y_label = writer.lines(drawing["y"]["label"], 12, width - 8)
    titles = [writer.lines(panel.get("title", ""), 13, width - 8, "bold") for panel in panels]
    above = 17 * max(len(title) for title in titles)
    top = _TOP + 17 * (len(y_label) - 1) + (above + 1 if above else 0)
    bottom = _BOTTOM + 17 * (len(x_label) - 1)
    scale = scale_of(drawing, "y")
    tall = height - _TOP - _BOTTOM - (18 if above else 0)
    most = max(3, math.floor(tall / 30))
    ticks = [scale.steps or ticks_of(y.range, scale.log, most) for _, y in all_frames]
    left = max(_LEFT, *(14 + writer.width(words, 11) for each in ticks for words in tick_words(each)))
    looks = style.looks(drawing)
    for i, (panel, title, frames) in enumerate(zip(panels, titles, all_frames, strict=True)):
        row, column = divmod(i, columns)
        x = _MARGIN + column * (width + _GAP)
        y = sheet.y + row * (top + tall + bottom + 8)
        axes = sheet.axes(x + left, y + top, width - left - _RIGHT, tall)
        # Where they will be, for what depends on pixels: the figure has its own height later.
        axes.set_position((0, 0, (width - left - _RIGHT) / sheet.width, tall / sheet.width))
        _draw_panel(axes, drawing, panel, looks, frames, style)
        axes.set_xlabel("\n".join(x_label), labelpad=style.pt(5), **_words(12, style))
        axes.set_ylabel("\n".join(y_label), rotation=0, ha="left", va="bottom", **_words(12, style))
        axes.yaxis.set_label_coords(0, 1, axes.transAxes + _offset(axes, style, 8 - left, 9))
        if title:
            axes.set_title("\n".join(title), loc="left", fontweight="bold",
                           pad=style.pt(10 + 17 * len(y_label)), x=(8 - left) / (width - left - _RIGHT),
                           **_words(13, style, style.ink))
    sheet.y += math.ceil(count / columns) * (top + tall + bottom + 8)
