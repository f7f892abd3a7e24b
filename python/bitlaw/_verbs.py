"""The other verbs: compare, design, plan, frontier, predict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Unpack

from ._ask import Json, ask
from ._fit import Fit, Predictions, Published, predict_rows
from ._options import CompareKeywords, DesignKeywords, PlanKeywords, split
from ._tables import TableLike, table_of


class Answer:
    """The document that the command line prints for the same request; `answer["key"]` reads it."""

    def __init__(self, document: Json) -> None:
        self.document = document

    def __getitem__(self, key: str) -> Any:
        return self.document[key]

    def to_json(self) -> str:
        return json.dumps(self.document, indent=2)

    def __repr__(self) -> str:
        return f"<bitlaw.{type(self).__name__}: {', '.join(self.document)}>"


class Plan(Answer):
    """A plan. `optimum` has N, D, bits and loss; `notes` what the answer rests on."""

    @property
    def optimum(self) -> Json:
        found: Json = self.document["optimum"]
        return found

    @property
    def loss(self) -> float:
        return float(self.optimum["loss"])

    @property
    def notes(self) -> list[str]:
        return list(self.document["notes"])


def compare(
    data: TableLike, laws: Sequence[str] | str | None = None, *, threads: int = 0,
    **options: Unpack[CompareKeywords],
) -> Answer:
    """Which law predicts held-out runs? Ties are named. `data` as for `fit`."""
    words, rest = split(dict(options))
    if laws is not None:
        rest["laws"] = [laws] if isinstance(laws, str) else list(laws)
    return Answer(ask({"verb": "compare", "table": words, "options": rest}, table_of(data), threads))


def design(
    data: TableLike, law: str | None = None, *, threads: int = 0, **options: Unpack[DesignKeywords]
) -> Answer:
    """Which runs to make next, so that an interval shrinks most for a budget. `data` as for `fit`."""
    words, rest = split(dict(options))
    if law is not None:
        rest["law"] = law
    return Answer(ask({"verb": "design", "table": words, "options": rest}, table_of(data), threads))


def _plan_question(by: Fit | Published | str | Sequence[Fit], options: Json) -> Json:
    question: Json = {"verb": "plan", "options": options}
    if isinstance(by, Fit):
        question["fits"] = [by.document]
    elif isinstance(by, Published):
        options["law"] = by.law
        if by.constants:
            options["constants"] = by.constants
    elif isinstance(by, str):
        options["law"] = by
    else:
        question["fits"] = [each.document for each in by]
    return question


def plan(by: Fit | Published | str | Sequence[Fit] = "kumar", **options: Unpack[PlanKeywords]) -> Plan:
    """The best parameters, tokens and bits under a budget.

    by: a fit, several fits, published constants, or a law's name.
    """
    return Plan(ask(_plan_question(by, dict(options))))


def frontier(by: Fit | Published | str = "kumar", bytes: str = "4e6..1e12", **options: Unpack[PlanKeywords]) -> Answer:
    """The best parameters and bits for every size of a model file in a range of bytes."""
    return Answer(ask(_plan_question(by, {**options, "frontier": f"bytes={bytes}"})))


def predict(runs: TableLike, by: Fit | Published | str = "kumar", level: float = 0.9) -> Predictions:
    """The loss of each row of `runs`, by a fit, published constants, or a law's name."""
    if isinstance(by, str):
        return predict_rows({"verb": "predict", "laws": [by], "level": level}, runs)
    return by.predict(runs, level)
