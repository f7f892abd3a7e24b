"""The best parameters, tokens and bits under a budget, and at every size of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from . import _html
from ._answer import Answer, By, listed
from ._ask import Error, Json, ask, law_file_of, plain, question_of
from ._figures import with_question
from ._fit import Fit, Interval
from ._frame import Frame
from ._laws import Published
from ._options import PlanKeywords


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
    several = listed(by)
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
