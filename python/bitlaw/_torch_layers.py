"""Where a model is rounded: its linear layers, and what its attention takes."""

# pyright: reportMissingImports=false
from __future__ import annotations

import threading
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ._ask import Error
from ._torch_recipe import Recipe
from ._torch_round import Rounding


class RoundedLinear(nn.Linear):
    """A linear layer whose weight and input are rounded in each forward pass; its parameters are as before.

    `bitlaw.torch.fake_quantize` makes it of an `nn.Linear` by changing the object's class, and
    `bitlaw.torch.remove` changes it back.

        y = Q_a(x) Q_w(W)^T + bias,   x [..., token, in],  W [out, in],  y [..., token, out]
    """

    __module__ = "bitlaw.torch"
    input_rounding: Rounding
    weight_rounding: Rounding

    @staticmethod
    def of(linear: nn.Linear, weight: Rounding, inputs: Rounding) -> None:
        linear.__class__ = RoundedLinear
        assert isinstance(linear, RoundedLinear)
        linear.weight_rounding, linear.input_rounding = weight, inputs

    def undo(self) -> None:
        del self.weight_rounding, self.input_rounding
        self.__class__ = nn.Linear  # type: ignore[assignment]

    def forward(self, input: Tensor) -> Tensor:
        return functional.linear(self.input_rounding(input), self.weight_rounding(self.weight), self.bias)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, weights={self.weight_rounding}, inputs={self.input_rounding}"


class _RoundHeads(TorchFunctionMode):
    """Rounds what `scaled_dot_product_attention` takes."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.calls = 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            self.calls += 1
            names = ("query", "key", "value")
            given = dict(zip(names, args, strict=False)) | {name: kwargs[name] for name in names if name in kwargs}
            rest = {name: value for name, value in kwargs.items() if name not in names}
            if any(tensor.ndim != 4 for tensor in given.values()):
                shapes = ", ".join(str(list(tensor.shape)) for tensor in given.values())
                raise Error(f"attention of queries, keys and values of shapes {shapes}: expected [batch, head, token, width], "
                            "which says what shares a scale")
            return func(self.recipe.queries(given["query"]), self.recipe.keys(given["key"]),
                        self.recipe.values(given["value"]), *args[3:], **rest)
        return func(*args, **kwargs)


class RoundAttention:
    """The hooks of a module that computes attention: in its forward pass, queries, keys and values are rounded
    where `scaled_dot_product_attention` takes them, [batch, head, token, width]."""

    def __init__(self, name: str, recipe: Recipe, required: bool) -> None:
        self.name, self.recipe, self.required = name, recipe, required
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
        modes.append(_RoundHeads(self.recipe))
        modes[-1].__enter__()

    def leave(self, finished: bool) -> None:
        mode = self._here.modes.pop()
        mode.__exit__(None, None, None)
        if finished and self.required and mode.calls == 0:
            raise Error(
                f"{self.name}: keys and values were not rounded, because its forward pass does not call "
                "torch.nn.functional.scaled_dot_product_attention; name the modules that do with attention=, or "
                "those whose outputs are keys and values with keys= and values="
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
