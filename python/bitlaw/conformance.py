"""Conformance vectors: rounded matrices that another implementation can be held to.

    import bitlaw.conformance

    def mine(case):                      # codes, scales, values: whatever it has
        if case.format != "int4" or case.method != "rtn":
            raise NotImplementedError
        ...
        return {"codes": codes, "scales": scales, "values": values}

    print(bitlaw.conformance.check(mine))

or `python -m bitlaw.conformance MODULE:FUNCTION`, which ends with a status other than 0 if anything differs.

The vectors are a JSON file, `bitlaw/conformance_vectors.json`, which docs/conformance.md describes for readers in
other languages. There are cases for every method and kind of format, on matrices with what goes wrong: blocks of
zeros, -0, subnormals, ties, an outlier, one value, one entry, inputs that are never on.
"""

from __future__ import annotations

import argparse
import fnmatch
import importlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._ask import Error
from ._numbers import Calibration, Quantized, _rounded

__all__ = ["Case", "Difference", "Report", "cases", "check", "reference"]

VECTORS = Path(__file__).parent / "conformance_vectors.json"

#: What is compared, in this order.
FIELDS = ("codes", "zeros", "scales", "stored_scales", "tensor_scale", "column_scales", "values")


@dataclass(frozen=True, eq=False)
class Case:
    """One matrix to round, and how; what is expected is in `expected`.

    method: "rtn", "gptq" or "awq".
    format: as in `bitlaw.quantize`, with endings: "int4-asym-clip", "mxfp4".
    granularity: "channel" (a row shares a scale), "group16" and so on, "tensor", or "column"; "" for bf16,
        which has no scale.
    group: consecutive entries of a row that share a scale; 0: `granularity` says what does.
    act_order, hadamard: as in `bitlaw.gptq`.
    damping: share of the Hessian's mean diagonal, for gptq.
    weights: float32 [rows, columns].
    inputs: float32 [tokens, columns] for gptq and awq, else None.
    expected: by the names of `bitlaw.Quantized`: codes, scales, zeros, stored_scales, tensor_scale,
        column_scales, values, and for gptq and awq the numbers error and rtn_error.
    """

    name: str
    method: str
    format: str
    granularity: str
    group: int
    act_order: bool
    hadamard: bool
    damping: float
    weights: NDArray[np.float32]
    inputs: NDArray[np.float32] | None
    expected: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Difference:
    """The first element of an array that is not as expected, and how many are not.

    field: the name of the array, or "error".
    index: row and column, or () for a shape or a number that is wrong as a whole.
    count, size: elements that differ, of so many; 0 where it is the shape that does.
    """

    field: str
    index: tuple[int, ...]
    expected: str
    got: str
    count: int
    size: int

    def __str__(self) -> str:
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        rest = f" ({self.count} of {self.size} differ)" if self.count > 0 else ""
        return f"{self.field}{place}: expected {self.expected}, got {self.got}{rest}"


@dataclass(frozen=True)
class Report:
    """What `check` found: names of cases.

    skipped: the function raised NotImplementedError or returned None.
    failed: the differences of each case, a field each.
    """

    passed: list[str]
    skipped: list[str]
    failed: dict[str, list[Difference]]

    @property
    def ok(self) -> bool:
        """Nothing differs, and something was compared."""
        return not self.failed and bool(self.passed)

    def __str__(self) -> str:
        lines = [f"{name}: {difference}" for name, found in self.failed.items() for difference in found]
        counts = f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.skipped)} skipped"
        return "\n".join([*lines, counts])


def _floats(rows: Sequence[str]) -> NDArray[np.float32]:
    """Rows of eight hexadecimal digits a number, the most significant first."""
    bits = [[int(row[i:i + 8], 16) for i in range(0, len(row), 8)] for row in rows]
    return np.array(bits, dtype=np.uint32).view(np.float32).reshape(len(rows), -1)


def _array(entry: Mapping[str, Any]) -> NDArray[np.float32]:
    if "hex" in entry:
        return _floats(entry["hex"])
    integers: NDArray[np.float64] = np.array(entry["integers"], dtype=np.float64)
    return np.ldexp(integers, int(entry["exponent"])).astype(np.float32)


def cases(pattern: str = "*") -> list[Case]:
    """The cases whose names match a pattern of the shell, such as "rtn/int4*".

    >>> case = cases("rtn/int4/channel")[0]
    >>> case.weights.shape, case.expected["codes"].shape, case.expected["scales"].shape
    ((6, 40), (6, 40), (6, 1))
    """
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    arrays = {name: _array(entry) for name, entry in document["arrays"].items()}
    for array in arrays.values():
        array.flags.writeable = False
    out = []
    for entry in document["cases"]:
        if not fnmatch.fnmatchcase(entry["name"], pattern):
            continue
        expected: dict[str, Any] = {"codes": np.array(entry["codes"], dtype=np.int64)}
        for name in ("zeros", "stored_scales"):
            if name in entry:
                expected[name] = np.array(entry[name], dtype=np.int64)
        for name in ("scales", "column_scales", "values"):
            if name in entry:
                expected[name] = _floats(entry[name])
        if "column_scales" in expected:
            expected["column_scales"] = expected["column_scales"][0]
        if "tensor_scale" in entry:
            expected["tensor_scale"] = _floats([entry["tensor_scale"]])[0, 0]
        for name in ("error", "rtn_error"):
            if name in entry:
                expected[name] = entry[name]
        out.append(Case(
            name=entry["name"],
            method=entry["method"],
            format=entry["format"],
            granularity=entry["granularity"],
            group=entry["group"],
            act_order=entry["act_order"],
            hadamard=entry["hadamard"],
            damping=entry["damping"],
            weights=arrays[entry["weights"]],
            inputs=None if entry["inputs"] is None else arrays[entry["inputs"]],
            expected=expected,
        ))
    if not out:
        raise Error(f"no case matches '{pattern}'; bitlaw.conformance.cases() has all")
    return out


def _field(result: Any, name: str) -> Any:
    return result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)


def _as_compared(case: Case, name: str, got: NDArray[Any], expected: NDArray[Any]) -> NDArray[Any]:
    """`got` where a difference in it means nothing: replaced by what is expected."""
    got = got.copy()
    if name in ("scales", "stored_scales"):  # of blocks of zeros any will do
        idle = np.asarray(case.expected["scales"]) == 0
        got[idle] = expected[idle]
    if name == "codes" and case.format.startswith(("e", "mxfp", "nvfp", "bf")):  # zero has two signs
        bits = _bits_of(case.format)
        got[(got == 1 << (bits - 1)) & (expected == 0)] = 0
        got[(got == 0) & (expected == 1 << (bits - 1))] = 1 << (bits - 1)
    return got


def _bits_of(format: str) -> int:
    """Bits of a code, with its sign."""
    bits = _core.format_facts(format)["bits"]
    return int(bits)


def _difference(case: Case, name: str, given: Any) -> Difference | None:
    expected = np.asarray(case.expected[name])
    got = np.asarray(given)
    if got.dtype.name == "bfloat16" or got.dtype == np.float16:
        got = got.astype(np.float32)
    if got.size != expected.size or (name in ("codes", "values") and got.shape != expected.shape):
        return Difference(name, (), f"the shape {expected.shape}", f"{got.shape}", 0, expected.size)
    if got.dtype.kind not in "iuf":
        return Difference(name, (), "numbers", f"an array of {got.dtype}", 0, expected.size)
    got = _as_compared(case, name, got.reshape(expected.shape), expected)
    wrong = np.atleast_1d(got != expected)  # 0 equals -0; a NaN is wrong
    if not wrong.any():
        return None
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return Difference(name, index if expected.ndim else (), _shown(np.atleast_1d(expected)[index]),
                      _shown(np.atleast_1d(got)[index]), int(wrong.sum()), expected.size)


def _shown(x: Any) -> str:
    return str(int(x)) if isinstance(x, np.integer) else f"{float(x):.9g} ({float(x).hex()})"


def _error(case: Case, values: Any) -> float:
    """tr((Q - W) H (Q - W)^T) with H = 2/n sum x x^T."""
    assert case.inputs is not None
    outputs = case.inputs.astype(np.float64) @ (np.asarray(values, dtype=np.float64) - case.weights).T
    return float((outputs**2).sum() * 2 / len(case.inputs))


def _differences(case: Case, result: Any, tolerance: float | None) -> list[Difference]:
    given = {name: value for name in FIELDS if (value := _field(result, name)) is not None}
    if not given:
        raise Error(f"{case.name}: the function gave none of {', '.join(FIELDS)}")
    found = [difference for name, value in given.items() if name in case.expected
             and (difference := _difference(case, name, value)) is not None]
    if not found or tolerance is None or case.method == "rtn" or "values" not in given:
        return found
    if np.asarray(given["values"]).shape != case.weights.shape:
        return found
    error, most = _error(case, given["values"]), case.expected["error"] * (1 + tolerance)
    if error <= most:
        return []
    return [Difference("error", (), f"at most {most:.9g}", f"{error:.9g}", 0, 1), *found]


def check(function: Callable[[Case], Any], only: str = "*", *, tolerance: float | None = None) -> Report:
    """Holds an implementation to the vectors.

    function: takes a `Case`, and returns what it can of codes, zeros, scales, stored_scales, tensor_scale,
        column_scales and values, as a mapping or as attributes (`bitlaw.Quantized` has these names). What it
        does not return is not compared. NotImplementedError, or None, skips a case.
    only: names of cases, as a pattern of the shell.
    tolerance: for gptq and awq, where other codes are right as well: a case whose codes differ passes if the
        error of its values on the inputs, tr((Q - W) H (Q - W)^T), exceeds the expected one by at most this
        share. None: every bit counts.

    Numbers are compared exactly, but 0 equals -0, and blocks of zeros may have any scale.

    Raises `bitlaw.Error`: no case has such a name, or the function returns nothing that can be compared.
    Whatever else the function raises passes through.

    >>> import bitlaw
    >>> print(check(lambda case: bitlaw.quantize(case.weights, case.format), "rtn/int?/channel"))
    7 passed, 0 failed, 0 skipped
    """
    passed: list[str] = []
    skipped: list[str] = []
    failed: dict[str, list[Difference]] = {}
    for case in cases(only):
        try:
            result = function(case)
        except NotImplementedError:
            result = None
        if result is None:
            skipped.append(case.name)
        elif found := _differences(case, result, tolerance):
            failed[case.name] = found
        else:
            passed.append(case.name)
    return Report(passed, skipped, failed)


def reference(case: Case) -> Quantized:
    """bitlaw's own answer to a case.

    >>> check(reference).ok
    True
    """
    granularity = "" if case.group else case.granularity
    return _rounded(case.weights, case.format, method=case.method if case.granularity else "", group=case.group,
                    granularity="" if granularity == "channel" else granularity, act_order=case.act_order,
                    hadamard=case.hadamard, damping=case.damping,
                    inputs=None if case.inputs is None else Calibration(case.inputs))


def _function(text: str) -> Callable[[Case], Any]:
    module, _, name = text.partition(":")
    if not module or not name:
        raise Error(f"'{text}': expected MODULE:FUNCTION")
    sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and module.split(".")[0] == error.name.split(".")[0]:
            raise Error(f"there is no module '{module}' here or among the installed ones") from None
        raise
    function = getattr(found, name, None)
    if not callable(function):
        raise Error(f"the module '{module}' has no function '{name}'")
    return function  # type: ignore[no-any-return]


def main(words: Sequence[str] | None = None) -> int:
    """The command line: 0 if all compared cases pass, 1 if one fails or none was compared, 2 for a wrong request."""
    parser = argparse.ArgumentParser(prog="python -m bitlaw.conformance", description=check.__doc__.splitlines()[0]
                                     if check.__doc__ else None)
    parser.add_argument("function", metavar="MODULE:FUNCTION", nargs="?", help="takes a bitlaw.conformance.Case")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of cases, such as 'rtn/int4*'")
    parser.add_argument("--tolerance", type=float, metavar="SHARE",
                        help="gptq and awq may have other codes if their error is larger by at most this share")
    parser.add_argument("--list", action="store_true", help="names of the cases")
    options = parser.parse_args(words)
    try:
        if options.list:
            print("\n".join(case.name for case in cases(options.only)))
            return 0
        if options.function is None:
            parser.error("MODULE:FUNCTION is missing")
        report = check(_function(options.function), options.only, tolerance=options.tolerance)
    except Error as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(report)
    if not report.passed and not report.failed:
        print("error: the function does none of these cases", file=sys.stderr)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
