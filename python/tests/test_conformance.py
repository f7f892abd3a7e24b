"""The conformance vectors, and what holds other implementations to them."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest
from bitlaw import conformance
from bitlaw.conformance import Case
from rounding_in_numpy import gptq_in_numpy

MAKE = Path(__file__).parent.parent / "make_conformance.py"


def int4_per_channel(case: Case) -> dict[str, Any]:
    """Another implementation, in numpy: round-to-nearest to int4 with a scale for each row."""
    if (case.method, case.format, case.granularity, case.hadamard) != ("rtn", "int4", "channel", False):
        raise NotImplementedError
    w = case.weights
    scales = np.abs(w).max(axis=1, keepdims=True) / np.float32(7)
    scales[scales < 2.0**-126] = 0
    inverse = np.zeros_like(scales)
    np.divide(np.float32(1), scales, out=inverse, where=scales > 0)
    codes = np.clip(np.rint(w * inverse), -8, 7)
    return {"codes": codes.astype(int), "scales": scales, "values": codes * scales}


def half_away_from_zero(case: Case) -> dict[str, Any]:
    """The same with another rule for ties: what the vectors are there to find."""
    right = int4_per_channel(case)
    y = np.divide(case.weights, right["scales"], where=right["scales"] > 0, out=np.zeros_like(case.weights))
    return {"codes": np.trunc(y + np.copysign(np.float32(0.5), y)).astype(int)}


def in_torch_style(case: Case) -> dict[str, Any]:
    """GPTQ as its authors publish it; in float64."""
    if case.method != "gptq" or case.act_order or case.hadamard or case.format not in ("int2", "int3", "int4", "int8", "e2m1"):
        raise NotImplementedError
    assert case.inputs is not None
    return {"values": gptq_in_numpy(case.weights, case.format, case.group, case.inputs, case.damping)}


def test_the_file_is_what_bitlaw_gives() -> None:
    if not MAKE.exists():
        pytest.skip("the sources of the package are not here")
    done = subprocess.run([sys.executable, str(MAKE), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert conformance.VECTORS.stat().st_size < 300_000


def test_every_method_and_format_has_cases() -> None:
    cases = conformance.cases()
    assert len({case.name for case in cases}) == len(cases) > 80
    assert {case.method for case in cases} == set(bitlaw._core.methods()) - {"none"}
    assert set(bitlaw.formats()) - {"fp32"} <= {case.format for case in cases}
    assert {case.granularity for case in cases} >= {"channel", "group16", "group32", "tensor", "column"}
    assert any(case.act_order for case in cases) and any(case.hadamard for case in cases)


def test_the_matrices_have_what_goes_wrong() -> None:
    w = conformance.cases("rtn/int4/channel")[0].weights
    assert (w == 0).any() and np.signbit(w[w == 0]).any() and ((w != 0) & (np.abs(w) < 2.0**-126)).any()
    for top, name in [(7, "int4"), (127, "int8")]:  # rows with scale 1, so that halves are ties
        row = w[np.abs(w).max(axis=1) == top]
        assert (np.abs(row) % 1 == 0.5).sum() > 5, name
    inputs = conformance.cases("gptq/int4/channel")[0].inputs
    assert inputs is not None and (inputs == 0).all(axis=0).sum() == 1


def test_another_implementation_passes() -> None:
    report = conformance.check(int4_per_channel)
    assert report.ok and report.passed == ["rtn/int4/channel"] and len(report.skipped) > 80


def test_gptq_of_the_paper_passes_to_the_bit_where_it_is_in_double() -> None:
    report = conformance.check(in_torch_style)
    assert report.ok and len(report.passed) >= 5, str(report)


def test_a_difference_is_named() -> None:
    report = conformance.check(half_away_from_zero)
    assert not report.ok
    found = report.failed["rtn/int4/channel"][0]
    assert (found.field, found.index, found.expected, found.got) == ("codes", (3, 2), "6", "7")
    assert "rtn/int4/channel: codes[3, 2]: expected 6, got 7" in str(report)
    case = conformance.cases("rtn/e2m1/channel")[0]
    right = bitlaw.quantize(case.weights, "e2m1")

    def with_(name: str, at: tuple[int, int], value: float) -> Any:
        changed = np.array(getattr(right, name))
        changed[at] = value
        return conformance.check(lambda _: {name: changed}, case.name)

    for name, at, value in [("codes", (5, 3), 2), ("scales", (0, 0), 1), ("values", (4, 39), np.nan)]:
        report = with_(name, at, value)
        found = report.failed[case.name][0]
        assert (found.field, found.index, found.count) == (name, at, 1)
    zero = next(zip(*np.nonzero(np.asarray(right.codes) == 0), strict=True))
    assert with_("codes", (int(zero[0]), int(zero[1])), 8).ok  # -0
    assert not conformance.check(lambda _: {"codes": right.codes[:, :3]}, case.name).ok
    assert not conformance.check(lambda _: {"values": right.values.astype(np.float64) * (1 + 1e-12)}, case.name).ok
    with pytest.raises(bitlaw.Error, match="gave none of"):
        conformance.check(lambda _: {"numbers": 3})
    with pytest.raises(bitlaw.Error, match="no case matches"):
        conformance.cases("int5")


def test_other_codes_pass_within_a_tolerance() -> None:
    def with_float_sums(case: Case) -> Any:
        found = conformance.reference(case)
        values = np.array(found.values)
        values[0, 0] += np.float32(1e-5)
        return {"codes": found.codes + 1, "values": values}

    assert not conformance.check(with_float_sums, "gptq/*").ok
    assert conformance.check(with_float_sums, "gptq/int4/*", tolerance=0.5).ok
    assert not conformance.check(with_float_sums, "rtn/*", tolerance=0.5).ok
    assert not conformance.check(lambda case: {"codes": case.weights, "values": case.weights * 0}, "gptq/*", tolerance=0.5).ok


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run_alone(*words: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-m", "bitlaw.conformance", *words], capture_output=True, text=True,
                              cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(conformance.VECTORS.parent.parent)})
        return done.returncode, done.stdout + done.stderr

    def run(*words: str) -> tuple[int, str]:
        status = conformance.main(words)
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "mine.py").write_text("""
import bitlaw
def right(case):
    return bitlaw.quantize(case.weights, case.format)
def wrong(case):
    return {"codes": right(case).codes + 1}
def nothing(case):
    raise NotImplementedError
""")
    assert run_alone("mine:right", "--only", "rtn/int?/channel") == (0, "7 passed, 0 failed, 0 skipped\n")
    status, said = run_alone("mine:wrong", "--only", "rtn/int4/channel")
    assert status == 1 and "codes[0, 0]: expected" in said and "1 failed" in said
    assert run("mine:nothing")[0] == 1
    for words, sentence in [(("mine",), "expected MODULE:FUNCTION"), (("yours:f",), "no module 'yours'"),
                            (("mine:f",), "no function 'f'"), (("mine:right", "--only", "x"), "no case matches")]:
        status, said = run(*words)
        assert status == 2 and sentence in said
    assert run("--list")[1].count("\n") == len(conformance.cases())


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(conformance).failed == 0
