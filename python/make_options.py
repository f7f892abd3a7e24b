"""Writes bitlaw/_options.py: keyword arguments, with help, as the program has them. A test compares."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

HEAD = '''"""Keyword arguments of the verbs. Made by python/make_options.py of the program's own options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

# A list, or its text with commas; or names with their values.
Words = str | float | Sequence[str] | Sequence[float]
Assignments = str | Sequence[str] | Mapping[str, Any]

'''
POSITIONAL = {"fit": {"law"}, "compare": {"laws"}, "design": {"law", "candidates"}, "plan": {"frontier"}}
# NAME=VALUE, for which Python has dictionaries.
ASSIGNMENTS = {"columns", "scale", "set", "tie", "freeze", "range", "constants", "inputs", "storage"}
# Which keywords each verb takes beside its own.
BASES = {"fit": "TableKeywords, FormulaKeywords", "compare": "TableKeywords, FormulaKeywords",
         "design": "TableKeywords, FormulaKeywords"}
VERBS = ["table", "formula", "fit", "compare", "design", "simulate", "approach", "plan"]

def core() -> Any:
    """bitlaw._core by itself: the package needs the file that is made here."""
    package = importlib.util.find_spec("bitlaw")
    folders = package.submodule_search_locations if package else None
    path = next((each for folder in folders or [] for each in Path(folder).glob("_core*.so")), None)
    spec = importlib.util.spec_from_file_location("_core", path) if path else None
    if spec is None or spec.loader is None:
        sys.exit("bitlaw/_core is not built")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_core = core()


def type_of(name: str, value: Any, verb: str) -> str:
    if name in ASSIGNMENTS and (verb, name) not in {("plan", "constants")}:
        return "Assignments"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int | float"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        return "Words"
    return "str | float | None" if value is None else "str"


def default_of(value: Any) -> str:
    """As `bitlaw train --help` has it: [0.01]; nothing for no value."""
    if value is None or value in ("", []):
        return ""
    return f" [{','.join(map(str, value)) if isinstance(value, list) else json.dumps(value) if isinstance(value, bool) else value}]"


def options(of: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_core.ask(json.dumps({"verb": "options", "of": of})))
    return [each for each in listed if each["name"] not in POSITIONAL.get(of, set())]


def made() -> str:
    out = HEAD
    lists: dict[str, list[str]] = {}
    for verb in VERBS:
        listed = options(verb)
        lists[verb] = sorted(each["name"] for each in listed if isinstance(each["value"], list))
        out += f"\nclass {verb.title()}Keywords({BASES.get(verb, 'TypedDict')}, total=False):\n"
        for each in listed:
            out += f"    {each['name']}: {type_of(each['name'], each['value'], verb)}\n"
            out += f"    {json.dumps(each['help'] + default_of(each['value']), ensure_ascii=False)}\n"
        out += "\n"
    out += "\nTABLE = frozenset(TableKeywords.__annotations__)\n"
    out += "FORMULA = frozenset(FormulaKeywords.__annotations__)\n"
    out += "APPROACH = frozenset(ApproachKeywords.__annotations__)\n"
    out += "# Of each verb, those that are lists.\nLISTS = {\n"
    out += "".join(f"    {json.dumps(verb)}: frozenset({json.dumps(names)}),\n" for verb, names in lists.items())
    out += "}\n"
    return out


if __name__ == "__main__":
    path = Path(__file__).parent / "bitlaw" / "_options.py"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if path.read_text(encoding="utf-8") == made() else f"{path}: is not what the program says; run it without --check")
    path.write_text(made(), encoding="utf-8")
