"""The roundings as operators of torch: to torch.compile an operator is one step that it does not look into.

torch keeps these functions for good, and with them whatever this module names. So the rest of the package is
imported inside them, and the interpreter can take it down at its end.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def _round(tensor: Tensor, role: str, precision: str, granularity: str) -> tuple[Tensor, Tensor]:
    from ._torch_round import Rounding, parts_of

    parts = parts_of(tensor, Rounding(role, precision, granularity), trusted=True)  # type: ignore[arg-type]
    return parts["values"].to(tensor.dtype), parts["trusted"]


def _shape_of_rounded(tensor: Tensor, role: str, precision: str, granularity: str) -> tuple[Tensor, Tensor]:
    like = torch.empty_like(tensor, memory_format=torch.contiguous_format)
    return like, torch.empty_like(like, dtype=torch.bool)


def _keep_for_backward(ctx: Any, inputs: Any, output: Any) -> None:
    from ._torch_round import core_of

    tensor, role, precision, granularity = inputs
    core = core_of(role, precision, granularity)
    ctx.width = core.rotation(tensor.shape[-1])
    ctx.trust = core.trust
    if core.trust:
        ctx.save_for_backward(output[1])


def _backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor, None, None, None]:
    if ctx.trust:
        gradient = gradient * ctx.saved_tensors[0]
    return (rotate_op(gradient, ctx.width) if ctx.width > 1 else gradient), None, None, None


def _rotate(tensor: Tensor, width: int) -> Tensor:
    from ._torch_round import rotated

    return rotated(tensor, width)


def _shape_of_rotated(tensor: Tensor, width: int) -> Tensor:
    return torch.empty_like(tensor, memory_format=torch.contiguous_format)


# Values, and whether the range holds them.
round_op: Any = torch.library.custom_op("bitlaw::round", _round, mutates_args=())
round_op.register_fake(_shape_of_rounded)
round_op.register_autograd(_backward, setup_context=_keep_for_backward)

# x R along rows.
rotate_op: Any = torch.library.custom_op("bitlaw::rotate", _rotate, mutates_args=())
rotate_op.register_fake(_shape_of_rotated)
