"""Writes bitlaw/_options.py: keyword arguments, with help, as the program has them. A test compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bitlaw import _core

HEAD = '''"""Keyword arguments of the verbs. Made by python/make_options.py of the program's own options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

Words = str | Sequence[str]

'''
POSITIONAL = {"fit": {"law"}, "compare": {"laws"}, "design": {"law"}, "plan": {"frontier"}}


def type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int | float"
    if isinstance(value, float):
        return "float"
    if isinstance(value, list):
        return "Words | Sequence[float]"
    return "str | float | None" if value is None else "str"


def options(of: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_core.ask(json.dumps({"verb": "options", "of": of})))
    return listed


def made() -> str:
    out = HEAD
    table = options("table")
    for verb in ["table", "fit", "compare", "design", "plan"]:
        base = "TypedDict" if verb in ("table", "plan") else "TableKeywords"
        title = f"{verb.title()}Keywords"
        listed = [each for each in (table if verb == "table" else options(verb))
                  if each["name"] not in POSITIONAL.get(verb, set())]
        out += f"\nclass {title}({base}, total=False):\n"
        for each in listed:
            out += f"    {each['name']}: {type_of(each['value'])}\n"
            out += f"    {json.dumps(each['help'], ensure_ascii=False)}\n"
        out += "\n"
    out += "\n_TABLE = frozenset(TableKeywords.__annotations__)\n\n\n"
    out += ('def split(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:\n'
            '    """How the table is read, and the other options."""\n'
            '    words = {name: value for name, value in options.items() if name in _TABLE}\n'
            '    rest = {name: value for name, value in options.items() if name not in _TABLE}\n'
            '    for name in ("set", "where", "pool"):\n'
            '        if isinstance(words.get(name), str):\n'
            '            words[name] = [words[name]]\n'
            '    return words, rest\n')
    return out


if __name__ == "__main__":
    path = Path(__file__).parent / "bitlaw" / "_options.py"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if path.read_text(encoding="utf-8") == made() else f"{path}: is not what the program says; run it without --check")
    path.write_text(made(), encoding="utf-8")
