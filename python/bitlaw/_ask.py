"""One question to the core, and its answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from . import _core
from ._tables import Table

Json = dict[str, Any]


class Error(ValueError):
    """What is wrong with a request or a table, where, and what to do: one sentence."""

    __module__ = "bitlaw"


def plain(value: Any) -> Any:
    """As JSON has it: numpy's numbers and arrays become Python's, NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple, set, range)):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise Error(f"{value!r} is neither text nor a number nor a list of them")


def ask(question: Json, table: Table | None = None, threads: int = 0) -> Any:
    frame = None
    if table is not None:
        frame = table.stream()
        words = {key: value for key, value in question.get("table", {}).items() if value is not None}
        words["name"] = table.name
        if table.text is not None:
            words["text"] = table.text
            words.setdefault("format", table.format)
        question = {**question, "table": words}
    asked = json.dumps(plain(question))
    if table is not None and table.runs:
        answer = json.loads(_core.ask_about_runs(asked, table.name, threads))
    else:
        answer = json.loads(_core.ask(asked, frame, threads))
    if isinstance(answer, dict) and isinstance(answer.get("error"), str):
        raise Error(answer["error"])
    return answer
