"""The roundings of training for torch: in one's own training loop, `bitlaw train`'s own, bit for bit.

    import bitlaw.torch

    y = bitlaw.torch.round(x, "int4", "token")                   # straight-through: gradients pass
    rounded = bitlaw.torch.fake_quantize(model, "W4A4KV4")       # a whole model, in place
    rounded.table                                                # what was rounded, what was not, and why
    ...                                                          # train as ever
    rounded.remove()

It needs PyTorch, which `import bitlaw` does not.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Literal

try:
    from torch import library, nn
except ImportError as _missing:
    raise ImportError("bitlaw.torch needs PyTorch, which is not installed; pip install torch") from _missing

if not hasattr(library, "custom_op"):
    raise ImportError("bitlaw.torch needs PyTorch 2.4 or later; pip install --upgrade torch")

from ._ask import Error
from ._frame import Frame
from ._torch_layers import RoundAttention, RoundedLinear, RoundOutput, is_rounded, remove
from ._torch_recipe import Recipe, recipe
from ._torch_recipe import recipe as _recipe_of
from ._torch_round import Quantized, Role, Rounding, core_of, quantize, round

__all__ = [
    "FakeQuantized",
    "Quantized",
    "Recipe",
    "RoundedLinear",
    "Rounding",
    "fake_quantize",
    "quantize",
    "recipe",
    "remove",
    "round",
]

Patterns = str | Sequence[str]

# What the last part of an output head's name is.
_HEADS = ("lm_head", "head", "output_head", "embed_out", "unembed")
_ATTENTION = ("*attn", "*attention")
# Layers of a Llama whose weights bitlaw has in one matrix, in its order of rows.
_TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))


class FakeQuantized:
    """A model that `fake_quantize` rounds, until `remove()`. As a context manager it removes at the end.

    model: the model that was given.
    recipe: how every role is rounded.
    table: a `bitlaw.Frame` with a row for each part of each module: `module` (dotted name), `part` (weight, input,
        keys ...), `rounded_to` ("" if left alone), `shares` (what shares a scale) and `why`.

    >>> import torch, bitlaw.torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    >>> with bitlaw.torch.fake_quantize(model, {"weights": "mxfp4", "activations": "mxfp4"}) as rounded:
    ...     print(list(rounded.table["rounded_to"]))
    ['mxfp4', 'mxfp4', '', 'mxfp4', 'mxfp4', '', '']
    """

    model: nn.Module
    recipe: Recipe
    table: Frame

    def __init__(self, model: nn.Module, made: Recipe, table: Frame) -> None:
        self.model, self.recipe, self.table = model, made, table

    def remove(self) -> None:
        """Takes the roundings out again. The parameters are what training made of them, never rounded."""
        remove(self.model)

    def __enter__(self) -> FakeQuantized:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.remove()

    def __repr__(self) -> str:
        names = ("module", "part", "rounded_to", "shares", "why")
        rows = [names, *zip(*(self.table[name] for name in names), strict=True)]
        widths = [max(len(str(row[i])) for row in rows) for i in range(len(names))]
        lines = ["  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in rows]
        return "\n".join([f"<bitlaw.torch.FakeQuantized: {self.recipe.name}>", *lines])

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def _list(patterns: Patterns | None) -> list[str]:
    if patterns is None:
        return []
    return [patterns] if isinstance(patterns, str) else list(patterns)


class _Names:
    """The modules of a model by dotted name; one that stands at several places has the first as its name."""

    def __init__(self, model: nn.Module) -> None:
        self.modules = dict(model.named_modules())
        self._all = [(name, module) for name, module in model.named_modules(remove_duplicate=False)]

    def matching(self, argument: str, patterns: Iterable[str]) -> dict[str, nn.Module]:
        """Error where a pattern matches nothing."""
        found: dict[int, nn.Module] = {}
        for pattern in patterns:
            hits = [module for name, module in self._all if fnmatchcase(name, pattern)]
            if not hits:
                raise Error(f"{argument}='{pattern}' matches no module of the model; its modules are "
                            f"{', '.join(name for name in list(self.modules)[1:20])} ...")
            found.update((id(module), module) for module in hits)
        return {name: module for name, module in self.modules.items() if id(module) in found}

    def named_as_attention(self) -> dict[str, nn.Module]:
        found = {name: module for name, module in self.modules.items()
                 if not isinstance(module, nn.Linear) and any(fnmatchcase(name.lower(), each) for each in _ATTENTION)}
        return _outermost(_of_containers(found))


def _of_containers(found: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Lists of modules are not called; their entries are."""
    out: dict[str, nn.Module] = {}
    for name, module in found.items():
        if isinstance(module, (nn.ModuleList, nn.ModuleDict)):
            out |= _of_containers({f"{name}.{key}": child for key, child in module.named_children()})
        else:
            out[name] = module
    return out


def _outermost(found: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: module for name, module in found.items()
            if not any(name.startswith(f"{other}.") or (other == "" and name) for other in found)}


def _with_children(names: _Names, found: Mapping[str, nn.Module]) -> set[int]:
    return {id(each) for module in found.values() for each in module.modules()}


def _heads(model: nn.Module, names: _Names, head: Patterns | None) -> set[int]:
    """The output heads, which are not rounded to the recipe's weights."""
    linears = {name: module for name, module in names.modules.items() if isinstance(module, nn.Linear)}
    if head is not None:
        found = names.matching("head", _list(head))
        for name, module in found.items():
            if not isinstance(module, nn.Linear):
                raise Error(f"head: {name} is a {type(module).__name__}, not an nn.Linear")
        return {id(module) for module in found.values()}
    embeddings = [module for module in names.modules.values() if isinstance(module, nn.Embedding)]
    tables = {id(module.weight) for module in embeddings}
    sure = {id(module) for name, module in linears.items()
            if id(module.weight) in tables or (name and name.rpartition(".")[2] in _HEADS)}
    if sure:
        return sure
    rows = {module.num_embeddings for module in embeddings}
    guessed = [name for name, module in linears.items() if module.out_features in rows]
    if len(guessed) > 1:
        raise Error(f"any of {', '.join(guessed)} may be the output head, since an embedding has as many rows; say "
                    "which with head='NAME', or head=() if there is none")
    return {id(linears[name]) for name in guessed}


def _check_linear(name: str, linear: nn.Linear) -> None:
    if type(linear) is not nn.Linear:
        raise Error(f"{name} is a {type(linear).__name__}, which may compute its product in its own way; only an "
                    f"nn.Linear can be rounded, so replace it, or leave it alone with skip='{name}'")
    if "forward" in vars(linear):
        raise Error(f"{name}: its forward was replaced in this object, so that its weight cannot be rounded; leave it "
                    f"alone with skip='{name}'")


def _matrices(linears: Mapping[str, nn.Linear], together: Sequence[Sequence[str]]) -> dict[str, dict[str, nn.Linear]]:
    """The layers that are one matrix with each of these, in the order of its rows."""
    out: dict[str, dict[str, nn.Linear]] = {}
    for name in linears:
        parent, dot, own = name.rpartition(".")
        for group in together:
            if own in group:
                out[name] = {f"{parent}{dot}{each}": linears[f"{parent}{dot}{each}"] for each in group
                             if f"{parent}{dot}{each}" in linears}
                if len({each.in_features for each in out[name].values()}) > 1:
                    raise Error(f"{', '.join(out[name])} have different numbers of inputs and are not one matrix; say which "
                                "layers are with together=, or together=()")
    return out


def _rows_left_alone(names: _Names, done: set[int], skipped: set[int]) -> Iterator[dict[str, Any]]:
    for name, module in names.modules.items():
        if id(module) in done:
            continue
        why = f"{type(module).__name__}: only projections (nn.Linear) are rounded"
        if isinstance(module, nn.Embedding):
            why = "embedding: not rounded in training"
        if id(module) in skipped:
            why = "skip"
        for part, _ in module.named_parameters(recurse=False):
            yield {"module": name, "part": part, "rounded_to": "", "shares": "", "why": why}


def _row(name: str, part: str, rounding: Rounding | None, why: str) -> dict[str, Any]:
    rounds = rounding is not None and rounding.rounds
    return {"module": name, "part": part, "rounded_to": rounding.precision if rounding and rounds else "",
            "shares": rounding.granularity if rounding and rounds else "", "why": why}


def _probabilities(name: str, values: Rounding, probabilities: str) -> dict[str, Any]:
    core = core_of("values", values.precision, values.granularity)
    rounding = Rounding("activations", probabilities if core.has_bf16_products else "fp32", "")
    why = "for their product with the values"
    if not core.has_bf16_products:
        why = f"not rounded in training for {values.name} values"
    elif probabilities == "fp32":
        why = "probabilities='fp32'; bf16 in training"
    return _row(name, "probabilities", rounding, why)


def fake_quantize(model: nn.Module, recipe: str | float | Mapping[str, Any] | Recipe, *,
                  head: Patterns | None = None, attention: Patterns | None = None, keys: Patterns | None = None,
                  values: Patterns | None = None, queries: Patterns | None = None,
                  probabilities: Literal["fp32", "bf16"] = "fp32",
                  together: Sequence[Sequence[str]] = _TOGETHER, skip: Patterns = ()) -> FakeQuantized:
    """Rounds a model as a recipe of bitlaw says, in place; train or evaluate it as before.

    What the engine of `bitlaw train` does to its decoder is done to yours (docs/numerics.md):

    - **Linear layers** (`nn.Linear`): weight [out, in] and input [..., token, in] are rounded in each forward
      pass. The bias is not.
    - **The output head**: weight and input are rounded to BF16 whatever the recipe says; not at all where
      activations are fp32. Embeddings, norms and everything else stay as they are, also an embedding whose
      weight the head shares.
    - **Queries, keys and values** where attention takes them, after RoPE: the arguments of
      `torch.nn.functional.scaled_dot_product_attention`, [batch, head, token, width], in the modules of
      `attention`.
    - **Gradients** pass straight through, to master weights that are never rounded.

    A linear layer changes its class (to `RoundedLinear`), and no parameter is added, moved or renamed: the
    state dict, optimizers, tied weights, `copy.deepcopy`, `torch.save`, `train()` and `eval()` work as
    before. `torch.nn.utils.parametrize` would rename every weight in the state dict and keep a model from being
    saved whole; forward hooks see inputs, but cannot change a weight for one call only.

    model: any `nn.Module` with float32 or bfloat16 parameters on the CPU.
    recipe: what `bitlaw.torch.recipe` takes: "quest-w4a4", "W4A4KV4", 4 (bits of weights), or the keys of
        `[recipe]` in a configuration.
    head: the output head, by name. Not given: the linear layer that shares an embedding's weight or is called
        lm_head, head, output_head, embed_out or unembed; else the one with as many outputs as an
        embedding has rows. `head=()` says that there is none.
    attention: the modules whose own forward pass calls `scaled_dot_product_attention`. Not given: those
        called ...attn or ...attention.
    keys, values, queries: instead of `attention`, the modules whose outputs are keys, values or queries of
        shape [batch, head, token, width].
    probabilities: "bf16" rounds those of attention, times the scale of a row of values, for their product with
        the values, as training does. That takes attention apart: it holds [batch, head, token, token].
    together: names of layers whose weights are one matrix in training where they lie side by side in one module. It
        matters where a matrix shares a scale: for `tensor`, and for the tensor's scale of nvfp4.
    skip: modules to leave alone, with all that they contain.

    head, attention, keys, values, queries and skip are one name or several, dotted as in `named_modules()`; `*` and `?`
    stand for any text and any letter.

    Returns: the rounded model as a `FakeQuantized`: its `table` says what was rounded, what was left alone, and why.

    Raises: bitlaw.Error, before anything is changed, if the recipe is wrong; if a name matches nothing; if no linear
        layer can be rounded, or one is not plainly an `nn.Linear`; for `nn.MultiheadAttention`, which multiplies in
        one call; if the recipe rounds keys, values or queries and the model does not show which they are.
        In the forward pass, if such a module turns out not to call `scaled_dot_product_attention`.

    Source: docs/numerics.md, steps 1, 5, 8, 11, 13 and 14; the straight-through estimator, Bengio et al. 2013
    (arXiv 1308.3432).

    >>> import torch, bitlaw.torch
    >>> model = torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 50, bias=False))
    >>> bitlaw.torch.fake_quantize(model, {"weights": 4, "activations": "e4m3", "kv": 32, "queries": 32})
    <bitlaw.torch.FakeQuantized: weights=int4/channel activations=e4m3/sequence keys=fp32 values=fp32 queries=fp32>
    module  part    rounded_to  shares    why
    1       weight  int4        channel   projection
    1       input   e4m3        sequence  projection
    1       bias                          not rounded in training
    2       weight  bf16                  output head: bf16 in training
    2       input   bf16                  output head: bf16 in training
    0       weight                        embedding: not rounded in training
    """
    if probabilities not in ("fp32", "bf16"):
        raise Error(f"probabilities='{probabilities}': expected fp32 or bf16")
    made = _recipe_of(recipe)
    if not isinstance(model, nn.Module):
        raise Error(f"model: a {type(model).__name__}; an nn.Module is expected")
    names = _Names(model)
    for name, module in names.modules.items():
        if is_rounded(module):
            raise Error(f"{name or 'the model'} is rounded already; call bitlaw.torch.remove(model) first")
    skipped = _with_children(names, names.matching("skip", _list(skip)))
    heads = _heads(model, names, head)
    linears: list[tuple[str, nn.Linear]] = []
    for name, module in names.modules.items():
        if id(module) in skipped:
            continue
        if isinstance(module, nn.MultiheadAttention):
            raise Error(f"{name or 'the model'} is an nn.MultiheadAttention, which multiplies in one call that cannot be "
                        "rounded inside; write it with nn.Linear and scaled_dot_product_attention"
                        + (f", or leave it alone with skip='{name}'" if name else ""))
        if isinstance(module, nn.Linear):
            _check_linear(name, module)
            linears.append((name, module))
    if not any(id(linear) not in heads for _, linear in linears):
        raise Error("the model has no nn.Linear to round besides its output head; projections of other classes "
                    "have to be written as nn.Linear first")
    by_attention, by_output = _attention(names, made, skipped, attention,
                                         {"keys": keys, "values": values, "queries": queries})
    if probabilities == "bf16" and not by_attention:
        raise Error("probabilities='bf16' needs modules that call torch.nn.functional.scaled_dot_product_attention; name "
                    "them with attention='*.NAME'")

    matrices = {}
    if not core_of("weights", made.weights.precision, made.weights.granularity).has_independent_rows:
        matrices = _matrices({name: linear for name, linear in linears if id(linear) not in heads}, together)

    rows: list[dict[str, Any]] = []
    for name, linear in linears:
        is_head = id(linear) in heads
        weight, inputs = made.of_head if is_head else (made.weights, made.activations)
        why = f"output head: {weight.name} in training" if is_head else "projection"
        one = matrices.get(name, {name: linear})
        if len(one) > 1:
            why = f"projection, one matrix with {', '.join(each.rpartition('.')[2] for each in one if each != name)}"
        if weight.rounds or inputs.rounds:
            RoundedLinear.of(linear, weight, inputs, list(one.values()))
        rows += [_row(name, "weight", weight, why), _row(name, "input", inputs, why.partition(",")[0])]
        if linear.bias is not None:
            rows.append(_row(name, "bias", None, "not rounded in training"))
    for name, module, required in by_attention:
        RoundAttention(name or type(module).__name__, made, required or probabilities == "bf16", probabilities).attach(module)
        for part, rounding in (("queries", made.queries), ("keys", made.keys), ("values", made.values)):
            rows.append(_row(name, part, rounding, "where attention takes them"))
        rows.append(_probabilities(name, made.values, probabilities))
    for name, module, rounding in by_output:
        module.register_forward_hook(RoundOutput(name, rounding))
        rows.append(_row(name, rounding.role, rounding, "its output"))
    if not by_attention and not by_output and (made.keys.rounds or made.queries.rounds):
        rows.append(_row("", "keys, values, queries", None, "no module is known to compute attention; bf16 in training"))
    rows += _rows_left_alone(names, {id(linear) for _, linear in linears}, skipped)
    return FakeQuantized(model, made, Frame.of_rows(rows))


def _attention(
    names: _Names, made: Recipe, skipped: set[int], attention: Patterns | None, outputs: Mapping[str, Patterns | None]
) -> tuple[list[tuple[str, nn.Module, bool]], list[tuple[str, nn.Module, Rounding]]]:
    """Where queries, keys and values are rounded: in calls of attention, or as outputs of modules."""
    roundings = {"keys": made.keys, "values": made.values, "queries": made.queries}
    quantized = [role for role, rounding in roundings.items() if rounding.scaled]
    if any(patterns is not None for patterns in outputs.values()):
        if attention is not None:
            raise Error("attention= and keys=, values=, queries= are two ways to say the same; use one of them")
        missing = [role for role in quantized if outputs[role] is None]
        if missing:
            raise Error(f"the recipe rounds {missing[0]} to {roundings[missing[0]].name}; say which modules have them as "
                        f"output with {missing[0]}=")
        return [], [(name, module, roundings[role]) for role, patterns in outputs.items() if patterns is not None
                    for name, module in names.matching(role, _list(patterns)).items() if roundings[role].rounds]
    if not any(rounding.rounds for rounding in roundings.values()) and attention is None:
        return [], []
    found = (names.named_as_attention() if attention is None
             else _of_containers(names.matching("attention", _list(attention))))
    found = {name: module for name, module in found.items() if id(module) not in skipped}
    nested = set(found) - set(_outermost(found))
    if nested:
        raise Error(f"attention: {min(nested)} lies inside another module of the list; name one of the two")
    if quantized and not found:
        raise Error(f"the recipe rounds {', '.join(quantized)} ({roundings[quantized[0]].name}), and no module is known to "
                    "compute attention; name those that call torch.nn.functional.scaled_dot_product_attention with "
                    "attention='*.NAME', or those whose outputs they are with keys=, values= and queries=")
    required = bool(quantized) or attention is not None
    return [(name, module, required) for name, module in found.items()], []
