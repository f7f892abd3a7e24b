"""The other verbs: compare, design, plan, frontier, predict, simulate, approach."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from . import _core, _html
from ._ask import Error, Json, article, ask, flags_as_keywords, law_file_of, law_name, must_be_known, plain, question_of
from ._figures import plot_answer, with_question
from ._fit import Fit, Interval, Predictions, predict_rows
from ._frame import Frame
from ._laws import Published
from ._options import (
    APPROACH, ApproachKeywords, CompareKeywords, DesignKeywords, FitKeywords, FormulaKeywords, PlanKeywords, SimulateKeywords,
)
from ._tables import TableLike, as_text, table_of

# What predicts and plans: a fit, published constants, or a law's name.
By = Fit | Published | str


def _several(by: By | Sequence[By]) -> list[By]:
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


class Comparison(Answer):
    """Laws on the same rows, and on rows that they have not seen. `bitlaw.compare` makes one.

    Attributes: scores (a frame, best first), verdict (in words), best, tied, winner, behind, not_judged,
    points, hold_out, notes; post: the same of loss differences of quantization after training.

    A law is tied with the best where its error on held-out rows differs by no more than about twice the
    standard error of the difference. `best` has the least error; `winner` is None unless it stands alone.
    """

    @property
    def verdict(self) -> str:
        """Which law predicts best, or which are tied, in words."""
        return str(self.document["verdict"])

    @property
    def best(self) -> str | None:
        """The law with the least error on held-out rows; others may be tied with it."""
        said: str | None = self.document["best"]
        return said

    @property
    def tied(self) -> list[str]:
        """Laws that the rows cannot tell from the best, the best among them."""
        return [row["name"] for row in self.document["laws"] if row.get("tied_with_best")]

    @property
    def winner(self) -> str | None:
        """The best law, if no other is tied with it; else None."""
        return self.best if self.tied == [self.best] else None

    @property
    def behind(self) -> list[str]:
        """Laws that predict worse than the best, beyond the error of the difference."""
        return list(self.document["behind"])

    @property
    def not_judged(self) -> list[str]:
        """Laws that could not be fitted, or judged on held-out rows."""
        return list(self.document["not_judged"])

    @property
    def points(self) -> int:
        """Rows that were compared on."""
        return int(self.document["points"])

    @property
    def hold_out(self) -> str:
        """Which rows were held out."""
        return str(self.document["hold_out"])

    @property
    def post(self) -> Comparison | None:
        """The comparison on loss differences of quantization after training; None without such rows."""
        said = self.document.get("post")
        return Comparison(said) if isinstance(said, dict) else None

    @property
    def scores(self) -> Frame:
        """A row for each law, best first:
        law; k (fitted constants); held_out_rms and standard_error, the error on held-out rows (of log
        loss; of differences in standard errors); difference and difference_error, log of the ratio to the
        best; tied; rms_log and r2 of the fit to all rows; aicc; converged; note."""
        rows = []
        for law in self.document["laws"]:
            held, apart = law.get("held_out") or {}, law.get("difference") or {}
            rows.append({
                "law": law["name"],
                "k": law.get("k"),
                "held_out_rms": held.get("rms_log") if held.get("rms") is None else held["rms"],
                "standard_error": held.get("standard_error"),
                "difference": apart.get("log_rms"),
                "difference_error": apart.get("standard_error"),
                "tied": law.get("tied_with_best"),
                "rms_log": law.get("rms_log"),
                "r2": law.get("r2"),
                "aicc": law.get("aicc"),
                "converged": law.get("converged"),
                "note": law.get("note") or None,
            })
        return Frame.of_rows(rows)

    def parameters(self, law: str) -> dict[str, float | None]:
        """The constants of a law, fitted to all rows; None where these do not identify it."""
        for each in self.document["laws"]:
            if each["name"] == law:
                return {name: said.get("value") for name, said in each.get("parameters", {}).items()}
        raise Error(f"{law} is not among the laws: {', '.join(each['name'] for each in self.document['laws'])}")

    def __repr__(self) -> str:
        return f"<bitlaw.Comparison of {len(self.document['laws'])} laws: {self.verdict}>"

    def _repr_html_(self) -> str:
        shown = ["law", "held_out_rms", "standard_error", "tied", "k", "r2"]
        rows = [[row[name] for name in shown] for row in self.scores.rows()]
        after = ""
        if self.post is not None:
            after = _html.paragraph("Quantization after training") + self.post._repr_html_()
        return (_html.paragraph(self.verdict)
                + _html.table(["law", "held-out error", "standard error", "tied with the best", "constants", "R²"],
                              rows)
                + _html.items(self.notes) + after)


def compare(
    data: TableLike,
    laws: Sequence[str] | str | None = None,
    *,
    law_file: str | os.PathLike[str] | None = None,
    threads: int = 0,
    **options: Unpack[CompareKeywords],
) -> Comparison:
    """Which law predicts held-out runs? Ties are named.

    data: as for `fit`.
    laws: names of `bitlaw.laws()`, or "all" (the default).
    formula, constants, inputs, law_file: laws of your own beside them, as for `fit`.
    options: `CompareKeywords`: hold_out="largest-N", folds, objective, where, columns, ...

    Each law is fitted to the same rows, and ranked by its error on rows that it has not seen; the
    difference from the best comes with its standard error over clusters of rows.

    Raises Error if the table cannot be read, or has nothing to compare laws on.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", noise=1e-3)
    >>> found = bitlaw.compare(study, ["chinchilla", "kumar"])
    >>> found.best in found.tied, "law" in found.scores
    (True, True)
    """
    question = question_of("compare", options, CompareKeywords, ("laws", "law_file", "threads"))
    if laws is not None:
        given = [laws] if isinstance(laws, str) or not isinstance(laws, Iterable) else list(laws)
        if not given:
            raise Error("laws: the list is empty; give names of bitlaw.laws(), or leave it out for all")
        question["options"]["laws"] = [law_name(each, "laws") for each in given]
    question.update(law_file_of(law_file))
    return with_question(Comparison(ask(question, table_of(data), threads)), question)


# ---- design ----


class Design(Answer):
    """Runs to make next. `bitlaw.design` makes one.

    Attributes: runs (a frame), quantity and unit (what is to be known better), value, before, after and
    random (intervals of it now, after these runs, and after as much at random), budget and spent (FLOP), notes.
    """

    @property
    def quantity(self) -> str:
        """What is to be known better: "P*", "alpha", "all"."""
        return str(self.document["shrink"])

    @property
    def unit(self) -> str:
        """Of the quantity: "bits", "nats"."""
        return str(self.document["unit"])

    @property
    def value(self) -> float | None:
        """Of the quantity, by the fit to the runs that there are."""
        said: float | None = self.document.get("value")
        return said

    def _ends(self, name: str) -> Interval | None:
        said = self.document.get(name) or {}
        if said.get("low") is None or said.get("high") is None:
            return None
        return Interval(said["low"], said["high"])

    @property
    def before(self) -> Interval | None:
        """The interval now. None where only standard errors are known (`design["before"]`)."""
        return self._ends("before")

    @property
    def after(self) -> Interval | None:
        """The interval that is expected after these runs."""
        return self._ends("after")

    @property
    def random(self) -> Interval | None:
        """The interval after as much compute on candidates at random: the median of 101 choices."""
        return self._ends("random")

    @property
    def budget(self) -> float:
        """Training FLOP that the runs may take together."""
        return float(self.document["budget"])

    @property
    def spent(self) -> float:
        """Training FLOP that they take."""
        return float(self.document["spent"])

    @property
    def runs(self) -> Frame:
        """In the order in which they help: N, D, bits, P_post (lists of bits, where there are any), flop,
        standard_error_before and standard_error_after, and in which ways they lie beyond the table."""
        return Frame.of_rows([
            {name: "; ".join(value) if name == "beyond" else value for name, value in row.items()}
            for row in self.document["runs"]
        ])

    def __repr__(self) -> str:
        return f"<bitlaw.Design of {len(self.document['runs'])} runs for {self.quantity}>"

    def _repr_html_(self) -> str:
        def between(said: Interval | None) -> str:
            return "" if said is None else f"{said.low:.4g} to {said.high:.4g}"

        rows = [["now", between(self.before)], ["after these runs", between(self.after)],
                ["after as much at random", between(self.random)]]
        return (_html.paragraph(f"{_html.cell(self.value)} {self.unit}", self.quantity)
                + _html.table(["", f"{100 * float(self.document['level']):g} % interval"], rows)
                + self.runs._repr_html_() + _html.items(self.notes))


def design(
    data: TableLike,
    law: str | None = None,
    *,
    candidates: TableLike | None = None,
    law_file: str | os.PathLike[str] | None = None,
    threads: int = 0,
    **options: Unpack[DesignKeywords],
) -> Design:
    """Which runs to make next, so that an interval shrinks most for a budget.

    data: as for `fit`.
    law: a name of `bitlaw.laws()`; without one, the usual law for the table's columns.
    shrink: a constant, "P*" (bits), "N_eff:4", "D_crit:4@N=1e9", "loss@N=1e9,D=2e10,P_w=4", or "all".
    budget: FLOP of all proposed runs; 0, the default, is a tenth of the table's.
    candidates: "grid", "N=1e8,2e8;D=1e9,1e10;bits=3,4,16", or a table of runs that could be made: a
        path, a dict of arrays or a list of dicts with N, D and bits.
    options: `DesignKeywords`: runs, freeze, tie, level, ..., and a formula of your own as for `fit`.

    The design is D-optimal for the chosen quantity, with the Jacobian of the fit (Atkinson, Donev and
    Tobias 2007, Optimum Experimental Designs), one run at a time.

    Raises Error if the table has too few rows for the law, or if no candidate fits the budget.

    >>> import bitlaw
    >>> study = bitlaw.simulate("chinchilla", noise=1e-3)
    >>> found = bitlaw.design(study, "chinchilla", shrink="alpha", runs=2)
    >>> len(found.runs) <= 2, found.spent <= found.budget
    (True, True)
    """
    question = question_of("design", options, DesignKeywords, ("law", "candidates", "law_file", "threads"))
    if law is not None:
        question["options"]["law"] = law_name(law)
    question.update(law_file_of(law_file))
    if isinstance(candidates, str) and not Path(candidates).expanduser().exists():
        question["options"]["candidates"] = candidates
    elif candidates is not None:
        text, name = as_text(candidates, "candidates")
        question["candidates"] = {"text": text, "name": name}
    return with_question(Design(ask(question, table_of(data), threads)), question)


# ---- plan ----


class Optimum(Mapping[str, Any]):
    """The best of what a plan could choose; what it could not is as the request has it.

    N: parameters. D: tokens. loss: nats per token. compute: FLOP, C = 6 N D cost(P). P_w, P_a, P_kv:
    bits of weights, activations and KV. tokens_per_param: D / N. Others by name: `optimum["N_eff"]`.
    What the answer has not is None.
    """

    def __init__(self, document: Json) -> None:
        self._document = document

    def __getitem__(self, name: str) -> Any:
        return self._document[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)

    def _number(self, name: str) -> float | None:
        said = self._document.get(name)
        return None if said is None else float(said)

    @property
    def N(self) -> float | None:
        """Parameters."""
        return self._number("N")

    @property
    def D(self) -> float | None:
        """Training tokens."""
        return self._number("D")

    @property
    def loss(self) -> float | None:
        """Nats per token."""
        return self._number("loss")

    @property
    def compute(self) -> float | None:
        """FLOP, C = 6 N D cost(P)."""
        return self._number("compute")

    @property
    def P_w(self) -> float | None:
        """Bits of weights while training."""
        return self._number("P_w")

    @property
    def P_a(self) -> float | None:
        """Bits of activations while training."""
        return self._number("P_a")

    @property
    def P_kv(self) -> float | None:
        """Bits of keys and values while training."""
        return self._number("P_kv")

    @property
    def P_post(self) -> float | None:
        """Bits of weights after training."""
        return self._number("P_post")

    @property
    def tokens_per_param(self) -> float | None:
        """D / N."""
        return self._number("tokens_per_param")

    @property
    def precision(self) -> str | None:
        """The name of the chosen precision, where formats were to choose from."""
        said: str | None = self._document.get("precision")
        return said

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
                         for name, value in self._document.items())
        return f"<bitlaw.Optimum: {said}>"

    def _repr_html_(self) -> str:
        return _html.table(list(self._document), [list(self._document.values())])


@dataclass(frozen=True)
class Budget:
    """What limits a plan. loss_per_percent: nats per token that one per cent more of it changes."""

    name: str
    amount: float
    used: float
    binds: bool
    loss_per_percent: float | None


class Plan(Answer):
    """A plan. `bitlaw.plan` makes one.

    Attributes: optimum (N, D, bits, loss, compute), loss (nats per token), law, source, binding (what
    limits the answer, in words), budgets, sensitivity, intervals, choices, critical_data, notes.
    Of several laws or fits: plans (by name), agreement, verdict, skipped; they have no optimum together.
    """

    def _of_one(self, name: str) -> Any:
        if self.plans and name not in self.document:
            raise Error(f"several laws were asked, and each has its own {name}: plan.plans[NAME].{name}")
        return self.document.get(name)

    @property
    def optimum(self) -> Optimum:
        """Raises Error where the plan is of several laws, or asked for tokens alone (critical_data)."""
        found = self._of_one("optimum")
        if found is None:
            raise Error("the plan has no optimum: critical_data was asked for; see plan.critical_data")
        return Optimum(found)

    @property
    def loss(self) -> float:
        """Of the optimum, nats per token."""
        said = self.optimum.loss
        if said is None:
            raise Error("the law gives no loss for the optimum")
        return said

    @property
    def law(self) -> str:
        """Its name."""
        return str(self._of_one("law"))

    @property
    def source(self) -> str:
        """Where the constants come from."""
        return str(self._of_one("source"))

    @property
    def binding(self) -> str:
        """What limits the answer, in words."""
        return str(self._of_one("binding") or "")

    @property
    def budgets(self) -> list[Budget]:
        """What was given to spend, and what of it binds."""
        return [
            Budget(each["name"], each["amount"], each["used"], each["binds"], each.get("loss_per_percent"))
            for each in self._of_one("budgets") or []
        ]

    @property
    def intervals(self) -> dict[str, Interval]:
        """Of the optimum, over the draws of a fit: log_N, P_w and so on. Empty for published constants."""
        said = self._of_one("intervals") or {}
        return {name: Interval(each["low"], each["high"]) for name, each in said.items()
                if isinstance(each, Mapping) and each.get("low") is not None and each.get("high") is not None}

    @property
    def choices(self) -> dict[str, float]:
        """By a fit, of a list of precisions: the share of its draws that choose each. Else empty."""
        return dict(self._of_one("choices") or {})

    @property
    def sensitivity(self) -> Frame:
        """A row for each constant: constant, value, and how one per cent of it moves the answer (log_N,
        log_D, P_w, loss, ...)."""
        return Frame.of_rows([
            {"constant": name, "value": said["value"], **(said.get("per_percent") or {})}
            for name, said in (self._of_one("sensitivity") or {}).items()
        ])

    @property
    def critical_data(self) -> Frame:
        """Where critical_data was asked for: params, bits, tokens (beyond which more training makes the
        quantized model worse), tokens_per_param."""
        return Frame.of_rows([
            {name: value for name, value in row.items() if not isinstance(value, (dict, list))}
            for row in self._of_one("critical_data") or []
        ])

    @property
    def plans(self) -> dict[str, Plan]:
        """Of several laws or fits: the plan of each, by name."""
        return {str(each["name"]): Plan(each) for each in self.document.get("plans", [])}

    @property
    def verdict(self) -> str:
        """Of several laws or fits: in what they agree, in words; "" of one."""
        return str(self.document.get("verdict", ""))

    @property
    def agreement(self) -> Frame:
        """Of several laws or fits: a row for each quantity: quantity, agree, low, high, lowest and highest
        (which law has these)."""
        return Frame.of_rows([
            {"quantity": name, **{key: value for key, value in said.items() if not isinstance(value, (dict, list))}}
            for name, said in self.document.get("agreement", {}).items()
        ])

    @property
    def skipped(self) -> dict[str, str]:
        """Of several laws: those that cannot plan this, and why."""
        return {each["law"]: each["why"] for each in self.document.get("skipped", [])}

    def __repr__(self) -> str:
        if self.plans:
            return f"<bitlaw.Plan by {', '.join(self.plans)}: {self.verdict}>"
        if "optimum" not in self.document:
            return f"<bitlaw.Plan by {self.law}: {len(self.critical_data)} rows of critical_data>"
        return f"<bitlaw.Plan by {self.law}: {repr(self.optimum)[17:-1]}>"

    def _repr_html_(self) -> str:
        if self.plans:
            shown = ["N", "D", "P_w", "P_a", "P_kv", "tokens_per_param"]
            rows = [[name, *(each.document.get("optimum", {}).get(key) for key in shown)]
                    for name, each in self.plans.items()]
            return (_html.paragraph(self.verdict) + _html.table(["law", *shown], rows)
                    + _html.items([*(f"{law}: {why}" for law, why in self.skipped.items()), *self.notes]))
        out = _html.paragraph(self.source, self.law)
        if "optimum" in self.document:
            out += self.optimum._repr_html_() + _html.paragraph(self.binding)
        else:
            out += self.critical_data._repr_html_()
        convention = self.document.get("convention")
        return out + _html.items([*([convention] if convention else []), *self.notes])


def _devices_of(devices: Mapping[str, Any] | str | os.PathLike[str] | None) -> Json:
    if devices is None:
        return {}
    if isinstance(devices, Mapping):
        return {"devices": plain(devices)}
    import tomllib

    try:
        return {"devices": tomllib.loads(Path(devices).expanduser().read_text(encoding="utf-8"))}
    except OSError as error:
        raise Error(f"devices: {devices} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise Error(f"devices: {devices} is no TOML: {error}") from None


def _plan_question(
    by: By | Sequence[By],
    options: Mapping[str, Any],
    law_file: str | os.PathLike[str] | None,
    devices: Mapping[str, Any] | str | os.PathLike[str] | None,
    frontier: str = "",
) -> Json:
    names = ("by", "law_file", "devices", *(("bytes",) if frontier else ()))
    question = question_of("plan", options, PlanKeywords, names)
    said: Json = question["options"]
    if frontier:
        said["frontier"] = frontier
    several = _several(by)
    fits = [each for each in several if isinstance(each, Fit)]
    others = [each for each in several if not isinstance(each, Fit)]
    if fits:
        question["fits"] = [each.document for each in fits]
    if len(several) == 1 and not fits:
        one = others[0]
        if "laws" not in said and isinstance(one, str):
            said.setdefault("law", one)
        elif isinstance(one, Published):
            if "law" in said or "constants" in said:
                raise Error("constants: published constants have their own law; leave out law and constants")
            said["law"], said["constants"] = one.law, one.constants
    elif others:
        if any(isinstance(each, Published) for each in others):
            raise Error("by: several laws are compared with their first published constants; give their names")
        said.setdefault("laws", [str(each) for each in others])
    if fits and "laws" not in said:
        if "constants" in said:
            raise Error("constants: a fit has constants of its own; leave out constants or the fit")
        for fit in fits:
            if said.get("law", fit.law) != fit.law:
                raise Error(f"law {said['law']}: {fit.name} is a fit of {fit.law}; leave out law, or compare both with "
                            f"laws {said['law']}")
    if fits and (same := [each for each in others if each in {fit.law for fit in fits}]):
        raise Error(f"by: a fit of {same[0]} takes the place of its published constants; give one of the two")
    question["refuse_unused"] = True
    question.update(law_file_of(law_file))
    question.update(_devices_of(devices))
    return question


def plan(
    by: By | Sequence[By] = "kumar",
    *,
    law_file: str | os.PathLike[str] | None = None,
    devices: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    **options: Unpack[PlanKeywords],
) -> Plan:
    """The best parameters, tokens and bits under a budget.

    by: a fit, published constants, or a law's name (its first published constants); several of them are
        compared.
    compute: training budget in FLOP at 16 bits, C = 6 N D cost(P).
    gpu_hours, device, utilisation: a budget in hours of a device instead.
    memory_bytes, serve_tokens: limits and costs of serving.
    params (N), tokens (D), bits, ...: what is given rather than chosen.
    devices: your own, {"name": {"16": FLOP/s, "8": ...}}, or a TOML file of them.
    options: `PlanKeywords`, those of `bitlaw plan`.

    Raises Error for a budget that pays for no model, or for an option that would change nothing.

    >>> import bitlaw
    >>> found = bitlaw.plan("kumar", compute=1e21)
    >>> f"{found.optimum.N:.3g} parameters, {found.optimum.D:.3g} tokens, {found.optimum.P_w:.2g} bits"
    '5.34e+09 parameters, 7.13e+10 tokens, 7 bits'
    >>> found.binding
    'compute (1e+21 FLOP) limits the answer.'
    """
    question = _plan_question(by, options, law_file, devices)
    return with_question(Plan(ask(question)), question)


class Frontier(Answer):
    """The best choices for every size of a model file. `bitlaw.frontier` makes one.

    Attributes: points (a frame, a row for each size), changes (a frame: where the best precision changes), law,
    alternatives, notes. Of several laws or fits: frontiers, by name, and ranges.
    """

    @property
    def points(self) -> Frame:
        """bytes (of the file), choice (the best precision), N, D, bits, loss (nats per token), second and
        gap (the next precision, and its loss above the best), memory_bytes, beyond, ..."""
        return Frame.of_rows([
            {name: "; ".join(value) or None if name == "beyond" else value for name, value in row.items()
             if name != "choices" and not isinstance(value, dict)}
            for row in self.document.get("points", [])
        ])

    @property
    def alternatives(self) -> Frame:
        """Every precision at every size: bytes, choice, N, loss."""
        return Frame.of_rows([
            {"bytes": row["bytes"], **each} for row in self.document.get("points", [])
            for each in row.get("choices", [])
        ])

    @property
    def changes(self) -> Frame:
        """Where the best precision changes: bytes, from, to."""
        return Frame.of_rows(self.document.get("changes", []))

    @property
    def law(self) -> str:
        """Its name."""
        return str(self.document.get("law", ""))

    @property
    def frontiers(self) -> dict[str, Frontier]:
        """Of several laws or fits: each by the name of its law, numbered where two have the same."""
        out: dict[str, Frontier] = {}
        for each in self.document.get("laws", []):
            name = str(each["law"])
            same = sum(known.partition(" (")[0] == name for known in out)
            out[f"{name} ({same + 1})" if same else name] = Frontier(each)
        return out

    @property
    def ranges(self) -> Frame:
        """Of several laws or fits: bytes, low_N and high_N over them, and the choices of each."""
        return Frame.of_rows([
            {name: ", ".join(value) if isinstance(value, list) else value for name, value in row.items()}
            for row in self.document.get("ranges", [])
        ])

    def __repr__(self) -> str:
        if self.frontiers:
            return f"<bitlaw.Frontier by {', '.join(self.frontiers)}>"
        return f"<bitlaw.Frontier by {self.law}: {len(self.document.get('points', []))} sizes>"

    def _repr_html_(self) -> str:
        if self.frontiers:
            return "".join(each._repr_html_() for each in self.frontiers.values()) + _html.items(self.notes)
        shown = ["bytes", "choice", "N", "loss", "second", "gap"]
        rows = [[row.get(name) for name in shown] for row in self.document.get("points", [])]
        changes = [f"From {each['bytes']:.3g} bytes: {each['to']} instead of {each['from']}."
                   for each in self.document.get("changes", [])]
        return (_html.paragraph("", self.law) + _html.table(shown, rows) + _html.items([*changes, *self.notes]))


def frontier(
    by: By | Sequence[By] = "kumar",
    bytes: str = "4e6..1e12",
    *,
    law_file: str | os.PathLike[str] | None = None,
    **options: Unpack[PlanKeywords],
) -> Frontier:
    """The best parameters and bits for every size of a model file in a range of bytes.

    by: as for `plan`. bytes: the range, "LOW..HIGH". options: as for `plan`, such as tokens=1e11 (D).

    Raises Error if no precision fits into the file.

    >>> import bitlaw
    >>> found = bitlaw.frontier("kumar", "1e8..1e10", tokens=1e11)
    >>> found.points["choice"][0], found.changes["to"][-1]
    ('5 bits', '3 bits')
    """
    question = _plan_question(by, options, law_file, None, f"bytes={bytes}")
    return with_question(Frontier(ask(question)), question)


# ---- predict ----


def predict(
    runs: TableLike | None = None,
    by: By | Sequence[By] = "kumar",
    level: float | None = None,
    *,
    law_file: str | os.PathLike[str] | None = None,
    **values: Any,
) -> Predictions:
    """The loss of each row of `runs`, by a fit, published constants, or a law's name.

    runs, level and values: as for `Fit.predict`.
    by: several fits and laws give a row for each run and each of them, in that order (`Predictions.by`).

    >>> import bitlaw
    >>> bitlaw.predict(N=1e9, D=2e10, by=["kumar", "chinchilla"]).by
    ['kumar', 'chinchilla']
    """
    several = _several(by)
    question: Json = {"verb": "predict", **law_file_of(law_file)}
    for place, each in enumerate(several):
        if isinstance(each, Fit):
            name = each.name if each.name != "fit" or len(several) == 1 else f"fit {place + 1} ({each.law})"
            question.setdefault("fits", []).append({"name": name, "fit": each.document})
        elif isinstance(each, str):
            question.setdefault("laws", []).append(each)
        else:
            question.setdefault("laws", []).append(each.law)
            if len(several) > 1 and each.constants != each.sets[0]:
                raise Error("by: several laws predict with their first published constants; give one at a time")
            if len(several) == 1:
                question["constants"] = each.constants
    if "fits" not in question and level is not None:
        raise Error("level: published constants have no intervals; leave it out, or give a fit")
    return predict_rows(question, runs, level, values)


# ---- simulate ----


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
