"""Rounding of arrays: formats, what shares a scale, and the methods of post-training quantization."""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import _core
from ._ask import Error

_CPU = 1  # kDLCPU
_MOST_THREADS = 2**31 - 1
_TYPES = "float32, float64, float16 or bfloat16"


def _of_numpy(array: NDArray[Any], name: str) -> NDArray[Any]:
    """As the core reads it: native byte order, bfloat16 as its bits."""
    if isinstance(array, np.ma.MaskedArray):
        raise Error(f"{name}: a masked array; fill what is masked in")
    if array.dtype.name == "bfloat16":
        return array.view(np.uint16)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (2, 4, 8):
        raise Error(f"{name}: numbers of type {array.dtype}; give {_TYPES}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _is_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _taken(value: Any, name: str) -> Any:
    """What the core takes: a numpy array, or a capsule of DLPack for memory on the CPU."""
    if isinstance(value, np.ndarray):
        return _of_numpy(value, name)
    if _is_torch(value) and value.layout == sys.modules["torch"].strided:
        value = value.resolve_neg()  # z.conj().imag has the sign of its numbers in a flag, which DLPack does not know
    if hasattr(value, "__dlpack__") and hasattr(value, "__dlpack_device__"):
        try:
            device = int(value.__dlpack_device__()[0])
            if device == _CPU:
                kind = str(getattr(value, "dtype", getattr(value, "type", "")))
                if "uint16" in kind:  # of numpy, that is how bfloat16 comes
                    raise Error(f"{name}: numbers of type {kind}; give {_TYPES}")
                return value.__dlpack__()
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            raise Error(f"{name}: {str(error).strip().splitlines()[0].rstrip('.')}") from None
        raise Error(f"{name}: the array is not in the memory of the CPU; copy it there first")
    try:
        array = np.asarray(value, dtype=float) if isinstance(value, (list, tuple)) else np.asarray(value)
    except (TypeError, ValueError):
        raise Error(f"{name}: neither an array nor rows of numbers, all of one length") from None
    return _of_numpy(array, name)


def _whole(value: Any, name: str, most: int = 2**62) -> int:
    """Beyond `most` any number is as good as the largest."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return max(min(operator.index(value), most), -most)
    except TypeError:
        raise Error(f"{name} {value!r}: a whole number is expected") from None


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise Error(f"{name} {value!r}: True or False is expected")
    return bool(value)


def _share(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Error(f"{name} {value!r}: a number is expected") from None


def _named(format: Any) -> str:
    """None is nobody's format, though 'none' is a name of bf16."""
    if isinstance(format, str) and format.isprintable():
        return format
    if isinstance(format, (bool, np.bool_, str)) or not hasattr(format, "__index__"):
        raise Error(f"format {format!r}: a name, such as 'int4', or a whole number of bits is expected")
    return str(operator.index(format))


def _returned(values: NDArray[Any], kind: str, like: Any) -> Any:
    """Numbers in the type of the input, as a tensor where that was one of torch."""
    if _is_torch(like):
        torch = sys.modules["torch"]
        if kind == "":
            return torch.from_numpy(values)
        return torch.from_numpy(values.view(np.int16)).view(getattr(torch, kind))
    if kind == "float16":
        return values.view(np.float16)
    if kind == "bfloat16":
        try:
            import ml_dtypes
        except ImportError:
            raise Error("numpy has no bfloat16; install ml_dtypes, or give float32") from None
        return values.view(ml_dtypes.bfloat16)
    return values


@dataclass(frozen=True, eq=False, repr=False)
class Quantized:
    """A rounded array: its values, and the integers and scales that they are made of.

    For integer formats, and wherever nothing was rotated or scaled beforehand,

        values = (codes - zeros) * scales         one float32 product; zeros are 0 if there are none

    with `codes` of a block times the scale of that block. A block is a row, a column, the array, or `group`
    consecutive entries of a row; the last group of a row may be short.

    values: numbers in the shape, type and library of the input (numpy, or a torch tensor for a torch tensor).
    codes: integers in the shape of the input. intB: the integers themselves, int8 (B <= 8) or int16; with a
        zero point uint8, 0 .. 2^B - 1. eXmY: the bit field of sign, exponent and mantissa, uint8 (up to 8
        bits), uint16 or uint32: the bytes of OCP's formats. bf16 and fp32: their bits.
    scales: float32 [rows, groups]: [rows, 1] per channel, [1, columns] per column, [1, 1] per tensor; without
        the first axis if the input had one. 0 for a block of zeros. None for bf16 and fp32.
    zeros: uint8, in the shape of `scales`: the code of 0. None without zero points.
    stored_scales: uint8, in the shape of `scales`: what files store, the codes of E8M0 (2^(c - 127); of
        integers of B bits for 2^(B-2) codes) or the bit fields of E4M3 (in units of `tensor_scale`). None where
        scales are FP32.
    tensor_scale: the FP32 scale of the whole array in two-level formats (nvfp4), already part of `scales`; else
        1.
    format: name of codes and scales, such as "int4-asym" or "mxfp4".
    granularity: "channel" (a row), "column", "tensor", "group32" and so on; "" without scales.
    bits_per_weight: of the codes, with their share of scales (32 bits, or 8 in E8M0 and E4M3), zero points and
        AWQ's scales of columns; without the one FP32 number of a two-level format.
    relative_error: sum (values - input)^2 / sum input^2, both as float32.
    method: "rtn", "gptq" or "awq".
    error, rtn_error: with inputs or a Hessian: tr((Q - W) H (Q - W)^T), twice the mean squared error of the
        outputs, summed over outputs; and the same of round-to-nearest with this format. Else None.
    damping, failed_dampings: gptq: the share of H's mean diagonal that was added to it, and the shares that
        were tried before.
    alpha: awq: the exponent of the input's mean magnitude, 0 .. 1 in sixteenths.
    column_scales: awq: float32 [columns], s of Q(W diag(s)) diag(s)^-1: values = codes * scales /
        column_scales. None if alpha is 0.
    rotation: width of the blocks of the rotation in which codes are, Q(W R) R^T; 1: not rotated.
    dead_inputs: inputs that were 0 in all rows of `inputs`.
    """

    values: Any
    codes: NDArray[Any]
    scales: NDArray[np.float32] | None
    zeros: NDArray[np.uint8] | None
    stored_scales: NDArray[np.uint8] | None
    tensor_scale: float
    format: str
    granularity: str
    bits_per_weight: float
    relative_error: float
    method: str = "rtn"
    error: float | None = None
    rtn_error: float | None = None
    damping: float | None = None
    failed_dampings: list[float] = field(default_factory=list)
    alpha: float | None = None
    column_scales: NDArray[np.float32] | None = None
    rotation: int = 1
    dead_inputs: int = 0

    def __repr__(self) -> str:
        shape = " x ".join(str(extent) for extent in self.codes.shape)
        shared = f" {self.granularity}" if self.granularity else ""
        return (f"<bitlaw.Quantized {self.method} {self.format}{shared}, {shape}, {self.bits_per_weight:.6g} bits "
                f"each, relative error {self.relative_error:.4g}>")


class Calibration:
    """What the inputs x_t of a weight matrix say of it, t = 1 .. n: summed once, for any number of matrices.

        H = 2/n sum_t x_t x_t^T      m_c = 1/n sum_t |x_tc|

    Sums are in float64 and run over the rows in order, so neither threads nor the number of calls of `add`
    change a bit. Memory: 8 bytes for each of columns^2 entries.

    `inputs` are rows of numbers, [tokens, columns]: a numpy array, or a torch tensor on the CPU.

    >>> import numpy as np
    >>> calibration = Calibration(np.array([[1.0, 2.0], [3.0, -4.0]]))
    >>> calibration.hessian
    array([[ 10., -10.],
           [-10.,  20.]])
    >>> calibration.add(np.zeros((2, 2)))
    >>> calibration.tokens, calibration.magnitude.tolist()
    (4, [1.0, 1.5])
    """

    __module__ = "bitlaw"

    def __init__(self, inputs: Any) -> None:
        taken = _taken(inputs, "inputs")
        shape = taken.shape if isinstance(taken, np.ndarray) else tuple(inputs.shape)
        if len(shape) != 2:
            raise Error(f"inputs: an array of {len(shape)} axes; give [tokens, columns]")
        self._core = _core.Calibration(int(shape[1]))
        self._core.add(taken)

    def add(self, inputs: Any, *, threads: int = 0) -> None:
        """More inputs, [tokens, columns]. `threads` 0: all that the machine has."""
        self._core.add(_taken(inputs, "inputs"), _whole(threads, "threads", _MOST_THREADS))

    @property
    def tokens(self) -> int:
        """n, the rows so far."""
        return self._core.tokens

    @property
    def columns(self) -> int:
        """Numbers of a row."""
        return self._core.columns

    @property
    def hessian(self) -> NDArray[np.float64]:
        """H, [columns, columns], in units of the inputs squared."""
        return self._core.hessian

    @property
    def magnitude(self) -> NDArray[np.float32]:
        """m, [columns], in units of the inputs."""
        return self._core.magnitude


def _rounded(
    weights: Any,
    format: str | int,
    *,
    method: str,
    group: int = 0,
    granularity: str = "",
    asymmetric: bool = False,
    clip: bool = False,
    gauss: bool = False,
    act_order: bool = False,
    hadamard: bool = False,
    damping: float = _core.first_damping,
    inputs: Any = None,
    hessian: Any = None,
    threads: int = 0,
) -> Quantized:
    if inputs is not None and hessian is not None:
        raise Error("give inputs or a hessian, not both")
    name, _, shared = _named(format).partition("/")
    if not isinstance(granularity, str):
        raise Error(f"granularity {granularity!r}: a name is expected, such as 'channel', 'group32' or 'tensor'")
    if shared and granularity:
        raise Error(f"'{format}' says what shares a scale; leave granularity away")
    taken = _taken(weights, "weights")
    calibration = None
    if inputs is not None:
        calibration = (inputs if isinstance(inputs, Calibration) else Calibration(inputs))._core
    answer = _core.round_matrix(
        taken,
        method=method,
        format=name,
        group=_whole(group, "group"),
        granularity=shared or granularity,
        asymmetric=_flag(asymmetric, "asymmetric"),
        clip=_flag(clip, "clip"),
        gauss=_flag(gauss, "gauss"),
        act_order=_flag(act_order, "act_order"),
        hadamard=_flag(hadamard, "hadamard"),
        damping=_share(damping, "damping"),
        calibration=calibration,
        hessian=None if hessian is None else _taken(hessian, "hessian"),
        threads=_whole(threads, "threads", _MOST_THREADS),
    )
    values = _returned(answer.pop("values"), answer.pop("type"), weights)
    return Quantized(values=values, method=method or "rtn", **answer)


def quantize(
    array: Any,
    format: str | int = "int4",
    *,
    group: int = 0,
    granularity: str = "",
    asymmetric: bool = False,
    clip: bool = False,
    gauss: bool = False,
    threads: int = 0,
) -> Quantized:
    """Rounds every number to the nearest code of a format, and says the codes and scales.

    Formats and rules are those of `bitlaw quantize`, to the bit, and of training but for blocks whose scale is
    below 2^-126 (docs/formats.md). The largest magnitude of a block sets its scale, unless `clip`, `gauss` or the
    format says otherwise.

    array: [rows, columns], or [columns] for one row: numpy float32, float64, float16 or ml_dtypes.bfloat16, a
        list of rows, or whatever has `__dlpack__` in the memory of the CPU (torch, bfloat16 too). float32 that lies row
        after row is read in place; everything else is copied once. float16 and bfloat16 become float32
        exactly; float64 is rounded to float32 first, since scales and products are float32.
    format: a name of `bitlaw.formats()`, or any `intB`, `eXmY`, bits (`4`), with endings: "int4-asym",
        "e2m1-e8m0", "int3-clip", "int4-gauss"; "int4/group32" also says what shares a scale.
    group: consecutive entries of a row that share a scale; 0: a whole row. Wider than a row is a row.
        Published block formats (mxfp4, nvfp4, ...) have theirs.
    granularity: "channel" (a row), "group32", "tensor", or "column".
    asymmetric: with a zero point, integers of 2 to 8 bits: codes cover the smallest to the largest number.
    clip: search the range of each block for the least squared error.
    gauss: take the range of least error for normal numbers of the block's size.
    threads: 0: all that the machine has. They change no bit.

    Values come back in the type of the array: exact for float32 and float64, rounded once to float16 or bfloat16.
    An array without entries gives one without entries. The GIL is released; do not write to the array meanwhile.

    Raises `bitlaw.Error`: an unknown format (with the nearest name), numbers that are not finite, more than two
    axes, or a rounded number beyond the type of the array.

    Source: docs/formats.md; OCP Microscaling Formats 1.0 for MX, NVIDIA for NVFP4; QuEST (Panferov et al. 2025,
    arXiv 2502.05003) for `gauss`.

    >>> import numpy as np
    >>> weights = np.array([[0.1, -0.7, 0.35, 0.2], [3.0, 1.0, -2.0, 0.4]], dtype=np.float32)
    >>> rounded = quantize(weights, "int4")
    >>> rounded.codes
    array([[ 1, -7,  4,  2],
           [ 7,  2, -5,  1]], dtype=int8)
    >>> rounded.scales.shape, rounded.bits_per_weight
    ((2, 1), 12.0)
    >>> bool((rounded.values == rounded.codes * rounded.scales).all())
    True
    """
    return _rounded(array, format, method="", group=group, granularity=granularity, asymmetric=asymmetric,
                    clip=clip, gauss=gauss, threads=threads)


def rtn(
    weights: Any,
    format: str | int = "int4",
    *,
    group: int = 0,
    inputs: Any = None,
    hessian: Any = None,
    asymmetric: bool = False,
    clip: bool = False,
    gauss: bool = False,
    hadamard: bool = False,
    threads: int = 0,
) -> Quantized:
    """Round-to-nearest: the method `rtn` of `bitlaw quantize`, with its options.

    weights: [rows, columns], a row for each output; arrays as in `bitlaw.quantize`.
    format, group, asymmetric, clip, gauss, threads: as in `bitlaw.quantize`.
    inputs: [tokens, columns] or a `bitlaw.Calibration`: then the result has `error`. The weights are rounded
        without them.
    hessian: [columns, columns], in their place.
    hadamard: round in a rotated basis and rotate back, Q(W R) R^T (`bitlaw.hadamard`).

    Raises `bitlaw.Error`: as `bitlaw.quantize`.

    >>> import numpy as np
    >>> weights = np.array([[0.5, 1.0, -7.0, 3.25]], dtype=np.float32)
    >>> rtn(weights, "int4").codes
    array([[ 0,  1, -7,  3]], dtype=int8)
    >>> rtn(weights, "int4", inputs=np.eye(4)).error          # 2/4 (.5^2 + .25^2)
    0.15625
    """
    return _rounded(weights, format, method="rtn", group=group, inputs=inputs, hessian=hessian,
                    asymmetric=asymmetric, clip=clip, gauss=gauss, hadamard=hadamard, threads=threads)


def gptq(
    weights: Any,
    format: str | int = "int4",
    *,
    inputs: Any = None,
    hessian: Any = None,
    group: int = 0,
    act_order: bool = False,
    damping: float = _core.first_damping,
    asymmetric: bool = False,
    clip: bool = False,
    gauss: bool = False,
    hadamard: bool = False,
    threads: int = 0,
) -> Quantized:
    """GPTQ: rounds one column after the other, and corrects the rest for the error so far.

    The method `gptq` of `bitlaw quantize`, to the bit. Scales of groups are taken when their first column is due, as
    in the authors' code; with `act_order` they are those of round-to-nearest.

    weights: [rows, columns], a row for each output; arrays as in `bitlaw.quantize`.
    format, group, asymmetric, clip, gauss, threads: as in `bitlaw.quantize`.
    inputs: [tokens, columns], what the weights are multiplied with, or a `bitlaw.Calibration` of it.
    hessian: [columns, columns] = 2/n inputs.T @ inputs, in the place of inputs. Another factor than 2/n changes
        `error` alone (but for roundings).
    act_order: columns in descending order of the Hessian's diagonal.
    damping: share of the Hessian's mean diagonal that is added to it; ten times as much where that is not
        positive definite, and so on (`failed_dampings`).
    hadamard: round in a rotated basis and rotate back.

    Raises `bitlaw.Error`: as `bitlaw.quantize`; no inputs; a Hessian that is not symmetric, or that no damping
    mends.

    Source: Frantar et al. 2022, arXiv 2210.17323; as Babai's nearest plane, Chen et al. 2025, arXiv 2507.18553.

    >>> import numpy as np
    >>> draw = np.random.default_rng(1)
    >>> inputs = draw.normal(size=(256, 32)) @ draw.normal(size=(32, 32))
    >>> weights = draw.normal(size=(8, 32)).astype(np.float32)
    >>> rounded = gptq(weights, "int3", inputs=inputs, group=16)
    >>> rounded.error < rounded.rtn_error
    True
    """
    if inputs is None and hessian is None:
        raise Error("gptq needs what the weights are multiplied with: give inputs or a hessian")
    return _rounded(weights, format, method="gptq", group=group, inputs=inputs, hessian=hessian,
                    asymmetric=asymmetric, clip=clip, gauss=gauss, act_order=act_order, hadamard=hadamard,
                    damping=damping, threads=threads)


def awq(
    weights: Any,
    format: str | int = "int4",
    *,
    inputs: Any,
    group: int = 0,
    asymmetric: bool = False,
    clip: bool = False,
    gauss: bool = False,
    hadamard: bool = False,
    threads: int = 0,
) -> Quantized:
    """AWQ: columns with large inputs are scaled up before they are rounded, and down afterwards.

    The method `awq` of `bitlaw quantize`, to the bit: Q = round(W diag(s)) diag(s)^-1 with s the mean magnitude of the
    inputs to the power alpha, and alpha in 0 .. 1 by least error. Never worse than round-to-nearest on `inputs`.

    weights: [rows, columns], a row for each output; arrays as in `bitlaw.quantize`.
    format, group, asymmetric, clip, gauss, threads: as in `bitlaw.quantize`.
    inputs: [tokens, columns], what the weights are multiplied with, or a `bitlaw.Calibration` of it.
    hadamard: round in a rotated basis and rotate back.

    Raises `bitlaw.Error`: as `bitlaw.quantize`.

    Source: Lin et al. 2023, arXiv 2306.00978; the authors share one s among matrices, here each has its own.

    >>> import numpy as np
    >>> draw = np.random.default_rng(1)
    >>> inputs = draw.normal(size=(64, 16)) * 2.0 ** np.arange(16)
    >>> rounded = awq(draw.normal(size=(8, 16)), "int3", inputs=inputs)
    >>> rounded.alpha > 0, rounded.error < rounded.rtn_error
    (True, True)
    """
    if inputs is None:
        raise Error("awq needs what the weights are multiplied with: give inputs")
    return _rounded(weights, format, method="awq", group=group, inputs=inputs, asymmetric=asymmetric, clip=clip,
                    gauss=gauss, hadamard=hadamard, threads=threads)


def hadamard(array: Any, *, width: int = 0, training: bool = False) -> Any:
    """Rotates rows in blocks by Hadamard matrices: x R. The rotation is its own inverse.

    Each block of R is Sylvester's matrix of +-1 divided by the square root of its width, so an outlier is
    spread over its block, and (x R) (R^T w) = x w: rotate both operands of a product.

    array: [rows, columns] or [columns]; arrays as in `bitlaw.quantize`.
    width: of the blocks, a power of two that divides the columns; 0: the largest there is up to 65536. 1 rotates
        nothing.
    training: round every sum to float32, as a training step does. Else sums are float64 and rounded once, as in
        `bitlaw quantize`. A float64 array is float64 throughout.

    Returns: the rotated rows, in the shape, type and library of the array.

    Raises `bitlaw.Error`: a width that does not divide the columns.

    Source: QuIP# (Tseng et al. 2024, arXiv 2402.04396), QuaRot (Ashkboos et al. 2024, arXiv 2404.00456).

    >>> import numpy as np
    >>> hadamard(np.array([4.0, 0.0, 0.0, 0.0]))
    array([2., 2., 2., 2.])
    >>> hadamard(hadamard(np.array([1.0, 2.0, 3.0, 4.0])))
    array([1., 2., 3., 4.])
    """
    rotated = _core.rotate(_taken(array, "array"), _whole(width, "width"), training)
    kind = ""
    if rotated.dtype == np.uint16:
        kind = "float16" if str(array.dtype).endswith("float16") and "bfloat16" not in str(array.dtype) else "bfloat16"
    return _returned(rotated, kind, array)


@dataclass(frozen=True)
class Format:
    """A number format: codes, and the scales of blocks. Numbers are in units of the scale.

    name: "int4", "e2m1", "mxfp4", "int4-asym" and so on.
    codes: name of the codes alone: "e2m1" for mxfp4.
    kind: "integer" or "float".
    bits: of a code, with its sign.
    exponent_bits, mantissa_bits: X and Y of eXmY; 0 for integers.
    largest, lowest: the largest code, to which the largest magnitude of a block is scaled, and the most
        negative one.
    smallest_normal, smallest_positive: smallest codes above 0: with all its mantissa bits, and of all.
    group: entries that share a scale, where the name says so; 0: any.
    scales: "fp32", "e8m0", "e4m3", or "" for bf16 and fp32, which have none.
    asymmetric, clip, gauss: as in `bitlaw.quantize`.
    bits_per_weight: with its share of a scale, where the name says what shares one; else `bits`.
    """

    name: str
    codes: str
    kind: Literal["integer", "float"]
    bits: int
    exponent_bits: int
    mantissa_bits: int
    largest: float
    lowest: float
    smallest_normal: float
    smallest_positive: float
    group: int
    scales: Literal["fp32", "e8m0", "e4m3", ""]
    asymmetric: bool
    clip: bool
    gauss: bool
    bits_per_weight: float

    def values(self) -> NDArray[np.float32]:
        """All codes as numbers, ascending; -0 and 0 once. Not for fp32.

        >>> formats("e2m1")["e2m1"].values().tolist()[7:]
        [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
        """
        return _core.code_values(self.name)


def formats(*names: str | int) -> dict[str, Format]:
    """What each number format is, by name: the usual ones, or those that are named.

    Any intB (2 to 16 bits) and eXmY (2 <= X <= 7, 0 <= Y <= 10) is a name, with the endings of `bitlaw.quantize`.

    Raises `bitlaw.Error`: an unknown name, with the nearest one.

    Source: docs/formats.md.

    >>> formats()["mxfp4"].bits_per_weight, formats()["e4m3"].largest
    (4.25, 448.0)
    >>> formats("int3-asym")["int3-asym"].largest
    7.0
    """
    asked = [_named(name) for name in names] or _core.usual_formats()
    return {name: Format(**_core.format_facts(name)) for name in asked}


def error(
    format: str | int,
    *,
    group: int = 0,
    source: Literal["least", "block", "printed"] | None = None,
    scale: float | None = None,
    crest: float | None = None,
) -> float:
    """Mean squared error of normal numbers in a format, relative to their variance.

    Nothing is sampled: the normal density is integrated over the cell of every code.

    format: as in `bitlaw.quantize`; without a zero point or a fitted range.
    group: numbers that share a scale, which their largest magnitude sets.
    source: "least": one scale for all numbers, the best one. "block": the mean over blocks of `group`, with the
        scales that a quantizer takes. "printed": the approximation of Chen et al. at the mean block. None:
        "block" where a group is given or the format has one, else "least".
    scale: at this scale instead, in standard deviations for each code.
    crest: in blocks of `group` whose largest magnitude is `crest` times their root mean square.

    Returns: A share of the variance: 0.01 is a signal-to-noise ratio of 20 dB.

    Raises `bitlaw.Error`: blocks without a group, of more than 8 bits, or with a crest that none has.

    Source: GMSE of Panferov et al. 2025, arXiv 2506.01863; blocks, Chen et al. 2025, arXiv 2510.25602, eqs. 13 and
    14, without their approximations (docs/decisions/0029-noise-of-blocks.md).

    >>> round(error("int4"), 6), round(error("int4", group=128), 6), round(error("mxfp4"), 6)
    (0.011864, 0.013752, 0.013352)
    """
    name, _, shared = _named(format).partition("/")
    if shared:
        entries = shared.removeprefix("group")
        if group or not shared.startswith("group") or not entries.isascii() or not entries.isdigit():
            raise Error(f"'{format}': what blocks lose depends on how many numbers share a scale; say that once, as "
                        f"in '{name}/group32' or with group")
        group = int(entries)
    return _core.format_error(name, _whole(group, "group"), source or "",
                              None if scale is None else _share(scale, "scale"),
                              None if crest is None else _share(crest, "crest"))
