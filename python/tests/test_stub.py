"""The types of the compiled module: each name and parameter is there, in the stub and in the module alike."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bitlaw
from bitlaw import _core


def stub() -> dict[str, list[str] | None]:
    """name: its parameters; None for a value or a class."""
    text = Path(str(bitlaw.__file__)).with_name("_core.pyi").read_text(encoding="utf-8")
    out: dict[str, list[str] | None] = {}
    for each in ast.parse(text).body:
        if isinstance(each, ast.FunctionDef):
            out[each.name] = [one.arg for one in [*each.args.posonlyargs, *each.args.args, *each.args.kwonlyargs]]
        elif isinstance(each, ast.ClassDef):
            out[each.name] = None
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            out[each.target.id] = None
    return out


def test_the_stub_has_every_name_of_the_module_and_no_other() -> None:
    assert sorted(stub()) == sorted(name for name in dir(_core) if not name.startswith("__"))


def test_the_stub_has_the_parameters_of_each_function() -> None:
    for name, parameters in stub().items():
        if parameters is None:
            continue
        said = re.match(rf"{name}\((.*)\) ->", getattr(_core, name).__doc__ or "", re.DOTALL)
        assert said, f"nanobind gives no signature of {name}"
        assert re.findall(r"(\w+): ", said[1]) == parameters, name
