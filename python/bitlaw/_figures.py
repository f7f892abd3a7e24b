"""Reports and figures: what `bitlaw report` computes, shown in a notebook, saved as its page, or drawn by
matplotlib. The drawings are data (src/science/report/drawing.h); nothing is computed a second time here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack
from weakref import WeakKeyDictionary

from . import _core
from ._ask import Error, Json, article, as_keywords, plain, question_of
from ._options import FitKeywords
from ._tables import Table, TableLike, table_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._fit import Fit
    from ._answer import Answer

_NOTEBOOK_HEIGHT = 640  # pixels of a report's frame; it scrolls


@dataclass(frozen=True)
class Drawing:
    """A figure as data. `says` is a sentence that was computed of it; `panels` is empty where the data do not
    support it, and `says` then says what is missing. `document` has the points, curves, intervals and axes
    (src/science/report/drawing.h lists its fields).
    """

    name: str
    title: str
    says: str
    document: Json

    @property
    def panels(self) -> list[Json]:
        return list(self.document["panels"])

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        panel: int | str | None = None,
        width: float | None = None,
        words: bool = True,
        legend: bool = True,
        whole: bool = False,
        own: bool = False,
    ) -> Any:
        """Draws it with matplotlib, and gives the Figure; or `ax`, where that is given.

        ax: axes to draw into, one for each panel. Without, the figure is new, and pyplot does not hold it:
            a notebook shows it, `savefig` writes it.
        panel: the number or the title of one panel; without, all.
        width: of a new figure, in inches; 8.33 without (the page's own file). Text keeps its size, so a narrow
            figure has fewer panels beside each other.
        words: False leaves out title, key and sentence, for a figure that has a caption of its own.
        legend: False leaves out the legend of the series.
        whole: True shows curves and bars to their ends, however far they lead.
        own: True gives each panel axes of its own; without, all have the same range.

        Colours are the page's, for light or dark paper (rcParams["figure.facecolor"]); font and size are those
        of rcParams. Raises Error without matplotlib, and for a drawing that cannot be drawn in full.
        """
        try:
            from . import _draw
        except ImportError:
            raise Error("figures need matplotlib: `pip install matplotlib`") from None
        if ax is None:
            return _draw.draw(self.document, panel=panel, width=width, words=words, legend=legend, whole=whole, own=own)
        drawn = _draw.draw_into(self.document, ax, panel=panel, legend=legend, whole=whole, own=own)
        return drawn[0] if len(drawn) == 1 else drawn

    def __repr__(self) -> str:
        return f"<bitlaw.Drawing {self.name}: {self.title}, {len(self.panels)} panels>"


def _named(documents: Sequence[Json]) -> dict[str, Drawing]:
    return {each["id"]: Drawing(each["id"], each["title"], each["says"], each) for each in documents}


def _found(drawings: Mapping[str, Drawing], name: str | None, first: Sequence[str], missing: str) -> Drawing:
    """By name, or by its beginning: "residuals" is residuals-n. Without a name, the first of `first` that has panels."""
    if not drawings:
        raise Error(missing)
    if name is None:
        drawn = [each for each in drawings.values() if each.document["panels"]]
        wanted = [drawings[each] for each in first if each in drawings and drawings[each].document["panels"]]
        return [*wanted, *drawn, *drawings.values()][0]
    if name in drawings:
        return drawings[name]
    for each in drawings.values():
        if each.name.startswith(f"{name}-"):
            return each
    raise Error(f"there is no figure {name!r}; there are {', '.join(drawings)}{'. ' + missing if missing else ''}")


_FIRST = ("predicted-measured", "delta-predicted", "loss-by-bits-weights")


class Report:
    """What `bitlaw report` computes of a table and a fit: answers, tables and figures.

    A notebook shows its page; `save` writes the page; `plot` draws one of its figures.
    """

    def __init__(self, made: _core.Report, without: str = "") -> None:
        self._made = made
        self._without = without  # why figures are missing

    @cached_property
    def document(self) -> Json:
        """What `bitlaw report --json` prints."""
        found: Json = json.loads(self._made.json())
        return found

    @property
    def title(self) -> str:
        return str(self.document["title"])

    @property
    def answer(self) -> list[str]:
        """Paragraphs: what was measured, the best precision, what a bit less costs."""
        return list(self.document["answer"])

    @property
    def notes(self) -> list[str]:
        """Of the fit, and on factors in which rows differ."""
        return list(self.document["notes"])

    @cached_property
    def drawings(self) -> dict[str, Drawing]:
        """The figures by name."""
        return _named(self.document["drawings"])

    def plot(self, name: str | None = None, ax: Axes | Sequence[Axes] | None = None, **how: Any) -> Any:
        """Draws the figure of this name (`drawings`); without a name, predicted against measured losses.

        `ax` and keywords as for `Drawing.plot`. Raises Error, with the names, where there is none of this name.
        """
        return _found(self.drawings, name, _FIRST, self._without).plot(ax, **how)

    def html(self) -> str:
        """The page: one file that opens without a network."""
        return self._made.html()

    def save(self, path: str | Path) -> None:
        """Writes the page, byte for byte as `bitlaw report --out` does."""
        try:
            Path(path).write_bytes(self.html().encode())
        except OSError as error:
            raise Error(f"{path}: cannot be written: {error.strerror or error}") from None

    def __repr__(self) -> str:
        return f"<bitlaw.Report {self.title!r}, {len(self.drawings)} figures>"

    def _repr_html_(self) -> str:
        # Links of a frame like this one lead to the notebook's address unless the page says where it is.
        page = self.html().replace("base-uri 'none'", "base-uri about:", 1)
        page = page.replace("<head>", '<head><base href="about:srcdoc">', 1)
        # In single quotes, which a page of JSON hardly has. The frame runs scripts but has no origin: it reaches
        # neither the notebook nor a network.
        page = page.replace("&", "&amp;").replace("'", "&#39;")
        return (
            f'<iframe sandbox="allow-scripts allow-downloads" title="report" width="100%" height="{_NOTEBOOK_HEIGHT}" '
            f"style=\"border: 1px solid #98a2ae; background: white\" srcdoc='{page}'></iframe>"
        )


def _made_report(
    table: Table | None, words: Json, fit: Fit | None, compare: Answer | Json | None, title: str | None
) -> _core.Report:
    question: Json = {"title": title or ""}
    content = None
    if fit is not None:
        question |= {"fit": fit.document, "fit_name": fit.name}
    if compare is not None:
        question["compare"] = getattr(compare, "document", compare)
    if table is not None:
        given = {key: value for key, value in words.items() if value is not None}
        given["name"] = table.name
        if table.runs:
            given["runs"] = True
        if table.text is not None:
            given["text"] = table.text
        content = table.content()
        question["table"] = given
    try:
        return _core.report(json.dumps(plain(question)), content)
    except Error as error:
        raise Error(as_keywords(str(error))) from None


_NO_TABLE = (
    "This fit has no table (it was loaded, or made of its document), so figures of measured runs are not here: "
    "bitlaw.report(df, fit=fit) has them"
)


def report(
    data: TableLike | Fit,
    fit: Fit | None = None,
    *,
    law: str | None = None,
    compare: Answer | Json | None = None,
    title: str | None = None,
    threads: int = 0,
    **options: Unpack[FitKeywords],
) -> Report:
    """The report of a table of runs and a fit: in a notebook its page, and its figures by name.

    data: a table as for `bitlaw.fit`; or a fit, whose table is then taken.
    fit: a fit of the table. Without one, `law` (and options of `bitlaw.fit`) fits it; without these, the report
        has what the rows alone say.
    compare: what `bitlaw.compare` answered, or its document, for the figure of laws beside each other.
    title: of the page; without, the table's name.

    A directory of runs is taken as the table of the runs that have ended: `bitlaw report DIRECTORY` also has their
    learning curves and times. Same request, same page as `bitlaw report TABLE --fit FIT`, byte for byte. Raises Error, in one sentence, if
    the table cannot be read or the fit is of another kind of rows.

    >>> import bitlaw
    >>> runs = {"N": [1e8, 2e8, 4e8] * 3, "D": [2e9] * 3 + [4e9] * 3 + [8e9] * 3,
    ...         "loss": [3.61, 3.38, 3.21, 3.44, 3.22, 3.05, 3.31, 3.09, 2.93]}
    >>> made = bitlaw.report(runs, law="chinchilla", draws=20)
    >>> made.drawings["predicted-measured"].title
    'Predicted against measured loss'
    >>> made.save("report.html")  # doctest: +SKIP
    """
    from ._fit import Fit
    from ._fit import fit as fitted

    given = {name: value for name, value in options.items() if value is not None}
    if isinstance(data, Fit):
        if fit is not None or law is not None or given:
            raise Error("the first argument is a fit, so there is nothing to fit; give the table, then fit=")
        if data._made is None:
            return Report(_made_report(None, {}, data, compare, title), _NO_TABLE)
        made = data._made
        return Report(_made_report(made.table, made.question.get("table", {}), data, compare, title))
    question = question_of("fit", given, FitKeywords, ("fit", "law", "compare", "title", "threads"))
    rest = [*question["options"], *question.get("formula", {})]
    if fit is None and (law is not None or rest):
        return report(fitted(data, law, threads=threads, **options), compare=compare, title=title)
    if fit is not None and not isinstance(fit, Fit):
        raise Error(f"fit: {article(fit)} is no fit; bitlaw.fit(...) and bitlaw.load(...) give one")
    if fit is not None and (law is not None or rest):
        named = ", ".join([*(["law"] if law is not None else []), *rest])
        raise Error(f"fit= is fitted already, so {named} would change nothing; leave out one of the two")
    return Report(_made_report(table_of(data), question.get("table", {}), fit, compare, title))


_reports: WeakKeyDictionary[Fit, Report] = WeakKeyDictionary()


def plot_fit(fit: Fit, name: str | None, ax: Any, how: Mapping[str, Any]) -> Any:
    if fit not in _reports:
        _reports[fit] = report(fit)  # takes a second or more
    return _reports[fit].plot(name, ax, **how)


_Asked = TypeVar("_Asked", bound="Answer")


def with_question(answer: _Asked, question: Json) -> _Asked:
    """Its figures need what was asked: the fit, and what was free."""
    answer._question = question
    return answer


def drawings_of_answer(question: Json, answer: Json) -> dict[str, Drawing]:
    """Of what compare, plan, frontier or design answered."""
    words = {key: value for key, value in question.items() if key != "table"}
    return _named(json.loads(_core.drawings(json.dumps(plain(words)), json.dumps(plain(answer)))))


def plot_answer(question: Json | None, answer: Json, name: str | None, ax: Any, how: Mapping[str, Any]) -> Any:
    if question is None:
        raise Error("this answer was made of its document alone; ask again, as in bitlaw.plan(fit, ...).plot()")
    found = drawings_of_answer(question, answer)
    return _found(found, name, (), "" if found else _why_none(answer)).plot(ax, **how)


def _why_none(answer: Json) -> str:
    if "plans" in answer or isinstance(answer.get("laws"), list) and "points" not in answer:
        return "several laws or fits have no figure together; ask for one, as in bitlaw.plan(fit, ...).plot()"
    if "optimum" not in answer:
        return "this answer has no loss to draw"
    return "this answer has nothing to draw: neither its bits nor its size were free"

