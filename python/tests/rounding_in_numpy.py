"""The rules of docs/formats.md once more, and GPTQ as its authors publish it: in numpy, for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = np.float32
Floats = NDArray[np.float32]


def code_list(name: str) -> Floats:
    """Codes >= 0 of intB or eXmY in ascending order, from their bit fields."""
    if name.startswith("int"):
        return np.arange(2 ** (int(name[3:]) - 1), dtype=F32)
    x, y = (int(text) for text in name[1:].split("m"))
    bias = 2 ** (x - 1) - 1
    values = [(m / 2**y) * 2.0 ** (1 - bias) if e == 0 else (1 + m / 2**y) * 2.0 ** (e - bias)
              for e in range(2**x) for m in range(2**y)]
    if name == "e4m3":
        values = values[:-1]
    if name in ("e5m2", "e5m10"):
        values = values[: -(2**y)]
    return np.array(values, dtype=F32)


def nearest(name: str, y: Floats) -> Floats:
    """The nearest code, ties to the even index, saturating."""
    codes = code_list(name).astype(np.float64)
    middles = (codes[:-1] + codes[1:]) / 2
    m = np.abs(y.astype(np.float64))
    down, up = np.searchsorted(middles, m, "left"), np.searchsorted(middles, m, "right")
    index = np.where(down == up, down, np.where(down % 2 == 0, down, up))
    code = codes[index]
    if name.startswith("int"):  # one more code below zero
        code = np.where((y < 0) & (m > codes[-1] + 0.5), codes[-1] + 1, code)
    return (np.sign(y) * code).astype(F32)


def rtn_in_numpy(w: Floats, name: str) -> tuple[Floats, Floats]:
    """Codes and scales of rows with one FP32 scale each."""
    scale = (np.abs(w).max(axis=1, keepdims=True) / code_list(name)[-1]).astype(F32)
    scale[scale < 2.0**-126] = 0
    with np.errstate(divide="ignore"):
        inverse = np.where(scale == 0, F32(0), F32(1) / scale).astype(F32)
    return nearest(name, w * inverse), scale


def decoded(name: str, codes: NDArray[Any]) -> Floats:
    """Numbers of the bit fields of eXmY."""
    bits = 1 + sum(int(text) for text in name[1:].split("m"))
    magnitude: Floats = code_list(name)[codes & (2 ** (bits - 1) - 1)]
    signed: Floats = np.where(codes >> (bits - 1) == 1, -magnitude, magnitude)
    return signed


def gptq_in_numpy(w: Floats, name: str, group: int, x: NDArray[Any], damping: float = 0.01) -> NDArray[np.float64]:
    """As the authors publish it: the Cholesky factor of the inverse, and weights updated after every column."""
    w64 = w.astype(np.float64)
    h = 2 / len(x) * x.T.astype(np.float64) @ x
    alive = np.diag(h) > 0
    h[~alive, ~alive] = 1
    h[np.diag_indices_from(h)] += np.where(alive, damping * np.diag(h)[alive].mean(), 0)
    factor = np.linalg.cholesky(np.linalg.inv(h)).T
    out = np.zeros_like(w64)
    scale = np.zeros((len(w), 1), dtype=F32)
    for k in range(w.shape[1]):
        if k % (group or w.shape[1]) == 0:
            block = w64[:, k:k + (group or w.shape[1])].astype(F32)
            scale = (np.abs(block).max(axis=1, keepdims=True) / code_list(name)[-1]).astype(F32)
        column = w64[:, k:k + 1].astype(F32)
        out[:, k:k + 1] = nearest(name, column * (F32(1) / scale)) * scale
        error = (w64[:, k] - out[:, k]) / factor[k, k]
        w64[:, k:] -= np.outer(error, factor[k, k:])
    return out
