"""Writes bitlaw/_looks.py: colours, shapes and frames of figures, as the page has them. A test compares.

They have one home, web/page/src/draw/looks.ts and numbers.ts, where tests hold them to the contrast of
their paper and to colour-blind eyes.
"""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path

DRAW = Path(__file__).parent.parent / "web" / "page" / "src" / "draw"
HEAD = '''"""Colours, shapes and frames of figures. Made by python/make_looks.py of web/page/src/draw."""

from __future__ import annotations

Colours = tuple[str, str]  # on light paper, on dark
'''
PAIR = re.compile(r"\['(#[0-9a-f]{6})', '(#[0-9a-f]{6})'\]")
NUMBER = r"-?\d+(?:\.\d+)?"


def block(text: str, begin: str, end: str) -> str:
    """Between both; the source must have them."""
    start = text.index(begin) + len(begin)
    return text[start : text.index(end, start)]


def number(text: str, name: str) -> float:
    return float(re.findall(rf"\b{name} = ({NUMBER})\b", text)[0])


def star(tips: int, inner: float, outer: float) -> list[tuple[float, float]]:
    corners = []
    for i in range(2 * tips):
        angle, r = math.pi * i / tips - math.pi / 2, outer if i % 2 == 0 else inner
        corners.append((round(r * math.cos(angle), 6), round(r * math.sin(angle), 6)))
    return corners


def shapes(looks: str) -> list[list[tuple[float, float]]]:
    """Corners, y downwards; none is the circle of radius 1."""
    text = block(looks, "export const kShapes", "\n];")
    out = []
    for circle, corners, of_star in re.findall(
        r"(pen\.arc)|polygon\(\[(.*?)\n  \]\)|star\(([^)]*)\)", text, re.DOTALL
    ):
        if circle:
            out.append([])
        elif of_star:
            tips, inner, outer = of_star.split(",")
            out.append(star(int(tips), float(inner), float(outer)))
        else:
            pairs = re.findall(rf"\[({NUMBER}), ({NUMBER})\]", corners)
            out.append([(float(x), float(y)) for x, y in pairs])
    return out


def listed(name: str, kind: str, entries: list[str]) -> str:
    lines = "".join(f"    {entry},\n" for entry in entries)
    return f"\n{name}: {kind} = (\n{lines})\n"


def made() -> str:
    looks = (DRAW / "looks.ts").read_text(encoding="utf-8")
    numbers = (DRAW / "numbers.ts").read_text(encoding="utf-8")

    def pairs(text: str) -> list[str]:
        return [f'("{light}", "{dark}")' for light, dark in PAIR.findall(text)]

    def fixed(name: str) -> str:
        return pairs(re.findall(rf"\b{name}: (\[[^\]]*\])", looks)[0])[0]

    out = HEAD
    out += f"\nINK: Colours = {pairs(block(looks, 'const kInk', ';'))[0]}\n"
    for name in ["quiet", "grid", "line", "paper"]:
        out += f"{name.upper()}: Colours = {fixed(name)}\n"
    out += "\n# Of series without bits, in their order."
    out += listed("BY_ORDER", "tuple[Colours, ...]", pairs(block(looks, "kByOrder", "];")))
    out += "\n# From few bits to many."
    out += listed("RAMP", "tuple[Colours, ...]", pairs(block(looks, "kRamp", "];")))
    out += f"STEPS = {int(number(looks, 'kSteps'))}\n"
    out += f"FEWEST_BITS = {number(looks, 'kFewestBits')}\nMOST_BITS = {number(looks, 'kMostBits')}\n"
    whole = re.findall(r"if \(bits >= (\d+)\) return 'var\(--figure-ink\)'", looks)[0]
    out += f"INK_BITS = {whole}  # from here on: the reference, in ink\n"
    out += "\n# Corners about (0, 0), y downwards, of about equal area; none: the circle of radius 1."
    out += listed(
        "SHAPES", "tuple[tuple[tuple[float, float], ...], ...]",
        ["(" + "".join(f"({x:g}, {y:g}), " for x, y in shape).strip() + ")" for shape in shapes(looks)],
    )
    out += "\n# How far curves reach beyond the points, in widths of these; and what stays free at the edge.\n"
    for name, key in [("BEYOND", "kBeyond"), ("BEYOND_QUARTER", "kBeyondQuarter"), ("MARGIN", "kMargin")]:
        out += f"{name} = {number(numbers, key)}\n"
    return out


if __name__ == "__main__":
    path = Path(__file__).parent / "bitlaw" / "_looks.py"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if path.read_text(encoding="utf-8") == made() else f"{path}: is not what the page has; run it without --check")
    path.write_text(made(), encoding="utf-8")
