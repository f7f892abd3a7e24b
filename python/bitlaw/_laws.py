"""The registry of laws."""

from __future__ import annotations

from dataclasses import dataclass

from ._ask import Json, ask


@dataclass(frozen=True)
class Law:
    """A law: its formula, constants and source. `document` has everything that `bitlaw laws show` prints."""

    name: str
    title: str
    formula: str
    source: str
    document: Json


def laws() -> dict[str, Law]:
    """All laws by name."""
    listed = ask({"verb": "laws"})
    entries = listed["laws"] if isinstance(listed, dict) else listed
    return {
        each["name"]: Law(each["name"], each["title"], each["formula"], each["source"], each)
        for each in entries
    }
