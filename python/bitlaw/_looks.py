"""Colours, shapes and frames of figures. Made by python/make_looks.py of web/page/src/draw."""

from __future__ import annotations

Colours = tuple[str, str]  # on light paper, on dark

INK: Colours = ("#1c2430", "#e8ecf1")
QUIET: Colours = ("#5a6472", "#a9b3bf")
GRID: Colours = ("#e3e7ec", "#2c333c")
LINE: Colours = ("#98a2ae", "#6b7683")
PAPER: Colours = ("#ffffff", "#15191e")

# Of series without bits, in their order.
BY_ORDER: tuple[Colours, ...] = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ee7f35"),
    ("#009e73", "#2fc49c"),
    ("#b5588f", "#e39cc6"),
    ("#c98600", "#f2b632"),
    ("#3a9bd6", "#9db2ff"),
)

# From few bits to many.
RAMP: tuple[Colours, ...] = (
    ("#e98300", "#ffd166"),
    ("#d9512c", "#ff9a5c"),
    ("#bb2e6a", "#f2719f"),
    ("#80309a", "#b06be6"),
    ("#3b2f9e", "#6f78f5"),
    ("#152a63", "#4f74cc"),
)
STEPS = 16
FEWEST_BITS = 1.5
MOST_BITS = 12.0
INK_BITS = 14  # from here on: the reference, in ink

# Corners about (0, 0), y downwards, of about equal area; none: the circle of radius 1.
SHAPES: tuple[tuple[tuple[float, float], ...], ...] = (
    (),
    ((-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89),),
    ((0, -1.4), (1.25, 0.8), (-1.25, 0.8),),
    ((0, -1.35), (1.1, 0), (0, 1.35), (-1.1, 0),),
    ((0, 1.4), (1.25, -0.8), (-1.25, -0.8),),
    ((0, -1.55), (0.38206, -0.525861), (1.47414, -0.478976), (0.618187, 0.200861), (0.911067, 1.25398), (0, 0.65), (-0.911067, 1.25398), (-0.618187, 0.200861), (-1.47414, -0.478976), (-0.38206, -0.525861),),
    ((-0.45, -1.3), (0.45, -1.3), (0.45, -0.45), (1.3, -0.45), (1.3, 0.45), (0.45, 0.45), (0.45, 1.3), (-0.45, 1.3), (-0.45, 0.45), (-1.3, 0.45), (-1.3, -0.45), (-0.45, -0.45),),
    ((0, -1.6), (0.433013, -0.25), (1.38564, 0.8), (0, 0.5), (-1.38564, 0.8), (-0.433013, -0.25),),
)

# How far curves reach beyond the points, in widths of these; and what stays free at the edge.
BEYOND = 0.5
BEYOND_QUARTER = 2.0
MARGIN = 0.05
