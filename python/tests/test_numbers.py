"""Rounded arrays are those of the C++ definitions, and of independent ones in numpy."""

from __future__ import annotations

import doctest
import gc
import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import bitlaw._numbers
import numpy as np
import pytest
from bitlaw import _core
from conftest import PROGRAM
from numpy.typing import NDArray
from rounding_in_numpy import code_list, decoded, gptq_in_numpy, nearest, rtn_in_numpy

F32 = np.float32
Floats = NDArray[np.float32]
GOLDEN = Path(__file__).parent.parent.parent / "tests" / "golden"


def draw(rows: int, columns: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return (rng.standard_t(4, size=(rows, columns)) * 0.02).astype(F32)


def correlated(tokens: int, columns: int, seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(tokens, columns // 4 + 1)) @ rng.normal(size=(columns // 4 + 1, columns))
    return (mixed + 0.5 * rng.normal(size=(tokens, columns))) * rng.uniform(0.25, 1.25, columns)


def same(a: bitlaw.Quantized, b: bitlaw.Quantized) -> bool:
    """The same bits of everything but the type of the values."""
    pairs = [(a.codes, b.codes), (a.scales, b.scales), (a.zeros, b.zeros), (a.column_scales, b.column_scales)]
    return all(np.array_equal(x, y) if x is not None and y is not None else x is y for x, y in pairs)


@pytest.mark.parametrize("name", ["int2", "int3", "int4", "int5", "int8", "int12", "e2m0", "e2m1", "e3m0", "e3m2",
                                  "e2m3", "e4m3", "e5m2", "e5m10"])
@pytest.mark.parametrize("granularity", ["channel", "group7", "group100", "tensor", "column"])
def test_rounding_is_that_of_the_rules_in_numpy(name: str, granularity: str) -> None:
    w = draw(9, 25)
    w[2] = 0
    w[3, :5] = 2.0**-130
    found = bitlaw.quantize(w, name, granularity=granularity)
    blocks: list[tuple[Any, Floats]]
    if granularity == "tensor":
        blocks = [(np.s_[:, :], w.reshape(1, -1))]
    elif granularity == "column":
        blocks = [(np.s_[:, c], w[:, c][None]) for c in range(25)]
    else:
        width = 25 if granularity == "channel" else int(granularity[5:])
        blocks = [(np.s_[r, c:c + width], w[r:r + 1, c:c + width]) for r in range(9) for c in range(0, 25, width)]
    codes = found.codes.astype(F32) if name.startswith("int") else decoded(name, found.codes)
    assert found.scales is not None
    scales = found.scales.T if granularity == "column" else found.scales
    assert scales.size == len(blocks)
    for (place, block), scale in zip(blocks, scales.ravel(), strict=True):
        expected, expected_scale = rtn_in_numpy(block, name)
        np.testing.assert_array_equal(codes[place].ravel(), expected.ravel())
        assert scale == expected_scale[0, 0]
        np.testing.assert_array_equal(found.values[place].ravel(), (expected * expected_scale).ravel())


def test_zero_points_are_those_of_the_rules_in_numpy() -> None:
    w = draw(6, 40) + F32(0.01)
    for bits in range(2, 9):
        found = bitlaw.rtn(w, bits, group=16, asymmetric=True)
        assert found.zeros is not None and found.scales is not None and found.codes.dtype == np.uint8
        for r, g in itertools.product(range(6), range(3)):
            block = w[r, g * 16:(g + 1) * 16]
            lo, hi = min(F32(0), block.min()), max(F32(0), block.max())
            scale = F32((np.float64(hi) - np.float64(lo)) / (2**bits - 1))
            zero = np.clip(np.rint(-lo * (F32(1) / scale)), 0, 2**bits - 1)
            codes = np.clip(np.rint(block * (F32(1) / scale)) + zero, 0, 2**bits - 1)
            assert (found.scales[r, g], found.zeros[r, g]) == (scale, zero)
            np.testing.assert_array_equal(found.codes[r, g * 16:(g + 1) * 16], codes)
            np.testing.assert_array_equal(found.values[r, g * 16:(g + 1) * 16], (codes - zero).astype(F32) * scale)


def test_block_formats_store_the_scales_of_their_specifications() -> None:
    w = draw(4, 70)
    mx = bitlaw.quantize(w, "mxfp4")
    assert mx.scales is not None and mx.stored_scales is not None
    for r, g in itertools.product(range(4), range(3)):
        exponent = math.floor(math.log2(np.abs(w[r, g * 32:(g + 1) * 32]).max())) - 2
        assert mx.stored_scales[r, g] == exponent + 127
        assert mx.scales[r, g] == 2.0**exponent
    nv = bitlaw.quantize(w, "nvfp4")
    assert nv.scales is not None and nv.stored_scales is not None
    assert nv.tensor_scale == np.abs(w).max() / F32(448 * 6)
    stored = decoded("e4m3", nv.stored_scales)
    np.testing.assert_array_equal(stored * F32(nv.tensor_scale), nv.scales)
    largest = np.abs(np.pad(w, ((0, 0), (0, 10)))).reshape(4, 5, 16).max(axis=2)
    np.testing.assert_array_equal(stored, nearest("e4m3", (largest / F32(6) / F32(nv.tensor_scale)).astype(F32)))
    integers = bitlaw.quantize(w, "mxint8")
    assert integers.scales is not None and integers.stored_scales is not None
    np.testing.assert_array_equal(integers.scales, 2.0 ** (integers.stored_scales.astype(float) - 127 - 6))


@pytest.mark.skipif(not GOLDEN.exists(), reason="the golden data are not here")
@pytest.mark.parametrize("file", ["quantizers.json", "weight_schemes.json"])
def test_vectors_of_exact_fractions(file: str) -> None:
    """Made by tools/make_format_golden.py, which shares nothing with the C++."""
    def floats(texts: list[str], case: dict[str, Any]) -> Floats:
        return np.array([float.fromhex(text) for text in texts], dtype=F32).reshape(case["rows"], case["columns"])

    for case in json.loads((GOLDEN / file).read_text())["cases"]:
        w, values, scales = (floats(case[name], case) for name in ("x", "values", "scales"))
        axis = {"row": "channel", "group": ""}.get(case.get("axis", "group"), case.get("axis", ""))
        found = bitlaw.quantize(w, case.get("format") or case["scheme"], granularity=axis,
                                group=0 if axis in ("tensor", "column", "channel") else case["group"])
        np.testing.assert_array_equal(found.values, values)
        np.testing.assert_array_equal(np.signbit(found.values), np.signbit(values))
        assert found.scales is not None
        group = case["group"] if axis == "" and case["group"] else w.shape[1]
        spread = found.scales if found.scales.shape[1] == 1 or axis == "column" else \
            np.repeat(found.scales, group, axis=1)[:, :w.shape[1]]
        np.testing.assert_array_equal(np.broadcast_to(spread, w.shape), scales)


@pytest.mark.parametrize(("name", "public"), [("e4m3", "float8_e4m3fn"), ("e5m2", "float8_e5m2"),
                                              ("e2m1", "float4_e2m1fn"), ("e2m3", "float6_e2m3fn"),
                                              ("e3m2", "float6_e3m2fn"), ("e5m10", "float16"), ("bf16", "bfloat16")])
def test_codes_are_the_bytes_of_public_formats(name: str, public: str) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = bitlaw.formats(name)[name].values()
    if name == "bf16":
        values = values[np.isfinite(values)]
    kind = np.dtype(getattr(np, public, None) or getattr(ml_dtypes, public))
    found = bitlaw.quantize(values, name)
    np.testing.assert_array_equal(found.codes.view(kind).astype(F32), values)
    np.testing.assert_array_equal(found.values, values)


def test_a_zero_keeps_its_sign() -> None:
    w = np.array([0.0, -0.0, 1.0], dtype=F32)
    assert np.signbit(bitlaw.quantize(w, "int4").values).tolist() == [False, True, False]
    assert bitlaw.quantize(w, "e2m1").codes.tolist() == [0, 8, 7]


# Arrays

def test_sixteen_bits_come_back_as_they_came() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for kind in (np.float16, np.float64, ml_dtypes.bfloat16):
        w = draw(5, 33).astype(kind)
        found, wide = bitlaw.quantize(w, "int4", group=8), bitlaw.quantize(w.astype(F32), "int4", group=8)
        assert found.values.dtype == w.dtype and same(found, wide)
        np.testing.assert_array_equal(found.values, wide.values.astype(kind))
        rotated = bitlaw.hadamard(w[:, :32])
        assert rotated.dtype == w.dtype


def test_views_are_as_copies() -> None:
    w = draw(12, 40)
    readonly = w.copy()
    readonly.flags.writeable = False
    for view in (w[:, ::3], w[::-1, ::-2], w.T, w[2:5, 7:], np.asfortranarray(w), readonly, w.astype(">f4"), w[:1], w[:, :1],
                 np.broadcast_to(w[:, :1], (12, 9))):
        plain = np.array(view, dtype=F32, order="C")
        found, expected = bitlaw.quantize(view, "int4-asym", group=5), bitlaw.quantize(plain, "int4-asym", group=5)
        assert same(found, expected) and np.array_equal(found.values, expected.values)
        assert found.values.flags.c_contiguous and found.codes.flags.c_contiguous


def test_one_axis_is_one_row() -> None:
    w = draw(1, 50)
    row, found = bitlaw.quantize(w, "int4", group=16), bitlaw.quantize(w[0], "int4", group=16)
    assert found.values.shape == found.codes.shape == (50,)
    assert row.scales is not None and found.scales is not None
    np.testing.assert_array_equal(found.scales, row.scales[0])
    assert bitlaw.quantize([0.5, 1.0], "int4").values.dtype == np.float64


def test_nothing_to_round_gives_nothing() -> None:
    for shape in ((0, 7), (7, 0), (0,), (0, 0)):
        for format in ("int4", "int4-asym", "mxfp4", "nvfp4", "bf16", "int4/tensor", "e4m3/column", "int4/group3"):
            if format.endswith("column") and len(shape) == 1:
                continue
            found = bitlaw.quantize(np.zeros(shape, dtype=F32), format)
            assert found.values.shape == found.codes.shape == shape
            assert found.scales is None or found.scales.size == 0
    assert bitlaw.hadamard(np.zeros((0, 8), dtype=F32)).shape == (0, 8)


def test_tensors_of_torch_come_and_go_through_dlpack() -> None:
    torch = pytest.importorskip("torch")
    w = draw(6, 64)
    for kind in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        tensor = torch.from_numpy(w).to(kind)
        for view in (tensor, tensor.T, tensor[::2, 1:]):
            found = bitlaw.quantize(view, "nvfp4")
            expected = bitlaw.quantize(view.float().numpy(), "nvfp4")
            assert isinstance(found.values, torch.Tensor) and found.values.dtype == kind
            assert same(found, expected)
            assert torch.equal(found.values, torch.from_numpy(expected.values).to(kind))
            assert bitlaw.hadamard(view[:, :2]).dtype == kind
    assert bitlaw.quantize(torch.zeros(0, 5), "mxfp4").values.shape == (0, 5)
    calibration = bitlaw.Calibration(torch.eye(64))
    assert bitlaw.gptq(tensor, "int4", inputs=calibration, hadamard=True).values.dtype == kind
    with pytest.raises(bitlaw.Error, match="detach"):
        bitlaw.quantize(torch.nn.Linear(4, 4).weight)
    with pytest.raises(bitlaw.Error, match="float32, float64, float16 or bfloat16"):
        bitlaw.quantize(torch.zeros(3, dtype=torch.int32))
    with pytest.raises(bitlaw.Error, match="weights: "):
        bitlaw.quantize(torch.zeros(3, device="meta"))


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: bitlaw.quantize(draw(2, 4), "imt4"), "unknown weight format 'imt4'; did you mean 'int4'"),
    (lambda: bitlaw.quantize(draw(2, 4), "int40"), "int40"),
    (lambda: bitlaw.quantize(draw(2, 4), "mxfp4", group=16), "blocks of 32, not 16"),
    (lambda: bitlaw.quantize(draw(2, 4), "mxfp4/tensor"), "blocks of 32"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", group=-1), "cannot have -1 weights"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", group=1.5), "group 1.5: a whole number"),  # type: ignore[arg-type]
    (lambda: bitlaw.quantize(draw(2, 4), "int4", granularity="chanel"), "expected tensor, channel"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4/tensor", granularity="channel"), "leave granularity away"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", granularity="tensor", group=3), "granularity 'tensor' with group=3"),
    (lambda: bitlaw.quantize(draw(2, 4), "int9", asymmetric=True), "integers of 2 to 8 bits"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", clip=True, gauss=True), "use one of the two"),
    (lambda: bitlaw.quantize(draw(2, 4), "bf16", group=2), "no scale"),
    (lambda: bitlaw.rtn(draw(2, 4), "bf16"), "no scale"),
    (lambda: bitlaw.quantize(np.zeros((2, 3, 4))), "3 axes"),
    (lambda: bitlaw.quantize(np.float32(1)), "0 axes"),
    (lambda: bitlaw.quantize(np.array([[1, np.nan]])), r"weights\[0, 1\] is nan"),
    (lambda: bitlaw.quantize(np.array([[1, 2], [np.nan, 3]]), granularity="column"), r"weights\[1, 0\] is nan"),
    (lambda: bitlaw.quantize(draw(2, 4), None), "format None: a name"),  # type: ignore[arg-type]
    (lambda: bitlaw.quantize(draw(2, 4), True), "format True: a name"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", group=True), "group True: a whole number"),
    (lambda: bitlaw.quantize(draw(2, 4), "int4", clip="no"), "clip 'no': True or False"),  # type: ignore[arg-type]
    (lambda: bitlaw.quantize(draw(2, 4), "int4", granularity=None), "granularity None: a name"),  # type: ignore[arg-type]
    (lambda: bitlaw.quantize(draw(2, 4), "int4", threads=1.5), "threads 1.5: a whole number"),  # type: ignore[arg-type]
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.eye(4), damping=None), "damping None"),  # type: ignore[arg-type]
    (lambda: bitlaw.error(None), "format None: a name"),  # type: ignore[arg-type]
    (lambda: bitlaw.error("int4/tensor"), "say that once"),
    (lambda: bitlaw.error("int4/group32", group=16), "say that once"),
    (lambda: bitlaw.quantize(np.array([[1, 2], [3, -np.inf]])), r"weights\[1, 1\] is -inf"),
    (lambda: bitlaw.quantize([1e300]), r"weights\[0\] is inf as float32"),
    (lambda: bitlaw.quantize(np.array([65504, 3], dtype=np.float16), "e2m1-e8m0-clip"), "beyond the type"),
    (lambda: bitlaw.quantize(np.arange(4)), "int64; give float32"),
    (lambda: bitlaw.quantize("weights"), "give float32"),
    (lambda: bitlaw.quantize([[1, 2], [3]]), "neither an array nor rows"),
    (lambda: bitlaw.quantize(np.ma.masked_invalid([1.0, np.nan])), "masked"),
    (lambda: bitlaw.gptq(draw(2, 4)), "give inputs or a hessian"),
    (lambda: bitlaw.gptq(draw(2, 4), inputs=draw(3, 4), hessian=np.eye(4)), "not both"),
    (lambda: bitlaw.gptq(draw(2, 4), inputs=draw(3, 5)), "5 columns, but the weights have 4"),
    (lambda: bitlaw.gptq(draw(2, 4), inputs=draw(3, 4)[0]), "1 axes"),
    (lambda: bitlaw.gptq(draw(2, 4), inputs=draw(0, 4)), "at least one"),
    (lambda: bitlaw.gptq(draw(2, 4), inputs=np.full((3, 4), np.nan)), r"inputs\[0, 0\] is nan"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.eye(3)), "3 x 3, but the weights have 4"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.triu(np.ones((4, 4)))), "symmetric"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=-np.eye(4)), "negative"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.full((4, 4), np.inf)), "not finite"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.eye(4), damping=0), "damping 0"),
    (lambda: bitlaw.gptq(draw(2, 4), hessian=np.eye(4), damping=math.nan), "damping nan"),
    (lambda: bitlaw.gptq(draw(0, 4), hessian=np.eye(4)), "nothing to round"),
    (lambda: bitlaw.gptq(draw(2, 4), "fp32", hessian=np.eye(4)), "no scale"),
    (lambda: bitlaw.awq(draw(2, 4), inputs=None), "give inputs"),
    (lambda: bitlaw.Calibration(draw(3, 0)), "no columns"),
    (lambda: bitlaw.Calibration(draw(3, 4)).add(draw(3, 5)), "5 columns, but the calibration has 4"),
    (lambda: bitlaw.hadamard(draw(2, 12), width=8), "at most 4"),
    (lambda: bitlaw.hadamard(draw(2, 12), width=-2), "width -2"),
    (lambda: bitlaw.error("int4", source="blok"), "did you mean 'block'"),  # type: ignore[arg-type]
    (lambda: bitlaw.error("int4", source="block"), "give group"),
    (lambda: bitlaw.error("int12", group=32), "up to 8 bits"),
    (lambda: bitlaw.error("int4-asym"), "not known in closed form"),
    (lambda: bitlaw.error("int4", group=32, crest=1), "between 1.68"),
    (lambda: bitlaw.error("int4", scale=0), "positive"),
    (lambda: bitlaw.formats("e9m9"), "e9m9"),
]


@pytest.mark.parametrize(("call", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_what_is_wrong_is_said_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_name_may_say_the_group_and_bits_are_a_name() -> None:
    assert bitlaw.error("int4/group32") == bitlaw.error(np.int64(4), group=32)  # type: ignore[arg-type]
    assert bitlaw.formats(4)["4"].name == "int4"
    assert bitlaw.quantize(draw(2, 4), "int4", clip=np.bool_(True)).format == "int4-clip"  # type: ignore[arg-type]


def test_a_sign_that_torch_keeps_in_a_flag_counts() -> None:
    torch = pytest.importorskip("torch")
    negated = torch.complex(torch.zeros(3, 8), torch.tensor(draw(3, 8))).conj().imag
    assert negated.is_neg()
    assert same(bitlaw.quantize(negated, "int4"), bitlaw.quantize(negated.numpy(force=True), "int4"))
    assert torch.equal(bitlaw.hadamard(negated), bitlaw.hadamard(negated.resolve_neg()))


def test_whole_numbers_are_not_taken_for_bits_of_bfloat16() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(bitlaw.Error, match="uint16; give float32"):
        bitlaw.quantize(torch.ones(2, 2, dtype=torch.uint16))


def test_a_group_wider_than_a_row_is_the_row() -> None:
    w = draw(3, 20)
    row = bitlaw.quantize(w, "int4")
    for group in (20, 21, 2**31, 2**80):
        wide = bitlaw.quantize(w, "int4", group=group)
        assert same(wide, row) and wide.bits_per_weight == row.bits_per_weight == 4 + 32 / 20


def test_bits_count_what_is_stored() -> None:
    w = draw(10, 64)
    assert bitlaw.quantize(w, "int4", group=16).bits_per_weight == 4 + 32 / 16
    assert bitlaw.quantize(w, "int4-asym", group=16).bits_per_weight == 4 + 36 / 16
    assert bitlaw.quantize(w, "int4", group=24).bits_per_weight == 4 + 3 * 32 / 64  # a short group has a scale
    for name in ("mxfp4", "nvfp4", "mxint8"):
        assert bitlaw.quantize(w, name).bits_per_weight == bitlaw.formats()[name].bits_per_weight


# Methods

def output_error(w: Floats, values: NDArray[Any], x: NDArray[Any]) -> float:
    return float(((x @ (values.astype(np.float64) - w).T) ** 2).sum() * 2 / len(x))


@pytest.mark.parametrize(("name", "group"), [("int3", 0), ("int4", 0), ("int4", 32), ("e2m1", 0), ("int2", 16)])
def test_gptq_is_as_good_as_that_of_its_paper(name: str, group: int) -> None:
    w, x = draw(24, 96), correlated(300, 96).astype(F32)
    found = bitlaw.gptq(w, name, inputs=x, group=group)
    paper = gptq_in_numpy(w, name, group, x)
    assert found.error is not None and found.rtn_error is not None
    # The same roundings but for sums in another order, so nearly all codes are the same.
    assert np.mean(np.abs(found.values - paper) < 1e-6) > 0.98
    assert found.error == pytest.approx(output_error(w, paper, x), rel=0.01)
    assert found.error == pytest.approx(output_error(w, found.values, x), rel=1e-9)
    assert found.error < 0.8 * found.rtn_error
    assert found.rtn_error == pytest.approx(output_error(w, bitlaw.rtn(w, name, group=group).values, x), rel=1e-9)


def test_a_hessian_is_as_good_as_its_inputs() -> None:
    w, x = draw(16, 64), correlated(100, 64)
    h = 2 / 100 * x.astype(F32).astype(np.float64).T @ x.astype(F32)
    by_inputs, by_hessian = bitlaw.gptq(w, "int4", inputs=x, group=16), bitlaw.gptq(w, "int4", hessian=h, group=16)
    assert np.mean(by_inputs.codes == by_hessian.codes) > 0.999
    assert by_inputs.error == pytest.approx(by_hessian.error, rel=1e-6)
    calibration = bitlaw.Calibration(x[:37])
    calibration.add(x[37:])
    assert calibration.tokens == 100
    np.testing.assert_allclose(calibration.hessian, h, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(calibration.magnitude, np.abs(x).mean(axis=0), rtol=1e-6)
    in_pieces = bitlaw.gptq(w, "int4", inputs=calibration, group=16)
    assert same(in_pieces, by_inputs) and in_pieces.error == by_inputs.error
    assert same(bitlaw.gptq(w, "int4", hessian=calibration.hessian, group=16), by_inputs)


def test_options_of_gptq() -> None:
    w, x = draw(16, 64), correlated(200, 64)
    plain = bitlaw.gptq(w, "int3", inputs=x)
    ordered = bitlaw.gptq(w, "int3", inputs=x, act_order=True)
    assert plain.scales is not None and ordered.scales is not None
    assert not same(plain, ordered) and np.array_equal(plain.scales, ordered.scales)
    rank_one = bitlaw.gptq(w, "int3", inputs=np.ones((9, 64)), damping=1e-30)
    assert rank_one.damping is not None and rank_one.damping > 1e-30 and rank_one.failed_dampings[0] == 1e-30
    dead = x.copy()
    dead[:, 7] = 0
    assert bitlaw.gptq(w, "int3", inputs=dead).dead_inputs == 1
    spelled, flagged = bitlaw.gptq(w, "int3-asym-clip", inputs=x), bitlaw.gptq(w, 3, inputs=x, asymmetric=True, clip=True)
    assert same(spelled, flagged) and spelled.format == flagged.format == "int3-asym-clip"


def test_awq_takes_the_best_power_of_the_magnitudes() -> None:
    w, x = draw(16, 64), correlated(200, 64).astype(F32) * (2.0 ** np.random.default_rng(3).integers(-2, 3, 64)).astype(F32)
    found = bitlaw.awq(w, "int3", inputs=x)
    m = np.abs(x).mean(axis=0, dtype=np.float64).astype(F32).astype(np.float64)

    def rounded(alpha: float) -> tuple[float, Floats]:
        s = (m**alpha / math.sqrt((m**alpha).max() * (m**alpha).min())).astype(F32)
        codes, scale = rtn_in_numpy(w * s, "int3")
        return output_error(w, codes * scale / s, x), s

    errors = {step / 16: rounded(step / 16)[0] for step in range(17)}
    assert found.alpha is not None and found.error is not None and found.column_scales is not None
    assert found.error == pytest.approx(errors[found.alpha], rel=1e-3)
    assert found.error <= min(errors[step / 8] for step in range(9)) * (1 + 1e-3)
    np.testing.assert_allclose(found.column_scales, rounded(found.alpha)[1], rtol=1e-6)
    assert found.scales is not None
    np.testing.assert_array_equal(found.values, found.codes.astype(F32) * found.scales / found.column_scales)


def test_rotated_weights_are_rounded_in_the_rotated_basis() -> None:
    w = draw(8, 48)
    found = bitlaw.rtn(w, "int4", hadamard=True)
    inside = bitlaw.rtn(bitlaw.hadamard(w), "int4")
    assert found.rotation == 16 and same(found, inside)
    np.testing.assert_array_equal(found.values, bitlaw.hadamard(inside.values))


def sylvester(width: int) -> NDArray[np.float64]:
    out = np.ones((1, 1))
    while len(out) < width:
        out = np.block([[out, out], [out, -out]])
    return out / math.sqrt(width)


@pytest.mark.parametrize("width", [1, 2, 8, 32])
def test_the_rotation_is_that_of_hadamard(width: int) -> None:
    x = draw(5, 96).astype(np.float64)
    expected = np.concatenate([x[:, c:c + width] @ sylvester(width) for c in range(0, 96, width)], axis=1)
    found = bitlaw.hadamard(x, width=width)
    np.testing.assert_allclose(found, expected, atol=1e-15)
    np.testing.assert_allclose(bitlaw.hadamard(found, width=width), x, atol=1e-15)
    narrow = x.astype(F32)
    np.testing.assert_array_equal(bitlaw.hadamard(narrow, width=width),
                                  bitlaw.hadamard(narrow.astype(np.float64), width=width).astype(F32))
    swept = narrow.copy()  # as in training: every sum is a float
    half = 1
    while half < width:
        pairs = swept.reshape(5, -1, 2, half)
        swept = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2).reshape(5, 96)
        half *= 2
    np.testing.assert_array_equal(bitlaw.hadamard(narrow, width=width, training=True),
                                  swept * F32(1 / math.sqrt(width)))


def test_methods_and_defaults_are_those_of_the_program() -> None:
    assert set(_core.methods()) - {"none"} == {"rtn", "gptq", "awq"}
    text = subprocess.run([PROGRAM, "quantize", "--help"], capture_output=True, text=True, check=True).stdout
    assert f"--damping TEXT={_core.first_damping} " in text


# Errors of formats

@pytest.mark.parametrize("name", ["int2", "int4", "e2m1", "e4m3", "bf16"])
def test_the_error_of_normal_numbers_is_that_of_a_fine_grid(name: str) -> None:
    x = (np.arange(-9, 9, 1e-5) + 5e-6).astype(np.float64)
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi) * 1e-5

    def at(scale: float) -> float:
        codes = np.concatenate([-bitlaw.formats(name)[name].values()[::-1], bitlaw.formats(name)[name].values()])
        codes = np.unique(codes) if not name.startswith("int") else bitlaw.formats(name)[name].values()
        middles = (codes[:-1].astype(float) + codes[1:]) / 2
        return float((density * (x - scale * codes[np.searchsorted(middles, x / scale)]) ** 2).sum())

    if name == "bf16":
        assert bitlaw.error(name) == pytest.approx(at(1), rel=1e-3)
        return
    for scale in (0.05, 0.3, 1.0):
        assert bitlaw.error(name, scale=scale) == pytest.approx(at(scale), rel=1e-3)
    least = bitlaw.error(name)
    assert all(least <= bitlaw.error(name, scale=scale) for scale in np.geomspace(1e-3, 3, 200))


@pytest.mark.parametrize(("name", "group"), [("int4", 128), ("mxfp4", 0), ("nvfp4", 0), ("int4-e8m0", 32)])
def test_the_error_of_blocks_is_what_rounding_gives(name: str, group: int) -> None:
    rng = np.random.default_rng(5)
    # The size of a power-of-two scale depends on sigma: averaged over an octave.
    x = rng.normal(size=(2000, 1024)) * 2.0 ** rng.uniform(0, 1, size=(2000, 1))
    errors = [bitlaw.quantize(row, name, group=group).relative_error for row in x.astype(F32)]
    assert bitlaw.error(name, group=group) == pytest.approx(np.mean(errors), rel=0.01)


def test_formats_say_what_they_are() -> None:
    listed = bitlaw.formats()
    assert list(listed) == _core.usual_formats() and {"int4", "e4m3", "mxfp4", "nvfp4", "bf16"} <= set(listed)
    for name, each in listed.items():
        if name == "fp32":
            continue
        values = each.values()
        assert (values[0], values[-1]) == (each.lowest, each.largest)
        assert values[values > 0][0] == each.smallest_positive
        if each.scales:
            np.testing.assert_array_equal(values[values >= 0], code_list(each.codes))
    assert bitlaw.formats("int3-asym-clip")["int3-asym-clip"].asymmetric
    ml_dtypes = pytest.importorskip("ml_dtypes")
    for name, kind in [("e4m3", ml_dtypes.float8_e4m3fn), ("e5m2", ml_dtypes.float8_e5m2), ("bf16", ml_dtypes.bfloat16)]:
        limits = ml_dtypes.finfo(kind)
        assert listed[name].largest == float(limits.max)
        assert listed[name].smallest_normal == float(limits.smallest_normal)
        assert listed[name].smallest_positive == float(limits.smallest_subnormal)


# Threads and memory

def test_threads_change_no_bit_and_two_may_call_at_once() -> None:
    w, x = draw(200, 96), correlated(300, 96)
    expected = bitlaw.gptq(w, "int3", inputs=x, group=32, threads=1)
    found: list[bitlaw.Quantized] = []

    def work(threads: int) -> None:
        for _ in range(5):
            found.append(bitlaw.gptq(w, "int3", inputs=x, group=32, threads=threads))

    workers = [threading.Thread(target=work, args=(threads,)) for threads in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 15 and all(same(each, expected) and each.error == expected.error for each in found)


def test_other_threads_run_meanwhile() -> None:
    w = draw(1500, 1500)
    done = threading.Event()

    def work() -> None:
        bitlaw.quantize(w, "e2m1-clip", threads=1)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    steps = 0
    while not done.is_set():
        time.sleep(0.0005)
        steps += 1
    worker.join()
    assert steps > 10  # 1, if the call kept the GIL


def test_nothing_leaks() -> None:
    w, x = draw(64, 256), draw(64, 256, 1)
    h = np.eye(256)
    watched: list[Any] = [w, x, h]
    before = [sys.getrefcount(each) for each in watched]

    def rounds(count: int) -> None:
        for _ in range(count):
            bitlaw.quantize(w, "int4-asym", group=32)
            bitlaw.quantize(w.T, "mxfp4")
            bitlaw.gptq(w, "int4", hessian=h)
            bitlaw.awq(w, "int4", inputs=x)
            bitlaw.hadamard(w)
            with pytest.raises(bitlaw.Error):
                bitlaw.quantize(w, "mxfp4", group=3)
        gc.collect()

    rounds(10)
    status = Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("the memory of a process is read from /proc")

    def resident() -> int:
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    first = resident()
    rounds(60)  # about 400 MB of arrays
    assert resident() - first < 8e6
    assert [sys.getrefcount(each) for each in watched] == before


def test_results_outlive_the_call() -> None:
    found = bitlaw.quantize(draw(300, 300), "int4", group=16)
    codes, values = found.codes, found.values
    kept = codes.copy(), values.copy()
    del found
    gc.collect()
    for _ in range(20):
        bitlaw.quantize(draw(300, 300, 1), "int4")
    assert np.array_equal(codes, kept[0]) and np.array_equal(values, kept[1])
    values[0, 0] = 1  # its own memory


def test_examples_of_the_documentation() -> None:
    result = doctest.testmod(bitlaw._numbers, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 20 and result.failed == 0
