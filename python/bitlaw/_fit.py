"""A law fitted to a table, and published constants: both predict and plan."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
from numpy.typing import NDArray

from . import _core, _html
from ._ask import Error, Json, article, ask, flags_as_keywords, law_file_of, law_name, question_of
from ._figures import plot_fit
from ._frame import Frame, write_whole
from ._options import FitKeywords, PlanKeywords
from ._tables import Table, TableLike, table_of

if TYPE_CHECKING:
    from ._plan import Plan


_BEST_BITS = {"P*_w": "P* (weights)", "P*_a": "P* (activations)", "P*_kv": "P* (KV)"}


# What every document of a fit has.
_KEYS = {"law", "points", "level", "parameters", "derived", "notes", "objective_name"}


class Interval(NamedTuple):
    """Both ends of an interval, in the unit of its quantity."""

    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """A constant of a fitted law.

    value: in the law's own units; None where the data do not identify it, so that no value is better than
        another over most of its range. A constant that was not fitted keeps a value: `why_fixed` says which.
    interval: at the level of the fit (`Fit.level`); None where the data do not give one.
    why_fixed: why it was not fitted, such as "equals alpha" or "as requested"; "" where it was.
    tied_to: the constant that it always equals; "" where there is none.
    """

    name: str
    value: float | None
    interval: Interval | None
    why_fixed: str = ""
    tied_to: str = ""


@dataclass(frozen=True)
class Quantity:
    """What follows from the constants, such as P* or the exponent of N* ~ C^a. None where nothing does."""

    name: str
    value: float | None
    interval: Interval | None
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Predictions:
    """Predicted losses in nats per token: a row for each run, and for each law where there are several.

    loss: (rows,); NaN where the law predicts none.
    mean: (rows, 2), the interval of the mean over runs like it; NaN where there is none.
    run: (rows, 2), the interval of a single run, with the scatter of runs; NaN where there is none.
    delta: (rows,), the loss difference of quantization after training; NaN without one.
    beyond: in which ways a row lies beyond the fitted runs; empty within them.
    by: the fit or law of each row.
    notes: what the reader should know of the constants and the intervals.
    document: what `bitlaw predict --json` prints.

    >>> import bitlaw
    >>> found = bitlaw.published("chinchilla").predict({"N": [1e9, 2e9], "D": 2e10})
    >>> found.loss.shape, found.frame().columns[:4]
    ((2,), ['D', 'N', 'P_a', 'P_kv'])
    """

    loss: NDArray[np.float64]
    mean: NDArray[np.float64]
    run: NDArray[np.float64]
    beyond: list[list[str]]
    document: Json = field(repr=False)
    delta: NDArray[np.float64]
    by: list[str]
    notes: list[str]

    def __len__(self) -> int:
        return len(self.loss)

    def frame(self) -> Frame:
        """The rows with their columns, then by, predicted, mean_low, mean_high, run_low, run_high,
        predicted_delta, residual (measured less predicted, where the row has a measurement), beyond and
        problem."""
        rows = self.document["predictions"]
        of = Frame.of_rows([row["of"] for row in rows])
        more: dict[str, Any] = {
            "by": self.by,
            "predicted": self.loss,
            "mean_low": self.mean[:, 0],
            "mean_high": self.mean[:, 1],
            "run_low": self.run[:, 0],
            "run_high": self.run[:, 1],
            "predicted_delta": self.delta,
            "residual": [row.get("residual") for row in rows],
            "beyond": ["; ".join(each) or None for each in self.beyond],
            "problem": [row.get("problem") for row in rows],
        }
        return Frame({**of.to_dict(), **more}, self.notes)

    def _repr_html_(self) -> str:
        return self.frame()._repr_html_()


def _pairs(rows: list[Json], name: str) -> NDArray[np.float64]:
    def ends(said: Any) -> list[float]:
        if isinstance(said, Mapping):
            said = [said.get("low"), said.get("high")]
        return [np.nan if end is None else end for end in said or [None, None]]

    return np.array([ends(row.get(name)) for row in rows], dtype=float).reshape(-1, 2)


def _reals(values: Iterable[Any]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def predictions_of(document: Json) -> Predictions:
    rows = document["predictions"]
    notes = [f"{law['name']}: {flags_as_keywords(note)}" for law in document["laws"] for note in law["notes"]]
    return Predictions(
        loss=_reals(row["loss"] for row in rows),
        mean=_pairs(rows, "mean"),
        run=_pairs(rows, "run"),
        beyond=[list(row.get("beyond", [])) for row in rows],
        document=document,
        delta=_reals(row.get("delta") for row in rows),
        by=[row["fit"] for row in rows],
        notes=list(dict.fromkeys([*notes, *(row[key] for row in rows for key in ("note", "problem") if key in row)])),
    )


def _interval(said: Json) -> Interval | None:
    low, high = said.get("low"), said.get("high")
    return None if low is None or high is None else Interval(low, high)


@dataclass(frozen=True)
class _Made:
    """Of what a fit was made: its residuals need the rows again."""

    table: Table
    question: Json


class Fit:
    """A fitted law: the document of `bitlaw fit --out`, with names. `bitlaw.fit` makes one.

    Attributes: law (its name), points (rows used), level (of the intervals), notes (what the fit does not
    say of itself), parameters, derived, draws, document.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", noise=1e-3)
    >>> fit = bitlaw.fit(study, "chinchilla", draws=50)
    >>> fit
    <bitlaw.Fit of chinchilla to 20 points>
    >>> low, high = fit.interval("alpha")
    >>> low < fit.parameters["alpha"].value < high
    True
    """

    def __init__(self, document: Json, name: str = "fit", *, _made: _Made | None = None) -> None:
        if not isinstance(document, dict) or not _KEYS <= document.keys():
            raise Error(f"{name}: is no fit; `bitlaw.fit(...)` and `bitlaw fit --out` make one")
        self.document = document
        self.name = name
        self._made = _made

    def __reduce__(self) -> tuple[Any, ...]:
        return Fit, (self.document, self.name)  # not the rows

    @property
    def law(self) -> str:
        """The law's name."""
        return str(self.document["law"])

    @property
    def points(self) -> int:
        """Rows that were fitted: of the training losses, or of deltas where there are none."""
        return int(self.document["points"])

    @property
    def level(self) -> float:
        """Of the intervals: 0.9 is 90 %."""
        return float(self.document["level"])

    @property
    def objective(self) -> str:
        """What was minimised, in words: "huber(0.0107, sum) of log residuals"."""
        return str(self.document["objective_name"])

    @property
    def r2(self) -> float | None:
        """R^2 of the loss; of log delta where only deltas were fitted."""
        said = self.document["r2"]
        return None if said is None else float(said)

    @property
    def converged(self) -> bool:
        """Whether the solver reached a minimum."""
        return bool(self.document["converged"])

    @property
    def notes(self) -> list[str]:
        """Sentences on what the data identify, and on what was left out."""
        return [flags_as_keywords(note) for note in self.document["notes"]]

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """The law's constants by name, in its order."""
        return {
            name: Parameter(
                name,
                said.get("value") if said.get("identified", True) else None,
                _interval(said),
                str(said.get("frozen") or ""),
                str(said.get("tied_to") or ""),
            )
            for name, said in self.document["parameters"].items()
        }

    @cached_property
    def derived(self) -> dict[str, Quantity]:
        """What follows from the constants, by name: P*, the exponents of N* and D*."""
        return {
            said["name"]: Quantity(said["name"], said.get("value"), _interval(said), said.get("unit", ""),
                                   said.get("note", ""))
            for said in self.document["derived"]
        }

    def interval(self, name: str) -> Interval:
        """Of a constant, or of a quantity derived from them ("P*", "a of N* ~ C^a"), at `level`.

        "P*" is that of all parts together that have bits in the law; "P*_w", "P*_a" and "P*_kv" are those of weights,
        activations, and keys and values.

        Raises Error where the data do not give it, or where there is no such name.
        """
        if name in self.parameters:
            interval, why = self.parameters[name].interval, self.parameters[name].why_fixed
        elif (long := self._long_name(name)) in self.derived:
            interval, why = self.derived[long].interval, self.derived[long].note
        else:
            raise Error(f"the fit has no {name}; it has {', '.join([*self.parameters, *self.derived])}")
        if interval is None and not why and "draws" not in self.document:
            raise Error(f"{name} has no interval: the fit has no bootstrap draws; draws=400 makes them, and fit.notes "
                        "say where the data allow none")
        if interval is None:
            raise Error(f"{name} has no interval: {why or 'the data do not identify it'}")
        return interval

    def _long_name(self, name: str) -> str:
        """Of a derived quantity: "P*_w" is "P* (weights)", as in `design(shrink="P*_w")`."""
        best_bits = [each for each in self.derived if each.startswith("P* (")]
        if name == "P*" and best_bits:
            return max(best_bits, key=lambda each: each.count(","))
        return _BEST_BITS.get(name, name)

    @property
    def draws(self) -> NDArray[np.float64]:
        """Bootstrap draws of the constants, (draws, parameters), in the order of `draw_names`."""
        draws = self.document.get("draws") or {"names": [], "values": []}
        return np.array(draws["values"], dtype=float).reshape(len(draws["values"]), len(draws["names"]))

    @property
    def draw_names(self) -> list[str]:
        """The constants that differ between draws."""
        return list((self.document.get("draws") or {"names": []})["names"])

    @property
    def held_out(self) -> Frame:
        """The error on held-out rows, by split: part, split, fitted, points, rms_log, standard_error, ..."""
        return Frame.of_rows(self.document["held_out"])

    def predict(self, runs: TableLike | None = None, level: float | None = None, **values: Any) -> Predictions:
        """The loss of each row of `runs`, with the intervals of the mean and of a run.

        runs: a dict of numbers or of arrays, a data frame, a list of dicts or the path of a table, with N
            (parameters), D (tokens) and, where the law has them, bits: P_w, P_a, P_kv, P_post. Or the same
            as keyword arguments.
        level: of the intervals; 0.9 unless given.

        Raises Error for a name that means nothing, in a dict or a keyword argument. A data frame or a file
        may have other columns.

        >>> import bitlaw
        >>> fit = bitlaw.fit(bitlaw.simulate("chinchilla"), "chinchilla", draws=0)
        >>> fit.predict(N=1e9, D=[1e10, 2e10]).loss.shape
        (2,)
        """
        return predict_rows({"verb": "predict", "fits": [self._named()]}, runs, level, values)

    def plan(self, **options: Unpack[PlanKeywords]) -> Plan:
        """The best parameters, tokens and bits under a budget, by this fit: `bitlaw.plan(fit, ...)`."""
        from ._plan import plan

        return plan(self, **options)

    def residuals(self, data: TableLike | None = None, **options: Unpack[FitKeywords]) -> Frame:
        """How far each fitted row lies from the law, as the fit counts it.

        data: the table of the fit, where the fit does not have it any more (a loaded fit, or a stream that
            was read); then also the options of the fit that say which rows it has, and how they are read.

        The frame has a row for each point:
            row           its position in the data, from 0: `df.iloc[row]`
            N, D, P_w, ...  its columns, N as the law counts it
            of            "loss" or "delta", the difference of quantization after training
            measured, predicted   of these, in nats per token
            residual      of the kind that was fitted, predicted against measured
            unit          "log loss": log(predicted / measured); "loss": predicted - measured, in nats;
                          "standard errors" of a difference
            weight        of its square in the objective
            standardised  sqrt(weight) residual / s, with s = median |r| / 0.6745 sqrt(n / (n - k)), which
                          Huber's threshold is 1.345 of (Huber 1981, Robust Statistics, section 4.5)
            outlier       beyond Huber's threshold, so that its pull is bounded

        Rows that the fit left out are in `left_out`. They are the values that `bitlaw fit --residuals`
        writes. Raises Error if the data are not those of the fit, or have changed since.

        >>> import bitlaw
        >>> fit = bitlaw.fit(bitlaw.simulate("chinchilla"), "chinchilla", draws=0)
        >>> len(fit.residuals()) == fit.points
        True
        """
        answer = self._residuals(data, options)
        rows = []
        for said, run in zip(answer["residuals"], answer["rows"], strict=True):
            if "left_out" in said:
                continue
            rest = {name: said[name] for name in ("of", "measured", "predicted", "residual", "unit", "weight",
                                                  "standardised", "outlier")}
            rows.append({"row": said["index"], **run, **rest})
        return Frame.of_rows(rows)

    def left_out(self, data: TableLike | None = None, **options: Unpack[FitKeywords]) -> Frame:
        """The rows of the data that the fit has not used: row (position, from 0) and reason.

        data, options: as for `residuals`.
        """
        said = [each for each in self._residuals(data, options)["residuals"] if "left_out" in each]
        said.sort(key=lambda each: int(each["index"]))
        return Frame({"row": np.array([each["index"] for each in said], dtype=np.int64),
                      "reason": [each["left_out"] for each in said]})

    def _residuals(self, data: TableLike | None, options: Mapping[str, Any]) -> Json:
        if self._made is not None and not options:
            question, table = self._made.question, self._made.table
        else:
            question = question_of("fit", options, FitKeywords)
            if "formula" not in question:
                for part, words in self._law_words().items():
                    question.setdefault(part, {}).update(words)
            table = None
        if data is not None:
            table = table_of(data)
        if table is None:
            raise Error("a loaded fit has no rows; give its table: fit.residuals(data)")
        answer: Json = ask({**question, "verb": "residuals", "fit": self.document}, table)
        return answer

    def _law_words(self) -> Json:
        own = self.document.get("formula")
        if not isinstance(own, Mapping):
            return {"options": {"law": self.law}}
        return {"formula": {
            "formula": own["formula"],
            "delta_formula": own.get("delta", ""),
            "constants": ",".join(f"{name}={ends}" for name, ends in own.get("constants", {}).items()),
            "inputs": ",".join(f"{name}={column}" for name, column in own.get("inputs", {}).items()),
        }}

    def plot(self, name: str | None = None, ax: Any = None, **how: Any) -> Any:
        """Draws a figure of the fit: without a name, measured against predicted losses.

        name: of a figure of `bitlaw.report(fit).drawings`, or its beginning: "residuals", "effective-parameters",
            "iso-loss", "profiles"; an unknown one raises Error with the list.
        ax: matplotlib axes to draw into, one for each panel; without, a new figure.
        how: keywords of `Drawing.plot`: panel, width, words, legend, whole, own.

        Gives the matplotlib Figure, or `ax`. The table is the one that was fitted, as it is now; a fit without
        one (`bitlaw.load`) draws what its constants say.
        """
        return plot_fit(self, name, ax, how)

    def to_json(self) -> str:
        """The text that `bitlaw fit --out` writes, to the byte: `bitlaw plan --fit` reads it."""
        return _core.json_text(json.dumps(self.document), 1)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes `to_json` to a file, at once. Raises Error where it cannot be written."""
        write_whole(path, self.to_json() + "\n")

    def _named(self) -> Json:
        return {"name": self.name, "fit": self.document}

    def __repr__(self) -> str:
        return f"<bitlaw.Fit of {self.law} to {self.points} points>"

    def _repr_html_(self) -> str:
        def row(each: Parameter | Quantity, why: str) -> list[Any]:
            between = "" if each.interval is None else f"{each.interval.low:.4g} to {each.interval.high:.4g}"
            return [each.name, each.value, between or why]

        rows = [row(each, each.why_fixed) for each in self.parameters.values()]
        rows += [row(each, each.note) for each in self.derived.values()]
        return (
            _html.paragraph(f"fitted to {self.points} points by {self.objective}", self.law)
            + _html.table(["constant", "value", f"{100 * self.level:g} % interval"], rows)
            + _html.items(self.notes)
        )


def predict_rows(
    question: Json, runs: TableLike | None, level: float | None, values: Mapping[str, Any] | None = None
) -> Predictions:
    if level is not None:
        question["level"] = level
    if type(runs).__module__.startswith("bitlaw.") and hasattr(runs, "predict"):
        raise Error("predict: the first argument is the runs; give the fit as by=..., or call its own predict")
    if values:
        if runs is not None:
            raise Error("predict: give either runs or their values as keyword arguments")
        runs = dict(values)
    if runs is None:
        raise Error("predict: give runs, such as {'N': 1e9, 'D': 2e10}")
    if isinstance(runs, Mapping) and all(np.ndim(value) == 0 for value in runs.values()):
        return predictions_of(ask({**question, "runs": [dict(runs)]}))
    described = isinstance(runs, Mapping) or (isinstance(runs, Sequence) and not isinstance(runs, (str, bytes)))
    return predictions_of(ask({**question, "table": {}, "described": described}, table_of(runs, "runs")))


def fit(
    data: TableLike,
    law: str | None = None,
    *,
    law_file: str | os.PathLike[str] | None = None,
    freeze_from: Fit | tuple[Fit, Sequence[str]] | None = None,
    threads: int = 0,
    **options: Unpack[FitKeywords],
) -> Fit:
    """Fits a law to a table of runs, with intervals of its constants.

    data: a data frame (pandas, polars, duckdb, pyarrow), a dict of arrays, a list of dicts, an open file, or
        the path of a CSV or JSON file, with columns N (parameters), D (tokens), loss (nats per token),
        and bits where there are any: P_w, P_a, P_kv, P_post (docs/tables.md).
    law: a name of `bitlaw.laws()`; without one, the usual law for the table's columns.
    formula: a law of your own, "E + A/N^alpha + B/D^beta*exp(-k*experts)", with ranges of its constants,
        constants={"k": (0, 2)}, and inputs={"experts": "num_experts"}, columns of the table.
    law_file: a TOML file of laws of your own ([law.NAME], docs/fitting.md); `law` names one of several.
    freeze_from: a fit whose constants are kept fixed, or (fit, ["E", "alpha"]) for some of them.
    threads: 0 for one a core. The result is the same for any number.
    options: `FitKeywords`, those of `bitlaw fit`: objective, huber_delta, freeze={"b": 1.1277},
        draws, level, where="P_w=4,16", columns={"N": "params"}, ...

    By default log residuals under Huber's function, summed, from 64 starts, with 400 bootstrap draws over
    whole runs (Hoffmann et al. 2022, arXiv 2203.15556, appendix D.2, with the corrections of Besiroglu
    et al. 2024, arXiv 2404.10102).

    Raises Error, in one sentence, if the table cannot be read or nothing can be fitted to it.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", noise=0)
    >>> fit = bitlaw.fit(study, formula="E + A/N^alpha + B/D^beta", draws=0)
    >>> round(fit.parameters["alpha"].value, 3) == round(bitlaw.published("chinchilla").parameters["alpha"], 3)
    True
    """
    question = question_of("fit", options, FitKeywords, ("law", "law_file", "freeze_from", "threads"))
    if law is not None:
        question["options"]["law"] = law_name(law)
    question.update(law_file_of(law_file))
    if freeze_from is not None:
        other, names = freeze_from if isinstance(freeze_from, tuple) else (freeze_from, [])
        if not isinstance(other, Fit):
            raise Error(f"freeze_from: {article(other)} is no fit; give one, or (fit, ['E', 'alpha'])")
        question["freeze_from"] = {**other._named(), "constants": [names] if isinstance(names, str) else list(names)}
    table = table_of(data)
    return Fit(ask(question, table, threads), _made=_Made(table, question))


def load(path: str | os.PathLike[str]) -> Fit:
    """A fit that `Fit.save` or `bitlaw fit --out` wrote. Raises Error where the file holds none."""
    if not isinstance(path, (str, os.PathLike)):
        raise Error(f"path: {article(path)} is no path; give that of a file of bitlaw.fit(...).save(path)")
    try:
        return Fit(json.loads(Path(path).expanduser().read_text(encoding="utf-8")), Path(path).name)
    except OSError as error:
        raise Error(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        if isinstance(error, Error):
            raise
        raise Error(f"{path}: is no JSON; `bitlaw fit --out` writes a fit") from None
