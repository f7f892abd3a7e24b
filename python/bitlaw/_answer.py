"""Answers: documents of the program, with names; and what may be asked to predict and plan."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import _core
from ._ask import Error, Json, article, flags_as_keywords
from ._figures import plot_answer
from ._fit import Fit
from ._laws import Published

# What predicts and plans: a fit, published constants, or a law's name.
By = Fit | Published | str


def listed(by: By | Sequence[By]) -> list[By]:
    given: list[Any] = list(by) if isinstance(by, (list, tuple)) else [by]
    for each in given:
        if not isinstance(each, (Fit, Published, str)):
            raise Error(f"by: {article(each)} is neither a fit nor a law's name; give bitlaw.fit(...), "
                        "bitlaw.published(...) or a name")
    if not given:
        raise Error("by: the list is empty; give a fit, published constants or a law's name")
    return given


class Answer:
    """The document that the command line prints for the same request; `answer["key"]` reads it."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self._question: Json | None = None

    def __getitem__(self, key: str) -> Any:
        if key not in self.document:
            raise Error(f"the answer has no {key}; it has {', '.join(self.document)}")
        return self.document[key]

    def __contains__(self, key: object) -> bool:
        return key in self.document

    @property
    def notes(self) -> list[str]:
        """Sentences on what the answer rests on."""
        return [flags_as_keywords(note) for note in self.document.get("notes", [])]

    def to_json(self) -> str:
        """The text that the command line prints with --json, to the byte."""
        return _core.json_text(json.dumps(self.document), 2)

    def plot(self, name: str | None = None, ax: Any = None, **how: Any) -> Any:
        """Draws the answer's figure, or the one of this name; an unknown name raises Error with the list.

        `ax` and keywords as for `Fit.plot`. Gives the matplotlib Figure, or `ax`.
        """
        return plot_answer(self._question, self.document, name, ax, how)

    def __repr__(self) -> str:
        return f"<bitlaw.{type(self).__name__}: {', '.join(self.document)}>"


# ---- compare ----
