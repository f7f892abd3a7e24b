"""A recipe: how every role of a model is rounded."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import _core
from ._ask import Error, plain
from ._torch_round import Role, Rounding


@dataclass(frozen=True)
class Recipe:
    """How every role of a model is rounded. `bitlaw.torch.recipe` makes one.

    name: as the record of a run has it: w4a4kv16, or every role in full.
    weights, activations, keys, values, queries: the rounding of each.

    >>> from bitlaw.torch import recipe
    >>> print(recipe("quest-w4a4").weights)
    int4+gauss+hadamard128+trust/channel
    """

    name: str
    weights: Rounding
    activations: Rounding
    keys: Rounding
    values: Rounding
    queries: Rounding

    __module__ = "bitlaw.torch"

    @property
    def of_head(self) -> tuple[Rounding, Rounding]:
        """How the weights and the inputs of the output head are rounded: bf16; fp32, which is not at all, where
        activations are fp32."""
        precision = "fp32" if self.activations.precision.partition("+")[0] == "fp32" else "bf16"
        return Rounding("weights", precision, ""), Rounding("activations", precision, "")


def _keys_of_name(name: str) -> dict[str, Any]:
    if name.strip().isdecimal():
        raise Error(f"recipe '{name}': write W{name.strip()} for weights alone (or the number {name.strip()}), "
                    f"W{name.strip()}A{name.strip()} for weights and activations")
    keys: dict[str, Any] = json.loads(_core.recipe_keys(name))
    return keys


def recipe(of: str | float | Mapping[str, Any] | Recipe) -> Recipe:
    """A recipe by name, by the bits of its weights, or by the keys of a configuration.

    of: the name of a recipe or precision, "quest-w4a4", "W4A4KV4" or "mxfp4" (docs/formats.md); or a number, the
        bits of the weights, 2 to 16, with all else in BF16; or the keys of `[recipe]` in a configuration file
        (named, weights, activations, kv, queries, weights_granularity, activations_granularity, kv_granularity),
        also as a section `recipe` of a whole configuration, as `tomllib.load` reads it.

    Raises: bitlaw.Error, with the sentence of `bitlaw train`, if a key, a name or a combination is wrong.

    >>> from bitlaw.torch import recipe
    >>> recipe({"weights": 4, "activations": "mxfp4"}).name
    'weights=int4/channel activations=mxfp4 keys=bf16 values=bf16 queries=bf16'
    >>> recipe("W4A4KV4").name
    'w4a4kv4'
    """
    if isinstance(of, Recipe):
        return of
    try:
        if isinstance(of, str):
            keys = _keys_of_name(of)
        elif isinstance(of, Mapping):
            keys = dict(of)
            if isinstance(keys.get("recipe"), Mapping):
                keys = dict(keys["recipe"])
        else:
            keys = {"weights": _bits(of)}
        made = json.loads(_core.recipe(json.dumps(plain(keys))))
    except ValueError as error:
        raise Error(str(error)) from None
    for note in made["notes"]:
        warnings.warn(note, stacklevel=2)
    roles: tuple[Role, ...] = ("weights", "activations", "keys", "values", "queries")
    return Recipe(made["name"], *(Rounding(role, *made["roles"][role]) for role in roles))


def _bits(number: Any) -> int:
    try:
        if not isinstance(number, bool) and number == int(number):
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Error(f"recipe {number!r}: expected a name, a whole number of bits, or the keys of a recipe")
