"""Writes bitlaw/_task_options.py: keyword arguments of the verbs that run the program, from its own --help. A test
compares. BITLAW_PROGRAM names the program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from bitlaw._program import program

HEAD = '''"""Keyword arguments of train, quantize and the like. Made by python/make_task_options.py of the program's help."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypedDict

Path = str | os.PathLike[str]
Words = str | int | float | Sequence[str] | Sequence[int] | Sequence[float]

'''
# What only the command line has: other output, other machines, and what asks instead of working.
WITHOUT = {"help", "json", "quiet", "print_config", "dry_run", "measure", "status", "why", "prune", "yes", "launcher",
           "tasks", "at_once", "time_limit", "margin", "slurm_option", "condor_option", "ranks", "mpirun", "worker",
           "rate", "price"}
# The verb, the class, and what is given by position.
VERBS = [("train", "Train", set()), ("quantize", "Quantize", set()), ("sweep", "Sweep", set()),
         ("tune", "Tune", set()), ("reproduce", "Reproduce", set()), ("data prepare", "Prepare", {"to"})]
RESERVED = {"for"}
PATHS = {"directory", "runs", "records", "data", "write", "path"}


class Option(NamedTuple):
    name: str
    type: str
    help: str
    repeated: bool  # a list is several options, and not one with commas


def helped(verb: str) -> str:
    return subprocess.run([program(), *verb.split(), "--help"], capture_output=True, text=True, check=True).stdout


def type_of(default: Any) -> str:
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int):
        return "int | float"
    if isinstance(default, float):
        return "float"
    return "Words" if isinstance(default, list) else "str"


def option_of(left: str, text: str) -> Option:
    names, _, kind = left.strip().partition(" ")
    kind = kind.strip()
    name = names.split(",")[-1].lstrip("-").removesuffix("{true}").replace("-", "_")
    repeated = kind.endswith("...")
    if not kind:
        found = "bool"
    elif kind.startswith("INT"):
        found = "int"
    elif kind.startswith("FLOAT"):
        found = "float"
    elif repeated:
        found = "Words"
    else:
        try:
            found = type_of(json.loads(kind.partition("=")[2]))
        except ValueError:
            found = "str"
    if name in PATHS and found == "str":
        found = "Path"
    return Option(name, found, text, repeated)


def options(verb: str) -> list[Option]:
    column = 30  # where help begins
    lines = helped(verb).partition("\nOptions:\n")[2].partition("\n\n")[0].split("\n")
    out = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(" " * column):
            continue
        if after.startswith(" " * column):
            out.append(option_of(line, after.strip()))
        else:
            out.append(option_of(line[:column], line[column:].strip()))
    return [option for option in out if option.name not in WITHOUT]


def sections() -> dict[str, list[Option]]:
    """The keys of a configuration."""
    out: dict[str, list[Option]] = {}
    for line in helped("train").partition("\nKeys:\n")[2].partition("\n\n")[0].split("\n"):
        found = re.fullmatch(r"  (\w+)\.(\w+) +(.*) \[(.*)\]", line)
        assert found, line
        section, name, text, default = found.groups()
        kind = type_of(json.loads(default))
        if section == "recipe" and kind == "str":
            kind = "str | int | float"
        if name in PATHS:
            kind = "Path"
        out.setdefault(section, []).append(Option(name, kind, text, False))
    return out


def made_class(name: str, listed: list[Option]) -> str:
    out = f"\nclass {name}(TypedDict, total=False):\n"
    for each in listed:
        keyword = each.name + "_" if each.name in RESERVED else each.name
        out += f"    {keyword}: {each.type}\n"
        if each.help:
            out += f"    {json.dumps(each.help, ensure_ascii=False)}\n"
    return out + "\n"


def made() -> str:
    out = HEAD
    of_config = sections()
    for section, listed in of_config.items():
        out += made_class(section.title() + "Settings", listed)
    repeated: dict[str, list[str]] = {}
    for verb, title, without in VERBS:
        listed = [option for option in options(verb) if option.name not in without]
        if verb == "train":
            listed = [Option(name, name.title() + "Settings", "", False) for name in of_config] + listed
        out += made_class(title + "Keywords", listed)
        repeated[verb] = [option.name for option in listed if option.repeated]
    out += f"\nSECTIONS = {tuple(of_config)!r}\n"
    out += "REPEATED: dict[str, list[str]] = {\n"
    out += "".join(f"    {verb!r}: {names!r},\n" for verb, names in repeated.items()) + "}\n"
    out += f"COMMAND_LINE_ONLY = {tuple(sorted(WITHOUT))!r}\n"
    return out


if __name__ == "__main__":
    path = Path(__file__).parent / "bitlaw" / "_task_options.py"
    if sys.argv[1:] == ["--check"]:
        same = path.read_text(encoding="utf-8") == made()
        sys.exit(0 if same else f"{path}: is not what the program says; run make_task_options.py without --check")
    path.write_text(made(), encoding="utf-8")
