"""A law fitted to a table, and published constants: both predict and plan."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from ._ask import Error, Json, ask
from ._options import FitKeywords, split
from ._tables import TableLike, table_of


class Interval(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """A constant of a law. `value` is None where the data do not identify it."""

    name: str
    value: float | None
    interval: Interval | None
    why_fixed: str  # "": it was fitted


@dataclass(frozen=True)
class Predictions:
    """Predicted losses in nats per token, a row each."""

    loss: NDArray[np.float64]
    mean: NDArray[np.float64]  # (rows, 2): the interval of the mean; NaN where there is none
    run: NDArray[np.float64]  # (rows, 2): the interval of a single run
    beyond: list[list[str]]  # in which ways a row lies beyond the fitted runs
    document: Json

    def __len__(self) -> int:
        return len(self.loss)


def _pairs(rows: list[Json], name: str) -> NDArray[np.float64]:
    none = [np.nan, np.nan]
    return np.array([row.get(name) or none for row in rows], dtype=float).reshape(-1, 2)


def predictions_of(document: Json) -> Predictions:
    rows = document["predictions"]
    return Predictions(
        loss=np.array([np.nan if row["loss"] is None else row["loss"] for row in rows], dtype=float),
        mean=_pairs(rows, "mean"),
        run=_pairs(rows, "run"),
        beyond=[list(row.get("beyond", [])) for row in rows],
        document=document,
    )


class Fit:
    """A fitted law: the document of `bitlaw fit --out`, with names.

    Attributes: law, points (rows used), level (of the intervals), notes, document.
    """

    def __init__(self, document: Json, name: str = "fit") -> None:
        if not isinstance(document, dict) or "parameters" not in document or "law" not in document:
            raise Error(f"{name}: is no fit; `bitlaw.fit(...)` and `bitlaw fit --out` make one")
        self.document = document
        self.name = name

    @property
    def law(self) -> str:
        return str(self.document["law"])

    @property
    def points(self) -> int:
        return int(self.document["points"])

    @property
    def level(self) -> float:
        return float(self.document["level"])

    @property
    def notes(self) -> list[str]:
        return list(self.document["notes"])

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """By name, in the law's order."""
        out = {}
        for name, said in self.document["parameters"].items():
            has_interval = said.get("low") is not None and said.get("high") is not None
            out[name] = Parameter(
                name,
                said.get("value"),
                Interval(said["low"], said["high"]) if has_interval else None,
                str(said.get("frozen") or ""),
            )
        return out

    def interval(self, name: str) -> Interval:
        """Of a parameter, or of a quantity derived from them ("P*", "a of N* ~ C^a").

        Raises Error where the data do not identify it, or where there is no such name.
        """
        derived = {each["name"]: each for each in self.document["derived"]}
        if name in self.parameters:
            interval = self.parameters[name].interval
            why = self.parameters[name].why_fixed
        elif name in derived:
            each = derived[name]
            interval = Interval(each["low"], each["high"]) if each.get("low") is not None else None
            why = ""
        else:
            known = ", ".join([*self.parameters, *derived])
            raise Error(f"the fit has no {name}; it has {known}")
        if interval is None:
            raise Error(f"{name} has no interval: {why or 'the data do not identify it'}")
        return interval

    @property
    def draws(self) -> NDArray[np.float64]:
        """Bootstrap draws, (draws, parameters), in the order of `draw_names`."""
        draws = self.document.get("draws") or {"names": [], "values": []}
        return np.array(draws["values"], dtype=float).reshape(-1, len(draws["names"]))

    @property
    def draw_names(self) -> list[str]:
        return list((self.document.get("draws") or {"names": []})["names"])

    def predict(self, runs: TableLike, level: float = 0.9) -> Predictions:
        """The loss of each row of `runs` (N, D, bits), with the intervals of the mean and of a run."""
        question = {"verb": "predict", "fits": [{"name": self.name, "fit": self.document}], "level": level}
        return predict_rows(question, runs)

    def to_json(self) -> str:
        """The document of `bitlaw fit --out`: `bitlaw plan --fit` reads it."""
        return json.dumps(self.document, indent=2)

    def save(self, path: str | Path) -> None:
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")

    def __repr__(self) -> str:
        return f"<bitlaw.Fit of {self.law} to {self.points} points>"

    def _rows(self) -> Iterator[tuple[str, str, str]]:
        for each in self.parameters.values():
            value = "" if each.value is None else f"{each.value:.4g}"
            interval = "" if each.interval is None else f"{each.interval.low:.4g} to {each.interval.high:.4g}"
            yield each.name, value, interval or each.why_fixed

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in self._rows()
        )
        notes = "".join(f"<li>{escape(str(note))}</li>" for note in self.notes)
        return (
            f"<p><b>{escape(self.law)}</b> fitted to {self.points} points</p>"
            f"<table><thead><tr><th>constant</th><th>value</th>"
            f"<th>{100 * self.level:g} % interval</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<ul>{notes}</ul>"
        )


def predict_rows(question: Json, runs: TableLike) -> Predictions:
    if isinstance(runs, Mapping) and all(np.ndim(value) == 0 for value in runs.values()):
        return predictions_of(ask({**question, "runs": [dict(runs)]}))
    return predictions_of(ask({**question, "table": {}}, table_of(runs)))


def fit(
    data: TableLike, law: str | None = None, *, threads: int = 0, **options: Unpack[FitKeywords]
) -> Fit:
    """Fits a law to a table of runs.

    data: a data frame (pandas, polars, duckdb, pyarrow), a dict of arrays, a list of dicts, or the path of
        a CSV or JSON file, with columns N (parameters), D (tokens), loss (nats per token), and bits
        where there are any: P_w, P_a, P_kv, P_post (docs/tables.md).
    law: a name of `bitlaw.laws()`; without one, the usual law for the table's columns.
    threads: 0 for one a core. The result is the same for any number.

    Raises Error, in one sentence, if the table cannot be read or nothing can be fitted to it.
    """
    words, rest = split(dict(options))
    if law is not None:
        rest["law"] = law
    question: Json = {"verb": "fit", "table": words, "options": rest}
    return Fit(ask(question, table_of(data), threads))


def load(path: str | Path) -> Fit:
    """A fit that `Fit.save` or `bitlaw fit --out` wrote."""
    try:
        return Fit(json.loads(Path(path).read_text(encoding="utf-8")), Path(path).name)
    except OSError as error:
        raise Error(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, Error):
            raise
        raise Error(f"{path}: is no JSON; `bitlaw fit --out` writes a fit") from None


class Published:
    """Published constants of a law."""

    def __init__(self, law: str, constants: str = "") -> None:
        self.law = law
        self.constants = constants
        self.document: dict[str, Any] = ask({"verb": "laws", "name": law})

    def predict(self, runs: TableLike, level: float = 0.9) -> Predictions:
        """The loss of each row of `runs` (N, D, bits). Published constants have no intervals."""
        question: Json = {"verb": "predict", "laws": [self.law], "level": level}
        if self.constants:
            question["constants"] = self.constants
        return predict_rows(question, runs)

    def __repr__(self) -> str:
        return f"<bitlaw.published({self.law!r})>"


def published(law: str, constants: str = "") -> Published:
    """A law with published constants; `constants` names a set where a law has several."""
    return Published(law, constants)
