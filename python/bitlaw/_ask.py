"""One question to the core, and its answer."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as _numpy  # before the core: numpy refuses a subinterpreter in a sentence, the core ends the process

from . import _core
from ._options import FORMULA, LISTS, TABLE

if TYPE_CHECKING:
    from ._tables import Table

Json = dict[str, Any]


class Error(ValueError):
    """What is wrong with a request or a table, where, and what to do: one sentence.

    It is the sentence that the program prints for the same request, where an option such as
    `--hold-out` is called `hold_out`, as the keyword argument is.

    >>> import bitlaw
    >>> bitlaw.plan("kumarr", compute=1e21)
    Traceback (most recent call last):
    ...
    bitlaw.Error: plan: unknown law 'kumarr'; did you mean 'kumar'?
    """

    __module__ = "bitlaw"


def article(value: Any) -> str:
    """The type of `value` for a sentence: "an int", "a list"."""
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeio' else 'a'} {kind}"


def law_name(value: Any, argument: str = "law") -> str:
    """Error unless `value` is text."""
    if isinstance(value, str):
        return value
    own = getattr(value, "name", None) or getattr(value, "law", None)
    raise Error(f"{argument}: {article(value)} is no name of a law; give " +
                (f"the name, {own!r}" if isinstance(own, str) else "one of bitlaw.laws()"))


# A flag, with its value where that is quoted or has an equals sign.
_FLAG = re.compile(
    r"`[^`]*`|(?<![\w-])--([a-z0-9]+(?:-[a-z0-9]+)*)"
    r"(?: (?:'([^']*)'|([^\s'`;()]+=\S*?(?:\.\.\.)?)(?=[,;:.)]*(?:\s|$))))?"
)
_PREFIX = re.compile(r"^(?:plan|options|table|formula|of_approach|question): (?=(\w+)(?::| must| = ))")


def flags_as_keywords(sentence: str) -> str:
    """`--hold-out` is hold_out, `--where 'loss>0'` is where='loss>0'. Commands in backticks stay."""
    def keyword(found: re.Match[str]) -> str:
        value = found[2] if found[2] is not None else found[3]
        if found[1] is None:
            return found[0]
        return found[1].replace("-", "_") + ("" if value is None else f"='{value}'")

    return _FLAG.sub(keyword, sentence)


def as_keywords(sentence: str) -> str:
    """A refusal with flags as keyword arguments, and without the name of the question's part."""
    return _PREFIX.sub("", flags_as_keywords(sentence))


def plain(value: Any) -> Any:
    """As JSON has it: numpy's numbers and arrays become Python's, NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise Error(f"{value} is not a finite number")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise Error(f"{article(value)} is neither text nor a number nor a list of them: {value!r}")


def ask(question: Json, table: Table | None = None, threads: int = 0) -> Any:
    """The answer to `question`. Raises Error where it is wrong."""
    content = None
    if table is not None:
        words = {key: value for key, value in question.get("table", {}).items() if value is not None}
        words["name"] = table.name
        if table.text is not None:
            words["text"] = table.text
        content = table.content()
        question = {**question, "table": words}
    if file := os.environ.get("BITLAW_LAWS"):
        question = {**question, "known_laws": law_file_of(file, "BITLAW_LAWS")["law_file"]}
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise Error(f"threads: {threads!r} is not a number of threads; 0 is one for each core")
    asked = json.dumps(plain(question))
    if table is not None and table.runs:
        answer = json.loads(_core.ask_about_runs(asked, table.name, threads))
    else:
        answer = json.loads(_core.ask(asked, content, threads))
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        sentence = as_keywords(answer["error"])
        if table is not None and table.once and "no row" in sentence:
            sentence += "; a stream gives its rows once"
        raise Error(sentence)
    return answer


# ---- keyword arguments ----


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return f"{_text(value[0])}..{_text(value[1])}"
    value = plain(value)  # numpy's numbers have names in their repr
    return repr(value) if isinstance(value, float) else str(value)


def _assigned(values: Mapping[str, Any]) -> list[str]:
    """{"b": 1.5, "alpha": (0.1, 1), "k": None} as b=1.5, alpha=0.1..1 and k."""
    return [str(name) if value is None else f"{name}={_text(value)}" for name, value in values.items()]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(text: str) -> list[float] | None:
    """"3,4,16" or "2..8" as numbers; None if it is something else."""
    out: list[float] = []
    for item in text.split(","):
        low, dots, high = item.partition("..")
        first, last = _number(low), _number(high if dots else low)
        if first is None or last is None or not first <= last or last - first > 1000:
            return None
        out += [first + step for step in range(int(last - first) + 1)] if dots else [first]
    return out


def listed(name: str, value: Any) -> Any:
    """The value of an option that is a list. Text is read as the command line reads it."""
    if isinstance(value, Mapping):
        return _assigned(value)
    if isinstance(value, str):
        if name in ("set", "where"):
            return [value]
        numbers = _numbers(value)
        return numbers if numbers is not None else [item.strip() for item in value.split(",") if item.strip()]
    value = plain(value)
    return value if isinstance(value, list) else [value]


def must_be_known(given: Iterable[str], known: Iterable[str]) -> None:
    """Error for a name that is none of the keyword arguments, with the nearest that is."""
    names = list(known)
    for name in given:
        if name in names:
            continue
        near = difflib.get_close_matches(name, names, 1, 0.5)
        raise Error(f"unknown option '{name}'" + (f"; did you mean '{near[0]}'?" if near else
                                                  f"; there are {', '.join(sorted(names))}"))


def question_of(verb: str, given: Mapping[str, Any], keywords: type, arguments: Iterable[str] = ()) -> Json:
    """A question of the keyword arguments: how the table is read, a formula, and options.

    keywords: the TypedDict that has them. arguments: what else the function takes, for mistyped names.
    An option that is None is not given.
    """
    names = keywords.__annotations__
    must_be_known(given, [*names, *arguments])
    out: Json = {"verb": verb, "options": {}}
    table = "columns" in names
    lists = LISTS[verb] | (LISTS["table"] if table else frozenset())
    for name, value in given.items():
        if value is None:
            continue
        part = "options"
        if table and name in TABLE:
            part = "table"
        elif table and name in FORMULA:
            part = "formula"
        if name in lists and part != "formula":
            value = listed(name, value)
        elif isinstance(value, Mapping):
            value = ",".join(_assigned(value))
        elif part != "options" and isinstance(value, (list, tuple)):
            value = ",".join(map(_text, value))
        out.setdefault(part, {})[name] = value
    return out


def law_file_of(path: str | os.PathLike[str] | None, option: str = "law_file") -> Json:
    """The part of a question that has a file of laws."""
    if path is None:
        return {}
    place = Path(path).expanduser()
    try:
        return {"law_file": {"text": place.read_text(encoding="utf-8"), "name": str(path)}}
    except OSError as error:
        raise Error(f"{option}: {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise Error(f"{option}: {path} is not a text file; it is TOML with [law.NAME] tables") from None
