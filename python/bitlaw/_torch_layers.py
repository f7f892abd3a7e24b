"""Where a model is rounded: its linear layers, and what its attention takes."""

# pyright: reportMissingImports=false
from __future__ import annotations

import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ._ask import Error
from ._torch_recipe import Recipe
from ._torch_round import Rounding, core_of, parts_of


class RoundedLinear(nn.Linear):
    """A linear layer whose weight and input are rounded in each forward pass; its parameters are as before.

    `bitlaw.torch.fake_quantize` makes it of an `nn.Linear` by changing the object's class, and
    `bitlaw.torch.remove` changes it back.

        y = Q_a(x) Q_w(W)^T + bias,   x [..., token, in],  W [out, in],  y [..., token, out]
    """

    __module__ = "bitlaw.torch"
    input_rounding: Rounding
    weight_rounding: Rounding
    # The layers whose weights, one below another, are rounded as one matrix; this one is among them.
    one_matrix: list[nn.Linear]

    @staticmethod
    def of(linear: nn.Linear, weight: Rounding, inputs: Rounding, one_matrix: list[nn.Linear]) -> None:
        linear.__class__ = RoundedLinear
        assert isinstance(linear, RoundedLinear)
        linear.weight_rounding, linear.input_rounding, linear.one_matrix = weight, inputs, one_matrix

    def undo(self) -> None:
        del self.weight_rounding, self.input_rounding, self.one_matrix
        self.__class__ = nn.Linear  # type: ignore[assignment]

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(self.input_rounding(input), self.rounded_weight(), self.bias)

    def rounded_weight(self) -> Tensor:
        """What the product is taken of, [out, in]; its gradient goes to `weight`."""
        if len(self.one_matrix) < 2:
            return self.weight_rounding(self.weight)
        parts = [each.weight if each is self else each.weight.detach() for each in self.one_matrix]
        begin = sum(each.out_features for each in self.one_matrix[: self.one_matrix.index(self)])
        return self.weight_rounding(torch.cat(parts))[begin : begin + self.out_features]

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, weights={self.weight_rounding}, inputs={self.input_rounding}"


def _row_scales(values: Tensor, rounding: Rounding) -> Tensor | None:
    """What a product with probabilities takes out of each row of the values, [batch, head, token]; None where
    probabilities are not rounded for it."""
    core = core_of(rounding.role, rounding.precision, rounding.granularity)
    if not core.has_bf16_products:
        return None
    if not core.folds:
        return parts_of(values, rounding, codes=True)["scales"][..., 0]
    x = values.detach().float().contiguous()
    scales = torch.empty(len(x), 1, 1)
    core.tensor_scales(x.flatten(1, 2), scales)
    return scales.expand(x.shape[:-1])


def _attention(query: Tensor, key: Tensor, value: Tensor, row_scales: Tensor | None, attn_mask: Tensor | None = None,
               dropout_p: float = 0.0, is_causal: bool = False, scale: float | None = None,
               enable_gqa: bool = False) -> Tensor:
    """scaled_dot_product_attention of rounded operands, with the probabilities of a row of values times its scale
    rounded to BF16 (docs/numerics.md, step 10)."""
    if dropout_p > 0:
        raise Error("probabilities='bf16' does not go with dropout in attention; training in bitlaw has none")
    if enable_gqa:
        queries_per_key = query.shape[-3] // key.shape[-3]
        key, value = (each.repeat_interleave(queries_per_key, -3) for each in (key, value))
        if row_scales is not None:
            row_scales = row_scales.repeat_interleave(queries_per_key, -2)
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if attn_mask is not None:
        scores = (scores.masked_fill(attn_mask.logical_not(), -torch.inf) if attn_mask.dtype == torch.bool
                  else scores + attn_mask)
    probabilities = scores.softmax(-1)
    if row_scales is not None:
        s = torch.where(row_scales > 0, row_scales, 1)[..., None, :]
        probabilities = (_BF16(probabilities * s) / s).to(value.dtype)
    return probabilities @ value


_BF16 = Rounding("activations", "bf16", "")


class _RoundHeads(TorchFunctionMode):
    """Rounds what `scaled_dot_product_attention` takes."""

    def __init__(self, recipe: Recipe, probabilities: str) -> None:
        super().__init__()
        self.recipe, self.probabilities = recipe, probabilities
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        self.calls += 1
        given = dict(zip(_ARGUMENTS, args, strict=False)) | (kwargs or {})
        query, key, value = (given.pop(name) for name in _ARGUMENTS[:3])
        shapes = [list(tensor.shape) for tensor in (query, key, value)]
        if any(len(shape) != 4 for shape in shapes):
            raise Error(f"attention of queries, keys and values of shapes {', '.join(map(str, shapes))}: expected "
                        "[batch, head, token, width], which says what shares a scale")
        rounded = self.recipe.queries(query), self.recipe.keys(key), self.recipe.values(value)
        if self.probabilities == "bf16":
            return _attention(*rounded, _row_scales(value, self.recipe.values), **given)
        return func(*rounded, **given)


_ARGUMENTS = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")


class RoundAttention:
    """The hooks of a module that computes attention: in its forward pass, queries, keys and values are rounded
    where `scaled_dot_product_attention` takes them, [batch, head, token, width]."""

    def __init__(self, name: str, recipe: Recipe, required: bool, probabilities: str) -> None:
        self.name, self.recipe, self.required, self.probabilities = name, recipe, required, probabilities
        self._here = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_here"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._here = threading.local()

    def attach(self, module: nn.Module) -> None:
        module.register_forward_pre_hook(_Enter(self))
        module.register_forward_hook(_Leave(self), always_call=True)

    def enter(self) -> None:
        modes = self._here.__dict__.setdefault("modes", [])
        modes.append(_RoundHeads(self.recipe, self.probabilities))
        modes[-1].__enter__()

    def leave(self, finished: bool) -> None:
        mode = self._here.modes.pop()
        mode.__exit__(None, None, None)
        if finished and self.required and mode.calls == 0:
            raise Error(
                f"{self.name}: keys and values were not rounded, because its forward pass does not call "
                "torch.nn.functional.scaled_dot_product_attention; name the modules that do with attention=, or "
                "those whose outputs are keys and values with keys= and values=; a model of transformers calls it after "
                "set_attn_implementation('sdpa')"
            )


class _Hook:
    def __init__(self, attention: RoundAttention) -> None:
        self.attention = attention


class _Enter(_Hook):
    def __call__(self, module: nn.Module, inputs: Any) -> None:
        self.attention.enter()


class _Leave(_Hook):
    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.attention.leave(finished=output is not None)


class RoundOutput:
    """The hook of a module whose output is keys, values or queries, [batch, head, token, width]."""

    def __init__(self, name: str, rounding: Rounding) -> None:
        self.name, self.rounding = name, rounding

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor) or output.ndim != 4:
            what = list(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise Error(f"{self.name}: its output is to be {self.rounding.role} [batch, head, token, width], and is "
                        f"{what}; name a module with such an output")
        return self.rounding(output)


def remove(model: nn.Module) -> None:
    """Takes every rounding of `bitlaw.torch.fake_quantize` out of a model, also out of a copy of one.

    >>> import torch, bitlaw.torch
    >>> model = torch.nn.Linear(4, 2, bias=False)
    >>> rounded = bitlaw.torch.fake_quantize(model, "W4A4")
    >>> bitlaw.torch.remove(model)
    >>> model
    Linear(in_features=4, out_features=2, bias=False)
    """
    for module in model.modules():
        if isinstance(module, RoundedLinear):
            module.undo()
        for hooks in (module._forward_pre_hooks, module._forward_hooks):
            for key, hook in list(hooks.items()):
                if isinstance(hook, (_Enter, _Leave, RoundOutput)):
                    del hooks[key]
        _forget(module)


def _forget(module: nn.Module) -> None:
    """Keys of hooks that are gone."""
    for name, hooks in (("_forward_hooks_always_called", module._forward_hooks),
                        ("_forward_hooks_with_kwargs", module._forward_hooks)):
        flags = getattr(module, name)
        for key in [key for key in flags if key not in hooks]:
            del flags[key]


def is_rounded(module: nn.Module) -> bool:
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    return isinstance(module, RoundedLinear) or any(isinstance(hook, (_Hook, RoundOutput)) for hook in hooks)
