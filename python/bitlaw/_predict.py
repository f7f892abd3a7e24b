"""The loss of runs that were not made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ._answer import By, listed
from ._ask import Error, Json, law_file_of
from ._fit import Fit, Predictions, predict_rows
from ._tables import TableLike


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
    several = listed(by)
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
