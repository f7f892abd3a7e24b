"""Writes docs/python.md: every public name of the package, from its docstring. A test compares."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import typing
from pathlib import Path
from typing import Any

import bitlaw
from bitlaw import _options, _task_options

PAGE = Path(__file__).resolve().parent.parent / "docs" / "python.md"
HEAD = """# The Python package, name by name

Made by `python/make_api.py` of the docstrings; [from-a-table-to-a-decision.ipynb](from-a-table-to-a-decision.ipynb)
shows how the parts go together. Losses are in nats per token, N counts parameters, D tokens, and P bits.
Whatever cannot be done raises `bitlaw.Error` with one sentence, the same that the command line prints.

"""
# Modules in the order of the page, with their titles.
PARTS = {
    "bitlaw._fit": "Fits",
    "bitlaw._compare": "Laws beside each other",
    "bitlaw._design": "The next runs",
    "bitlaw._plan": "Plans",
    "bitlaw._predict": "Predictions",
    "bitlaw._studies": "Made-up studies, and N and D in three ways",
    "bitlaw._answer": "Answers",
    "bitlaw._laws": "Laws",
    "bitlaw._figures": "Figures and reports",
    "bitlaw._frame": "Tables",
    "bitlaw._runs": "Runs",
    "bitlaw._train": "Training, quantization and studies",
    "bitlaw._task": "Tasks and their progress",
    "bitlaw._numbers": "Numbers",
    "bitlaw.conformance": "Conformance of other implementations",
    "bitlaw.torch": "PyTorch",
    "bitlaw._ask": "Errors",
}


def keywords_of(function: Any) -> Any:
    """The TypedDict of **options, or None."""
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD and "Unpack[" in str(parameter.annotation):
            name = re.findall(r"Unpack\[(\w+)\]", str(parameter.annotation))[0]
            return getattr(_options, name, getattr(_task_options, name, None))
    return None


def signature(name: str, what: Any) -> str:
    try:
        said = inspect.signature(what)
    except (TypeError, ValueError):
        return name
    kept = [each.replace(annotation=each.annotation) for each in said.parameters.values() if each.name not in ("self", "cls")]
    text = str(said.replace(parameters=kept)).replace("'", "")
    text = re.sub(r"\bcollections\.abc\.|\btyping\.|\bbitlaw\._\w+\.|numpy\.typing\.", "", text)
    return f"{name}{text}"


def listed_names(what: Any) -> set[str]:
    """What a docstring may explain as `name: ...`: parameters, and the attributes of a class."""
    if inspect.ismodule(what):
        return set()
    try:
        names = set(inspect.signature(what).parameters)
    except (TypeError, ValueError):
        names = set()
    if inspect.isclass(what):
        names |= set(dir(what)) | set(typing.get_type_hints(what))
    elif callable(what) and (keywords := keywords_of(what)) is not None:
        names |= set(typing.get_type_hints(keywords))
    return names


def body(what: Any) -> str:
    """The docstring, with its examples and indented lists as Markdown has them."""
    text = inspect.getdoc(what)
    if not text:
        raise SystemExit(f"{what!r} has no docstring")
    out, example, names = [], False, listed_names(what)
    item = table = False  # the lines below a list's item belong to it; other indented lines are a table
    for line in text.splitlines():
        if table and not line.startswith("    "):
            out.append("```")
            table = False
        begins = line.lstrip().startswith(">>> ")
        if begins and not example:
            out.append("```python")
            example = True
        elif example and not line.strip():
            out.append("```")
            example = False
        listed = re.match(r"^([\w, *]+): (\S.*)$", line)
        if example:
            out.append(line.strip() if begins else line)
        elif not item and line.startswith("    ") and not example:
            if not table:
                out.append("```text")
                table = True
            out.append(line[4:])
            continue
        elif listed and set(re.findall(r"\w+", listed[1])) <= names:
            out.append(f"- `{listed[1]}`: {listed[2]}")
            item = True
            continue
        else:
            out.append(line)
        item = item and line.startswith("    ")
    if example or table:
        out.append("```")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()


def keyword_table(keywords: Any) -> str:
    out = f"\nKeywords ({keywords.__name__}):\n\n"
    for name, help_ in help_of(keywords):
        out += f"- `{name}`: {help_}\n"
    return out


def help_of(keywords: Any) -> list[tuple[str, str]]:
    """Names and help of a TypedDict of generated options, whose help stands as a string below each name."""
    text = Path(str(sys.modules[keywords.__module__].__file__)).read_text(encoding="utf-8")
    found = re.search(rf"^class {keywords.__name__}\(.*?:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found
    return re.findall(r'^    (\w+): .*\n    "(.*)"$', found[1], re.MULTILINE)


def members(what: type) -> list[tuple[str, Any]]:
    out = []
    for name, member in vars(what).items():
        if name.startswith("_") or not (callable(member) or isinstance(member, (property, classmethod)) or hasattr(member, "func")):
            continue
        if isinstance(member, classmethod):
            member = member.__func__
        inner = getattr(member, "fget", None) or getattr(member, "func", None) or member
        if inspect.getdoc(inner):
            out.append((name, member))
    return out


def entry(name: str, what: Any) -> str:
    out = f"### {name}\n\n"
    if inspect.isclass(what):
        out += body(what) + "\n"
        for inner, member in members(what):
            getter = getattr(member, "fget", None) or getattr(member, "func", None)
            title = f"`.{inner}`" if getter else f"`.{signature(inner, member)}`"
            out += f"\n**{title}**\n\n{body(getter or member)}\n"
    else:
        out += f"```python\n{signature(name, what)}\n```\n\n{body(what)}\n"
        keywords = keywords_of(what)
        if keywords is not None:
            out += keyword_table(keywords)
    return out


def modules() -> list[tuple[str, str, dict[str, Any]]]:
    """(module, title, public names) in the page's order; all of bitlaw.__all__ has its place."""
    out, left = [], {name for name in bitlaw.__all__ if not name.startswith("__")}
    for module, title in PARTS.items():
        if importlib.util.find_spec(module) is None:
            continue
        if module.split(".")[1].startswith("_"):
            names = [name for name in bitlaw.__all__ if name in defined_in(module)]
            found = {name: getattr(bitlaw, name) for name in names}
            left -= set(names)
        else:
            loaded = importlib.import_module(module)
            found = {f"{module.split('.')[1]}.{name}": getattr(loaded, name) for name in loaded.__all__}
            left.discard(module.split(".")[1])
        out.append((module, title, found))
    if left:
        raise SystemExit(f"make_api.py: no part of the page has {', '.join(sorted(left))}; add their module to PARTS")
    return out


def defined_in(module: str) -> set[str]:
    """Names of the classes and functions that a module defines itself."""
    text = Path(str(importlib.import_module(module).__file__)).read_text(encoding="utf-8")
    return {each.name for each in ast.parse(text).body if isinstance(each, (ast.ClassDef, ast.FunctionDef))}


def made() -> str:
    out = HEAD
    for module, title, found in modules():
        out += f"## {title}\n\n"
        if not module.split(".")[1].startswith("_"):
            out += body(importlib.import_module(module)) + "\n\n"
        # What makes things comes before what is made.
        for name, what in sorted(found.items(), key=lambda item: inspect.isclass(item[1])):
            out += entry(name, what) + "\n"
    return out.rstrip() + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == made() else f"{PAGE}: is not what the docstrings say; run python/make_api.py")
    PAGE.write_text(made(), encoding="utf-8")
