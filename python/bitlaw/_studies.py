"""Studies drawn from a law, and N and D of a budget in three ways."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from . import _html
from ._answer import Answer, By
from ._ask import (
    Error, Json, article, ask, flags_as_keywords, law_file_of, law_name, must_be_known, plain, question_of,
)
from ._fit import Fit
from ._frame import Frame
from ._laws import Published
from ._options import APPROACH, ApproachKeywords, FitKeywords, FormulaKeywords, SimulateKeywords
from ._tables import TableLike, table_of


def _inputs(values: Any) -> Any:
    if not isinstance(values, Mapping):
        return values
    out: list[str] = []
    for name, each in values.items():
        several = plain(each)
        several = several if isinstance(several, list) else [several]
        out += [f"{name}={value}" if place == 0 else f"{value}" for place, value in enumerate(several)]
    return out


def simulate(
    by: By | None = None,
    *,
    set: str = "",
    constants: Mapping[str, float] | Sequence[str] | str = (),
    formula: str = "",
    delta_formula: str = "",
    like: TableLike | None = None,
    law_file: str | os.PathLike[str] | None = None,
    **options: Unpack[SimulateKeywords],
) -> Frame:
    """A study drawn from a law whose constants are known, to test fits and designs.

    by: a law's name, published constants, or a fit; without one, the default law.
    set: of published constants, where `by` is a name; "" is the first.
    constants: values to override, {"E": 1.8}; with a formula, all of them.
    formula, delta_formula: a law of your own, with inputs={"experts": [1, 8]}.
    like: a table whose runs (N, D, bits) are drawn instead of a design; as `data` of `fit`.
    params (N), tokens (D), ratios (D / N), weights, activations, kv, post (bits), replicates: the design.
    noise: standard deviation of log loss. delta_noise: of deltas, in nats. seed: of the noise.

    The frame has the columns of a table of runs: N, D, bits, loss (nats per token), standard errors, and
    `run`, the cluster. Its notes say how many runs diverged and were left out. A study depends on its
    design, constants and seed alone.

    Raises Error for a constant or a set that the law does not have.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", params=[1e8, 1e9], tokens=[2e10], noise=0)
    >>> study["loss"].round(4)
    array([2.9568, 2.5306])
    """
    question = question_of("simulate", {**options, "inputs": _inputs(options.get("inputs"))}, SimulateKeywords,
                           ("by", "set", "constants", "formula", "delta_formula", "like", "law_file"))
    if isinstance(by, Fit):
        question["fit"], question["fit_name"] = by.document, by.name
    elif isinstance(by, Published):
        if set:
            raise Error("set: published constants are a set already; leave it out")
        question["law"], set = by.law, by.constants
    elif by is not None:
        question["law"] = law_name(by, "by")
    if set:
        question["set"] = set
    if isinstance(constants, Mapping):
        question["constants"] = [f"{name}={plain(value)!r}" for name, value in constants.items()]
    elif isinstance(constants, str):
        question["constants"] = constants.split(",") if constants else []
    elif isinstance(constants, Sequence):
        question["constants"] = list(constants)
    else:
        raise Error(f"constants: {article(constants)} has no names; give a dict of numbers, such as {{'E': 1.8}}")
    if formula or delta_formula:
        question["formula"] = {"formula": formula, "delta_formula": delta_formula}
    question.update(law_file_of(law_file))
    if like is not None:
        question["table"] = {}
    answer = ask(question, None if like is None else table_of(like, "like"))
    notes = []
    if answer["diverged"] > 0:
        rows = len(answer["rows"]) + answer["diverged"]
        notes.append(f"{answer['diverged']} of {rows} rows would have diverged and were left out.")
    return Frame.of_rows(answer["rows"], notes)


# ---- approach ----


class Approaches(Answer):
    """The compute-optimal N and D in up to three ways. `bitlaw.approach` makes one.

    Attributes: exponents (a frame), optima (a frame), agreement (sentences), notes, missing.
    """

    @property
    def asked(self) -> list[str]:
        """isoflop, envelope, parametric: those that were asked for."""
        return list(self.document["asked"])

    @property
    def exponents(self) -> Frame:
        """N_opt ~ C^a and D_opt ~ C^b: approach, a, a_low, a_high, b, b_low, b_high."""
        rows = []
        for name in self.asked:
            said = self._optima(name)
            row: Json = {"approach": name}
            for exponent in ("a", "b"):
                found = said.get(exponent) or {}
                row[exponent] = found.get("value")
                row[f"{exponent}_low"], row[f"{exponent}_high"] = found.get("low"), found.get("high")
            rows.append(row)
        return Frame.of_rows(rows)

    def _optima(self, name: str) -> Json:
        said: Json = self.document.get(name) or {}
        return said if "a" in said or "at" in said else said.get("optima") or said

    @property
    def optima(self) -> Frame:
        """N_opt and D_opt of each budget: approach, compute (FLOP), N, N_low, N_high, D, D_low, D_high."""
        rows = []
        for name in self.asked:
            for at in self._optima(name).get("at", []):
                row: Json = {"approach": name, "compute": at.get("compute", at.get("C"))}
                for size in ("N", "D"):
                    found = at.get(size) or {}
                    row[size] = found.get("value")
                    row[f"{size}_low"], row[f"{size}_high"] = found.get("low"), found.get("high")
                rows.append(row)
        return Frame.of_rows(rows)

    @property
    def missing(self) -> dict[str, str]:
        """Why an approach gives no exponents, by its name."""
        return {name: flags_as_keywords(self._optima(name)["missing"]) for name in self.asked if self._optima(name).get("missing")}

    @property
    def agreement(self) -> list[str]:
        """Whether the approaches agree, in words."""
        return list(self.document["agreement"])

    def plot(self, name: str | None = None, ax: Any = None, **how: Any) -> Any:
        """Raises Error: approaches have no figure of their own. `bitlaw.report(data)` draws the losses of each
        budget, "isoflop".
        """
        raise Error("approaches have no figure of their own; bitlaw.report(data).plot('isoflop') draws the losses of "
                    "each budget")

    def __repr__(self) -> str:
        return f"<bitlaw.Approaches: {', '.join(self.asked)}>"

    def _repr_html_(self) -> str:
        return (self.exponents._repr_html_() + self.optima._repr_html_()
                + _html.items([*self.agreement, *(f"{name}: {why}" for name, why in self.missing.items()),
                               *self.notes]))


def approach(
    data: TableLike,
    approach: str = "all",
    *,
    law: str | None = None,
    compute: Sequence[float] | float | str | None = None,
    budget_tolerance: float | None = None,
    threads: int = 0,
    **options: Unpack[FitKeywords],
) -> Approaches:
    """The compute-optimal allocation N_opt ~ C^a, D_opt ~ C^b, in the three ways of Hoffmann et al. (2022,
    arXiv 2203.15556, section 3).

    data: as for `fit`, of one precision.
    approach: "isoflop" (a parabola of the loss in log N for each budget), "envelope" (of learning curves, rows
        of which share a run), "parametric" (a law fitted to all runs), or "all".
    law: of the parametric one.
    compute: budgets (FLOP) to give N_opt and D_opt for; by default the table's largest, and ten times it.
    budget_tolerance: runs whose C differs by at most this share are one budget.
    options: `FitKeywords`: draws, level, where, columns, ...

    What the rows do not tell has no number, and `missing` says why.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", noise=1e-3)
    >>> bitlaw.approach(study, "parametric", draws=0).exponents["approach"]
    array(['parametric'], dtype=object)
    """
    names = ("approach", "law", "threads", *APPROACH)
    question = question_of("fit", options, FitKeywords, names)
    must_be_known(question.get("formula", {}), {*FitKeywords.__annotations__, *names} - FormulaKeywords.__annotations__.keys())
    question["verb"] = "approach"
    question["approach"] = approach
    if law is not None:
        question["options"]["law"] = law_name(law)
    given: Any = {"compute": compute, "budget_tolerance": budget_tolerance}
    question["of_approach"] = question_of("approach", given, ApproachKeywords)["options"]
    table = table_of(data)
    if table.runs and approach not in ("isoflop", "parametric"):
        raise Error(f"approach: the envelope of a directory of runs is that of their learning curves, which "
                    f"`bitlaw fit {table.name} --approach {approach}` reads; ask for isoflop or parametric here")
    return Approaches(ask(question, table, threads))
