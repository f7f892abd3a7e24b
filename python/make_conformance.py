"""Writes bitlaw/conformance_vectors.json: what bitlaw makes of a few hard matrices. A test compares.

docs/conformance.md describes the file and the generator of the matrices. Every case is what the C++ gives.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from bitlaw._numbers import Calibration, _rounded
from numpy.typing import NDArray

PATH = Path(__file__).parent / "bitlaw" / "conformance_vectors.json"
DAMPING = 0.01


class Draws:
    """Numerical Recipes' generator: x <- 1664525 x + 1013904223 modulo 2^32, from a seed."""

    def __init__(self, seed: int) -> None:
        self.x = seed

    def bits(self, count: int) -> int:
        """The upper bits of the next x."""
        self.x = (1664525 * self.x + 1013904223) % 2**32
        return self.x >> (32 - count)

    def bell(self) -> int:
        """A sum of four, -8190 .. 8190, nearly normal."""
        return sum(self.bits(12) for _ in range(4)) - 8190


def hard() -> NDArray[np.float32]:
    """[6, 40]: groups of 16, 16 and 8 that differ in kind."""
    draws = Draws(1)
    m = np.zeros((6, 40), dtype=np.float32)
    # 0: an outlier, ordinary numbers with zeros of both signs, one value.
    m[0] = [draws.bell() * 2.0**-13 for _ in range(40)]
    m[0, 3] = -40
    m[0, 18:22] = [0.0, -0.0, 0.0, -0.0]
    m[0, 32:] = np.float32(0.1)
    # 1: zeros, a single entry among zeros, negative numbers only.
    m[1, :16:2] = -0.0
    m[1, 21] = 3
    m[1, 32:] = [-(1 + draws.bits(8)) * 2.0**-6 for _ in range(8)]
    # 2: subnormals, numbers around 2^-126, and the smallest of all.
    m[2, :16] = [draws.bell() * 2.0**-149 for _ in range(16)]
    m[2, 16:32] = [draws.bell() * 2.0**-137 for _ in range(16)]
    m[2, 32:] = [2.0**-149 * (-1) ** i for i in range(8)]
    # 3: quarters up to 7, the largest code of int4; up to 6, that of e2m1; up to 3, that of int3.
    m[3, :16] = [7, -7, 6.5, 5.5, 4.5, 3.5, 2.5, 1.5, 0.5, -0.5, -1.5, -2.5, 0.25, 0.75, 1.25, -6.75]
    m[3, 16:32] = [-6, 5, 5.25, 3.5, 2.5, 1.75, 1.25, 0.75, 0.25, -0.25, -0.75, -1.75, -3.5, -5, 4.75, 2.25]
    m[3, 32:] = [3, -2.5, 1.5, 0.5, -0.5, -1.5, 2.5, -3]
    # 4: halves up to 127, the largest code of int8; up to 31 and 1, those of int6 and int2.
    m[4, :16] = [127, -126.5, 125.5, 64.5, 63.5, -63.5, 32.5, 31.5, -2.5, 1.5, 0.5, -0.5, 100.5, -99.5, 8.5, 0]
    m[4, 16:32] = [31, -30.5, 29.5, 16.5, 15.5, -15.5, 8.5, 7.5, -2.5, 1.5, 0.5, -0.5, 20.5, -19.5, 4.5, 0]
    m[4, 32:] = [1, 0.5, -0.5, 0.25, -0.25, 0.75, -0.75, -1]
    # 5: positive numbers only, large, tiny, and of many sizes.
    m[5, :16] = [(1 + draws.bits(12)) * 2.0**90 for _ in range(16)]
    m[5, 16:32] = [(1 + draws.bits(12)) * 2.0**-90 for _ in range(16)]
    m[5, 32:] = [2.0 ** (-3 * i) for i in range(8)]
    return m


def bells(seed: int, rows: int, columns: int) -> NDArray[np.int64]:
    draws = Draws(seed)
    return np.array([[draws.bell() for _ in range(columns)] for _ in range(rows)])


def inputs(seed: int, tokens: int, columns: int) -> NDArray[np.int64]:
    """Correlated through three common factors, of uneven size; column 5 is never on."""
    draws = Draws(seed)
    mix = [[draws.bits(3) - 4 for _ in range(columns)] for _ in range(3)]
    rows = []
    for _ in range(tokens):
        factors = [draws.bits(5) - 16 for _ in range(3)]
        rows.append([
            0 if c == 5 else (sum(f * m[c] for f, m in zip(factors, mix, strict=True)) + draws.bits(6) - 32) * 2 ** (c % 4)
            for c in range(columns)
        ])
    return np.array(rows)


def digits(array: NDArray[np.float32]) -> list[str]:
    """A row each: eight hexadecimal digits a number."""
    two = np.atleast_2d(array).astype(np.float32)
    return ["".join(f"{bits:08x}" for bits in row) for row in two.view(np.uint32)]


def arrays() -> dict[str, dict[str, Any]]:
    return {
        "hard": {"hex": digits(hard())},
        "weights": {"integers": bells(2, 4, 48).tolist(), "exponent": -16},
        "inputs": {"integers": inputs(3, 64, 48).tolist(), "exponent": -7},
    }


def of_entry(entry: dict[str, Any]) -> NDArray[np.float32]:
    if "hex" in entry:
        bits = [[int(row[i:i + 8], 16) for i in range(0, len(row), 8)] for row in entry["hex"]]
        return np.array(bits, dtype=np.uint32).view(np.float32)
    return (np.array(entry["integers"]) * 2.0 ** entry["exponent"]).astype(np.float32)


INTEGERS = [f"int{bits}" for bits in range(2, 9)]
FLOATS = ["e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e4m3", "e5m2"]
FITTED = ["int3-clip", "int4-clip", "e2m1-clip", "int4-asym-clip", "int4-gauss", "e2m1-gauss"]
ASYMMETRIC = ["int2-asym", "int3-asym", "int4-asym", "int8-asym"]
ROUNDED_SCALES = ["int4-e8m0", "int4-e4m3"]
BLOCKS = ["mxfp4", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp8-e4m3", "mxfp8-e5m2", "mxint8", "nvfp4", "mxfp4-clip", "nvfp4-clip",
          "mxfp4-gauss"]


def requests() -> list[dict[str, Any]]:
    """The cases, without what is expected."""
    out = []

    def add(method: str, format: str, granularity: str, *options: str) -> None:
        on_inputs = method != "rtn" or "hadamard" in options
        out.append({
            "name": "/".join(["+".join([method, *options]), format, *([granularity] if granularity else [])]),
            "method": method,
            "format": format,
            "granularity": granularity,
            "group": int(granularity.removeprefix("group")) if granularity.startswith("group") else 0,
            "act_order": "act-order" in options,
            "hadamard": "hadamard" in options,
            "damping": DAMPING,
            "weights": "weights" if on_inputs else "hard",
            "inputs": "inputs" if on_inputs else None,
        })

    for format in [*INTEGERS, "int12", *FLOATS, *ASYMMETRIC, *FITTED, *ROUNDED_SCALES]:
        add("rtn", format, "channel")
    for format in ["int2", "int3", "int4", "int8", "e2m1", "e3m2", "e4m3", "int4-asym", "int4-clip", "int4-asym-clip",
                   "e2m1-gauss", *ROUNDED_SCALES]:
        add("rtn", format, "group16")
    for format in ["int4", "int4-asym", "e4m3", "int4-e8m0"]:
        add("rtn", format, "tensor")
    for format in ["int4", "e2m1"]:
        add("rtn", format, "column")
    for format in BLOCKS:
        add("rtn", format, "group16" if format.startswith("nvfp4") else "group32")
    add("rtn", "bf16", "")
    for format, granularity in [("int4", "channel"), ("int3", "group16"), ("int4-asym", "group16"), ("e2m1", "channel"),
                                ("mxfp4", "group32"), ("nvfp4", "group16")]:
        add("rtn", format, granularity, "hadamard")
        add("gptq", format, granularity)
        add("gptq", format, granularity, "act-order")
        add("awq", format, granularity)
    for format, granularity in [("int2", "channel"), ("int3-clip", "group16"), ("int8", "channel")]:
        add("gptq", format, granularity)
        add("awq", format, granularity)
    for method, *options in [("gptq", "hadamard"), ("gptq", "act-order", "hadamard"), ("awq", "hadamard")]:
        add(method, "int3", "group16", *options)
    return out


def answer(request: dict[str, Any], known: dict[str, NDArray[np.float32]]) -> dict[str, Any]:
    granularity = request["granularity"]
    calibration = None if request["inputs"] is None else Calibration(known[request["inputs"]])
    rounded = _rounded(
        known[request["weights"]], request["format"], method=request["method"] if granularity else "",
        group=request["group"], granularity=granularity if granularity in ("tensor", "column") else "",
        act_order=request["act_order"], hadamard=request["hadamard"], damping=request["damping"], inputs=calibration)
    out = {**request, "codes": rounded.codes.tolist()}
    if rounded.zeros is not None:
        out["zeros"] = rounded.zeros.tolist()
    if rounded.scales is not None:
        out["scales"] = digits(rounded.scales)
    if rounded.stored_scales is not None:
        out["stored_scales"] = rounded.stored_scales.tolist()
        out["tensor_scale"] = digits(np.array([rounded.tensor_scale]))[0]
    if rounded.column_scales is not None:
        out["column_scales"] = digits(rounded.column_scales)
    out["values"] = digits(rounded.values)
    if rounded.error is not None:
        out["error"], out["rtn_error"] = rounded.error, rounded.rtn_error
    return out


def made() -> str:
    """One array or case a line."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    listed = arrays()
    known = {name: of_entry(entry) for name, entry in listed.items()}
    head = ",\n".join(f"{line(name)}:{line(entry)}" for name, entry in listed.items())
    body = ",\n".join(line(answer(request, known)) for request in requests())
    about = "Rounded matrices for other implementations to compare with; docs/conformance.md describes them."
    return f'{{"about":{line(about)},"version":1,\n"arrays":{{\n{head}}},\n"cases":[\n{body}]}}\n'


if __name__ == "__main__":
    text = made()
    if sys.argv[1:] == ["--check"]:
        same = PATH.exists() and PATH.read_text(encoding="utf-8") == text
        sys.exit(0 if same else f"{PATH}: is not what bitlaw gives; run {sys.argv[0]} and look at what changed")
    PATH.write_text(text, encoding="utf-8")
