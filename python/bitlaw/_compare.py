"""Laws judged on held-out rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Unpack

from . import _html
from ._answer import Answer
from ._ask import Error, ask, law_file_of, law_name, question_of
from ._figures import with_question
from ._frame import Frame
from ._options import CompareKeywords
from ._tables import TableLike, table_of


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
