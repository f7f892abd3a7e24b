"""The registry of laws, and the constants that were published for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack, overload

from . import _html
from ._ask import Error, Json, ask, law_name
from ._fit import Predictions, predict_rows
from ._options import PlanKeywords
from ._tables import TableLike

if TYPE_CHECKING:
    from ._plan import Plan


@dataclass(frozen=True)
class LawParameter:
    """A constant of a law: what it means, with its unit, and the range in which a fit looks for it."""

    name: str
    meaning: str
    low: float | None
    high: float | None
    stage: str  # "training", or "post" of quantization after training


@dataclass(frozen=True)
class Law:
    """A law: its formula, constants and source. `document` has everything that `bitlaw laws show` prints.

    quantity: what it predicts, "loss" or another. uses_bits: it models precision in training.
    post_training: it models quantization after training.

    >>> import bitlaw
    >>> law = bitlaw.laws()["chinchilla"]
    >>> list(law.parameters)
    ['E', 'A', 'B', 'alpha', 'beta']
    """

    name: str
    title: str
    formula: str
    source: str
    document: Json = field(repr=False)

    @property
    def quantity(self) -> str:
        """What it predicts: "loss", or another."""
        return str(self.document["quantity"])

    @property
    def uses_bits(self) -> bool:
        """Whether it models precision in training."""
        return bool(self.document["uses_bits"])

    @property
    def post_training(self) -> bool:
        """Whether it models quantization after training."""
        return bool(self.document["post_training"])

    @cached_property
    def parameters(self) -> dict[str, LawParameter]:
        """Its constants by name, in its order."""
        return {
            each["name"]: LawParameter(each["name"], each["meaning"], each.get("low"), each.get("high"),
                                       each["stage"])
            for each in self.document["parameters"]
        }

    @cached_property
    def published(self) -> list[str]:
        """Names of its sets of published constants; the first is the usual one."""
        return [each["name"] for each in self.document["constants"] if each["name"] != "start"]

    def _repr_html_(self) -> str:
        rows = [
            [each.name, each.meaning, each.low, each.high, each.stage] for each in self.parameters.values()
        ]
        sets = [f"{each['name']}: {each['source']}" for each in self.document["constants"]]
        return (
            _html.paragraph(self.title, self.name)
            + _html.paragraph(self.formula)
            + _html.paragraph(self.source, "Source:")
            + _html.table(["constant", "meaning", "least", "most", "stage"], rows)
            + _html.items(sets)
        )


class Laws(dict[str, Law]):
    """All laws by name."""

    def _repr_html_(self) -> str:
        rows = [[law.name, law.title, law.formula, law.source] for law in self.values()]
        return _html.table(["law", "title", "formula", "source"], rows)


def _law(said: Json) -> Law:
    return Law(said["name"], said["title"], said["formula"], said["source"], said)


def laws() -> Laws:
    """All laws by name: formulas, constants, sources, and how they did on public tables.

    >>> import bitlaw
    >>> bitlaw.laws()["kumar"].source
    'Kumar et al. 2024, arXiv 2411.04330, eq. 9 with the offsets of appendix K'
    """
    return Laws((each["name"], _law(each)) for each in ask({"verb": "laws"})["laws"])


class Published:
    """Published constants of a law: what its authors found, without intervals. `bitlaw.published` gives it.

    Attributes: law (its name), constants (the name of the set), parameters (values by name), source,
    notes, sets (names of all sets of the law), formula.

    >>> import bitlaw
    >>> chinchilla = bitlaw.published("chinchilla", "besiroglu")
    >>> chinchilla.parameters["alpha"], chinchilla.source
    (0.3478, 'Besiroglu et al. 2024, arXiv 2404.10102, refit of the same data')
    """

    def __init__(self, law: str, constants: str = "") -> None:
        law = law_name(law)
        if not law:
            raise Error("law: the name is empty; give one of bitlaw.laws()")
        self.document: Json = ask({"verb": "laws", "name": law})
        self.definition: Law = _law(self.document)
        self.law: str = self.definition.name
        said = [each for each in self.document["constants"] if constants in ("", each["name"])]
        if not said:  # the core says what there is
            ask({"verb": "predict", "laws": [law], "constants": constants, "runs": [{"N": 1e9, "D": 2e10}]})
            raise Error(f"{law} has no constants called {constants}")
        self._set: Json = said[0]
        self.constants: str = str(self._set["name"])

    @property
    def parameters(self) -> dict[str, float]:
        """The constants by name, in the law's units (natural logarithms, nats per token)."""
        values: dict[str, float] = self._set["values"]
        order = [name for name in self.definition.parameters if name in values]
        return {name: values[name] for name in [*order, *(name for name in values if name not in order)]}

    @property
    def source(self) -> str:
        """Paper and table."""
        return str(self._set["source"])

    @property
    def formula(self) -> str:
        """Of the law."""
        return self.definition.formula

    @property
    def sets(self) -> list[str]:
        """Names of the law's sets of constants."""
        return [each["name"] for each in self.document["constants"]]

    @property
    def fitted_on(self) -> Json | None:
        """The runs that they were fitted to: data, ranges of N, D and bits, source; None where unknown."""
        said: Json | None = self._set.get("fitted_on")
        return said

    @property
    def notes(self) -> list[str]:
        """What the reader should know of the set."""
        if self.constants != "start":
            return []
        return [f"{self.law} has no complete set of published constants, so these are starting values of a fit."]

    def predict(self, runs: TableLike | None = None, level: float | None = None, **values: Any) -> Predictions:
        """The loss of each row of `runs` (as for `Fit.predict`). Published constants have no intervals.

        >>> import bitlaw
        >>> bitlaw.published("kumar").predict(N=1e9, D=2e10, P_w=4).loss.round(3)
        array([3.079])
        """
        if level is not None:
            raise Error("level: published constants have no intervals; leave it out, or give a fit")
        question: Json = {"verb": "predict", "laws": [self.law], "constants": self.constants}
        return predict_rows(question, runs, None, values)

    def plan(self, **options: Unpack[PlanKeywords]) -> Plan:
        """The best parameters, tokens and bits under a budget: `bitlaw.plan(published, ...)`."""
        from ._plan import plan

        return plan(self, **options)

    def __repr__(self) -> str:
        return f"<bitlaw.published({self.law!r}, {self.constants!r})>"

    def _repr_html_(self) -> str:
        meaning = self.definition.parameters
        rows = [[name, value, meaning[name].meaning if name in meaning else ""]
                for name, value in self.parameters.items()]
        return (
            _html.paragraph(f"{self.constants}: {self.source}", self.law)
            + _html.paragraph(self.formula)
            + _html.table(["constant", "value", "meaning"], rows)
            + _html.items(self.notes)
        )


class PublishedSets(dict[str, list[str]]):
    """Names of published sets of constants, by law."""

    def _repr_html_(self) -> str:
        return _html.table(["law", "sets of constants"], [[law, ", ".join(sets)] for law, sets in self.items()])


@overload
def published(law: str, constants: str = "") -> Published: ...
@overload
def published() -> PublishedSets: ...
def published(law: str | None = None, constants: str = "") -> Published | PublishedSets:
    """A law with published constants, or, without a name, the sets that there are.

    law: a name of `bitlaw.laws()`. constants: the name of a set, where a law has several; "" is the first.

    Returns a `Published` with parameters, source, predict and plan; without a law, a dict of the names
    of sets by law. Raises Error for a name that is none of these.

    >>> import bitlaw
    >>> bitlaw.published("kumar").parameters["E"]
    2.7648
    >>> bitlaw.published()["kumar"][:2]
    ['published', 'tied']
    """
    if law is None and constants:
        raise Error(f"constants: {constants} is a set of which law? Give its name first")
    if law is None:
        return PublishedSets((name, each.published) for name, each in laws().items() if each.published)
    return Published(law, constants)
