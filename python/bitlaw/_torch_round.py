"""The roundings of training as straight-through functions of torch tensors."""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from . import _core
from ._ask import Error
from ._torch_ops import round_op

# Entries whose rounding takes longer than it takes to start threads (2 to 10 ns each, one core).
_WORTH_THREADS = 1 << 17

Role = Literal["weights", "activations", "keys", "values", "queries"]


@lru_cache(maxsize=256)
def core_of(role: str, precision: str, granularity: str) -> _core.RoleRounding:
    try:
        return _core.RoleRounding(role, precision, granularity)
    except ValueError as error:
        raise Error(str(error)) from None


class Quantized(NamedTuple):
    """The parts of a rounded tensor, each of its shape. With +hadamard they are those of the rotated tensor.

    values: `codes` * `scales`, what a product is taken of; float32.
    codes: the numbers in units of their scale, codes of the format; float32.
    scales: the scale of each entry, float32: equal over all entries that share one; 1 for bf16 and fp32.
    trusted: whether the range holds the entry, bool: where the gradient goes with +trust.
    """

    values: Tensor
    codes: Tensor
    scales: Tensor
    trusted: Tensor


@dataclass(frozen=True)
class Rounding:
    """How one role of a recipe is rounded. Called with a tensor, it rounds it as `bitlaw.torch.round` does.

    role: weights, activations, keys, values or queries.
    precision: a format with its options: int4, e2m1, mxfp4, int4+gauss+hadamard128+trust; bf16 and fp32.
    granularity: what shares a scale: tensor, channel, sequence, token, group32, batch; "" without scales.

    >>> from bitlaw.torch import Rounding
    >>> import torch
    >>> Rounding("weights", "int4", "channel")(torch.tensor([[7.0, 1.4, -0.2]]))
    tensor([[7., 1., -0.]])
    """

    role: Role
    precision: str
    granularity: str

    __module__ = "bitlaw.torch"

    def __post_init__(self) -> None:
        core_of(self.role, self.precision, self.granularity)

    @property
    def name(self) -> str:
        """As a record of a run names it: int4/channel, mxfp4, bf16."""
        return core_of(self.role, self.precision, self.granularity).name

    @property
    def scaled(self) -> bool:
        """False for bf16 and fp32, which have no scale."""
        return core_of(self.role, self.precision, self.granularity).scaled

    @property
    def rounds(self) -> bool:
        """False for fp32: tensors pass unchanged."""
        return core_of(self.role, self.precision, self.granularity).rounds

    def __call__(self, tensor: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            return round_op(tensor, self.role, self.precision, self.granularity)[0]
        if not self.rounds:
            return tensor
        rounded: Tensor = StraightThrough.apply(tensor, self)
        return rounded

    def __str__(self) -> str:
        return self.name


def rounding_of(precision: str | int, granularity: str | None, role: Role | None) -> Rounding:
    """A rounding from the arguments of `round`."""
    if precision is None or isinstance(precision, bool):
        raise Error(f"precision {precision!r}: a name, such as 'int4', or a whole number of bits is expected")
    text = str(precision)
    asked = role
    role = asked or _role_of(granularity)
    core = core_of(role, text, granularity or "")
    if asked not in (None, "weights") and granularity in ("tensor", "per-tensor"):
        raise Error(f"{role} have no granularity 'tensor'; 'sequence' is one scale for each sequence, "
                    "'batch' one for the whole tensor")
    if core.scaled and granularity is None and not core.name == core.precision:
        usual = "channel" if role == "weights" else "sequence"
        raise Error(f"'{text}' needs a granularity, which says what shares a scale; '{usual}' is usual for {role}")
    return Rounding(role, core.precision, core.granularity)


def _role_of(granularity: str | None) -> Role:
    short = (granularity or "").removeprefix("per-")
    if short == "channel":
        raise Error("'channel' is a row of weights and a column of activations; say role='weights' or "
                    "role='activations'")
    return "weights" if short == "tensor" else "activations"


def _matrices(tensor: Tensor, rounding: Rounding) -> tuple[tuple[int, int, int], int]:
    """(matrices, rows, columns), and the heads of a matrix: what shares scales lies in one matrix."""
    role, shape = rounding.role, tuple(tensor.shape)
    wanted = {"weights": (2, "[..., out, in]"), "activations": (1, "[..., token, in]")}
    least, expected = wanted.get(role, (3, "[..., head, token, width]"))
    if len(shape) < least:
        raise Error(f"{role} of shape {list(shape)}: expected {expected}")
    own = min(3 if role not in wanted else 2, len(shape))
    heads = shape[-3] if role not in wanted else 1
    columns = shape[-1]
    rows = 1
    for size in shape[-own:-1]:
        rows *= size
    matrices = 1
    for size in shape[:-own]:
        matrices *= size
    if rounding.granularity == "batch":
        return (1, matrices * rows, columns), 1
    return (matrices, rows, columns), max(heads, 1)


def parts_of(tensor: Tensor, rounding: Rounding, *, codes: bool = False, trusted: bool = False,
             by_definition: bool = False) -> dict[str, Tensor]:
    """`values`, and what else is asked for, float32 (`trusted`: bool), each of the tensor's shape."""
    if not isinstance(tensor, Tensor):
        raise Error(f"bitlaw.torch rounds tensors, and this is a {type(tensor).__name__}; bitlaw.quantize rounds arrays")
    if tensor.device.type != "cpu":
        raise Error(f"bitlaw.torch rounds on the CPU, and this tensor is on {tensor.device}; move it with .cpu()")
    if tensor.layout != torch.strided:
        raise Error(f"bitlaw.torch rounds dense tensors, and this one is {tensor.layout}; use .to_dense()")
    if tensor.dtype not in (torch.float32, torch.bfloat16):
        raise Error(f"bitlaw.torch rounds float32 and bfloat16, and this tensor is {tensor.dtype}; convert it "
                    "with .float()")
    shape, heads = _matrices(tensor, rounding)
    core = core_of(rounding.role, rounding.precision, rounding.granularity)
    x = tensor.detach().resolve_neg().to(torch.float32).contiguous()
    parts = {"values": torch.empty_like(x)}
    if codes:
        parts |= {"codes": torch.empty_like(x), "scales": torch.empty_like(x)}
    if trusted:
        parts["trusted"] = torch.empty_like(x, dtype=torch.bool)
    if x.numel() > 0:
        threads = torch.get_num_threads() if x.numel() >= _WORTH_THREADS else 1
        core.round(x.view(shape), heads=heads, threads=threads, by_definition=by_definition,
                   **{name: part.view(shape) for name, part in parts.items()})
    return parts


def rotated(tensor: Tensor, width: int) -> Tensor:
    x = tensor.detach().resolve_neg().to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    if x.numel() > 0:
        _core.rotate_rows(x.view(1, -1, x.shape[-1]), width)
    return x.to(tensor.dtype)


class Rotate(Function):
    """x R along rows, in blocks of `width`; R is its own adjoint."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, width: int) -> Tensor:
        ctx.width = width
        return rotated(tensor, width)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return Rotate.apply(gradients[0], ctx.width), None


class StraightThrough(Function):
    """Rounds forward; backward as the engine does (docs/numerics.md, Backward)."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, rounding: Rounding) -> Tensor:
        core = core_of(rounding.role, rounding.precision, rounding.granularity)
        masks = core.trust and ctx.needs_input_grad[0]
        parts = parts_of(tensor, rounding, trusted=masks)
        ctx.width = core.rotation(tensor.shape[-1])
        if masks:
            ctx.save_for_backward(parts["trusted"])
        return parts["values"].to(tensor.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        gradient = gradients[0]
        trusted = ctx.saved_tensors  # once: recomputation frees them
        if trusted:
            gradient = gradient * trusted[0]
        if ctx.width > 1:
            gradient = Rotate.apply(gradient, ctx.width)
        return gradient, None


def round(tensor: Tensor, precision: str | int, granularity: str | None = None, *,
          role: Role | None = None) -> Tensor:
    """Rounds a tensor as `bitlaw train` does, bit for bit; gradients pass straight through.

    A block of entries that share a scale is rounded to `scale` times the nearest code of the format, ties to
    even, with `scale` = largest magnitude / largest code, or as the format says. Backward, the gradient of the
    result is that of the tensor, also for entries that saturate, but for two options of a precision:
    with +trust it is zero where the range cuts an entry off by more than half of the last step, and with
    +hadamard the tensor is rotated before it is rounded, and its gradient is rotated back.

    tensor: float32 or bfloat16, on the CPU. bfloat16 is widened, rounded in float32, and the result rounded
        once more to bfloat16.
    precision: bits (2 to 16; 16 is bf16, 32 none) or a name of docs/formats.md: int4, e2m1, e4m3, int4-e8m0,
        mxfp4, nvfp4, with options as in int4+gauss+hadamard128+trust.
    granularity: what shares a scale, see below. Not needed for bf16, fp32 and formats whose blocks are
        published (mxfp4, nvfp4).
    role: weights, activations, keys, values or queries. Needed where the granularity does not say it: for
        `channel`, and for keys, values and queries.

    | granularity | weights [..., out, in] | activations [..., token, in] | keys, values, queries [..., head, token, width] |
    |---|---|---|---|
    | `tensor` | a matrix [out, in] | - | - |
    | `sequence` | - | a matrix [token, in] | all heads, [head, token, width] |
    | `channel` | a row: one output | a column of a matrix | a column of one head |
    | `token` | - | a row | a row: one token of one head |
    | `group32` | 32 consecutive entries of a row | the same | the same |
    | `batch` | - | the whole tensor | the whole tensor |

    Returns: the rounded numbers, of the tensor's shape and type. With +hadamard they are those of the
        rotated tensor: the operand of a product whose other operand is rotated, too.

    Raises: bitlaw.Error if a name is unknown, the granularity is not one of the role, or the tensor is not
        float32 or bfloat16 on the CPU.

    Source: formats and scales, docs/formats.md; backward, docs/numerics.md; the straight-through estimator,
    Bengio et al. 2013 (arXiv 1308.3432); +gauss and +trust, QuEST (arXiv 2502.05003).

    >>> import torch, bitlaw.torch
    >>> x = torch.tensor([[0.9, -3.5, 0.26, 7.0]], requires_grad=True)
    >>> y = bitlaw.torch.round(x, "int4", "token")
    >>> y
    tensor([[ 1., -4.,  0.,  7.]], grad_fn=<StraightThroughBackward>)
    >>> y.sum().backward()
    >>> x.grad
    tensor([[1., 1., 1., 1.]])
    """
    return rounding_of(precision, granularity, role)(tensor)


def quantize(tensor: Tensor, precision: str | int, granularity: str | None = None, *,
             role: Role | None = None) -> Quantized:
    """The values, codes and scales that `bitlaw.torch.round` rounds to. No gradient passes.

    Arguments and errors are those of `bitlaw.torch.round`.

    Returns: `values`, `codes`, `scales` and `trusted`, each of the tensor's shape; float32 and bool.

    >>> import torch, bitlaw.torch
    >>> parts = bitlaw.torch.quantize(torch.tensor([[3.0, -1.4], [0.5, 0.1]]), "int3", "channel", role="weights")
    >>> parts.codes
    tensor([[ 3., -1.],
            [ 3.,  1.]])
    >>> parts.scales[:, 0]
    tensor([1.0000, 0.1667])
    """
    return Quantized(**parts_of(tensor, rounding_of(precision, granularity, role), codes=True, trusted=True))
