"""The runs to make next."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Unpack

from . import _html
from ._answer import Answer
from ._ask import Error, ask, law_file_of, law_name, question_of
from ._figures import with_question
from ._fit import Interval
from ._frame import Frame
from ._options import DesignKeywords
from ._tables import TableLike, as_text, table_of


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
