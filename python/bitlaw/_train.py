"""Training, quantization and studies: the program as a child process."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, Unpack

import numpy as np

from ._ask import Error, Json, plain
from ._frame import Frame
from ._runs import Run, read_runs
from ._task import (
    Progress, StudyProgress, Task, TrainingProgress, any_progress, study_progress, training_progress,
)
from ._task_options import (
    COMMAND_LINE_ONLY, REPEATED, SECTIONS, PrepareKeywords, QuantizeKeywords, ReproduceKeywords, SweepKeywords,
    TrainKeywords, TuneKeywords,
)
from ._answer import Answer

PathLike: TypeAlias = str | os.PathLike[str]
Config: TypeAlias = PathLike | Mapping[str, Any]


def _toml(value: Any) -> str:
    """As the right side of KEY=VALUE."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(key))} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _assignments(settings: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Nested or dotted keys as KEY=VALUE. None is left out."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _assignments(value, f"{before}{key}.")
        elif value is not None:
            value = os.fspath(value) if isinstance(value, os.PathLike) else value
            yield f"{before}{key}={_toml(plain(value))}"


def _configuration(given: Config | Sequence[Config]) -> list[str]:
    """Files, KEY=VALUE and dictionaries, in order, as words of the command line."""
    if isinstance(given, Mapping):
        return list(_assignments(given))
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)]
    if not isinstance(given, Sequence) or isinstance(given, bytes):
        raise Error(f"a configuration {given!r}: the path of a file, a dictionary, or a list of them is expected")
    return [word for each in given for word in _configuration(each)]


def _text(value: Any) -> str:
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    return value if isinstance(value, str) else json.dumps(plain(value))


def _options(verb: str, options: Mapping[str, Any]) -> list[str]:
    """Keyword arguments as options of the command line. None is left out."""
    words = []
    for keyword, value in options.items():
        name = keyword.rstrip("_")
        if name in COMMAND_LINE_ONLY:
            raise Error(f"{name} is an option of the command line alone; leave it out")
        option = "--" + name.replace("_", "-")
        if value is None:
            continue
        if isinstance(value, (bool, np.bool_)):
            words.append(f"{option}={'true' if value else 'false'}")
            continue
        value = value.tolist() if hasattr(value, "tolist") else value
        listed = list(value) if isinstance(value, (list, tuple, range, set)) else [value]
        if name in REPEATED[verb]:
            words += [f"{option}={_text(each)}" for each in listed]
        else:
            words.append(f"{option}={','.join(map(_text, listed))}")
    return words


def _words(verb: str, positional: Sequence[str], options: Mapping[str, Any]) -> list[str]:
    # Positional words last, behind what ends a list of options.
    return [*verb.split(), *_options(verb, options), "--json", *positional]


def train(
    config: Config | Sequence[Config] = (), **options: Unpack[TrainKeywords]
) -> Task[TrainingProgress, Run]:
    """Trains a model, or resumes an interrupted run, in a child process.

    config: a TOML file, a dictionary with nested or dotted keys, or a list of both; what comes later counts. Keys
        are those of `bitlaw train --help`.
    options: sections of the configuration (`model={"width": 64}`, `recipe={"weights": 4}`,
        `train={"tokens": 4e6}`), which count last, and how it runs: `directory` (of the runs; "runs"), `threads` (0:
        all), `checkpoints` (models kept along the run), and the other options of `bitlaw train --help`.

    Returns a task: iterate over it for progress (step, tokens, loss in nats per token, seconds left), or wait with
    `.result()` for the Run. The name of a run is a hash of its configuration, so the same call resumes what was
    interrupted, to the same bits, and returns at once what has ended. A run that diverged is a result.

    Iterating, and `.result()`, raise Error where a key is unknown, a value out of range, or there is no data set;
    and if the program was killed, with what to do. Error at once where there is no program.

    >>> import bitlaw
    >>> with bitlaw.train("run.toml", train={"lr": 1e-3}, threads=4) as task:  # doctest: +SKIP
    ...     for event in task:
    ...         print(f"{event.tokens} tokens, loss {event.loss}, {event.seconds_left} s left")
    >>> task.result().loss  # doctest: +SKIP
    3.1415
    """
    given: dict[str, Any] = dict(options)
    sections = {name: given.pop(name) for name in SECTIONS if name in given}
    words = _words("train", [*_configuration(config), *_assignments(sections)], given)
    return Task(words, training_progress, lambda document, notes: Run(document["directory"]))


_FIRST = ("run", "at_tokens", "method", "bits", "format", "group", "loss_nats", "delta", "standard_error")


def _cells(document: Json, notes: list[str]) -> Frame:
    problems = [str(each) for each in document.get("problems", [])]
    for problem in problems:
        warnings.warn(problem, stacklevel=3)
    frame = Frame.of_rows(document["rows"], problems + notes)
    first = [name for name in _FIRST if name in frame]
    return frame[first + [name for name in frame if name not in first]]


def quantize_runs(
    runs: PathLike | Run | Sequence[PathLike | Run], **options: Unpack[QuantizeKeywords]
) -> Task[Progress, Frame]:
    """Quantizes the weights of finished runs or of Hugging Face checkpoints, and measures what that costs.

    runs: directories of runs (one that holds several stands for all of them), or of checkpoints; or Run.
    options: `methods` ("rtn", "gptq", "awq", with options such as "gptq+act-order"), `bits` ([3, 4]), `groups`
        (weights that share a scale; 0: per output channel), `formats`, `calibration_seeds`, `threads`, and the
        others of `bitlaw quantize --help`.

    Returns a task whose result is a Frame, a row per cell: delta is the loss minus that before quantization, in
    nats per token, paired token by token, and standard_error its standard error. Cells that are there are
    not measured again, so an interrupted call is resumed by the same one. Errors as for `train`; a damaged
    cell is warned of, and named in `notes`.

    >>> import bitlaw
    >>> cells = bitlaw.quantize_runs("runs/demo", methods=["rtn", "gptq"], bits=[3, 4]).result()  # doctest: +SKIP
    >>> cells[cells["method"] == "gptq"]["delta"]  # doctest: +SKIP
    array([0.0312, 0.0071])
    """
    several = [runs] if isinstance(runs, (str, os.PathLike, Run)) else list(runs)
    places = [os.fspath(each.directory if isinstance(each, Run) else each) for each in several]
    return Task(_words("quantize", places, dict(options)), any_progress, _cells)


def _study(study: Config | Sequence[Config]) -> tuple[list[str], list[Any]]:
    """Words of the command line, and the files that have to live as long as they do."""
    if not isinstance(study, Mapping):
        return _configuration(study), []
    written = dict(study)
    if "base" in written:  # elsewhere, dots are part of a key
        base: Json = {}
        if not isinstance(written["base"], Mapping):
            raise Error(f"study: base {written['base']!r}: a dictionary of settings is expected")
        for key, value in written["base"].items():
            *parts, last = str(key).split(".")
            place = base
            for part in parts:
                place = place.setdefault(part, {})
                if not isinstance(place, dict):
                    raise Error(f"study: base says {part!r} as {place!r}, and sets {key!r} inside it; leave one out")
            place[last] = value
        written["base"] = base
    file = tempfile.NamedTemporaryFile("w", prefix="study", suffix=".json")  # noqa: SIM115
    json.dump(plain(written), file)
    file.flush()
    return [file.name], [file]


def _rows_of_study(document: Json, notes: list[str]) -> Frame:
    failures = [f"{each.get('job', each.get('name', 'a job'))} failed: {each.get('message', '')}"
                for each in document.get("failures", [])]
    if document.get("failed"):
        warnings.warn(f"{document['failed']} of {document['jobs']} jobs failed; the others are not affected, and "
                      f"retry=True tries them again: {(failures or notes or [''])[0]}", stacklevel=3)
    names = {cell["run"] for cell in document["cells"] if cell.get("run")}
    found = read_runs(document["runs"], level=4) if Path(document["runs"]).is_dir() else Frame({"run": []})
    of_study: Frame = found[np.array([name in names for name in found["run"]], dtype=bool)]
    of_study.notes += failures + notes
    return of_study


def sweep(
    study: Config | Sequence[Config], **options: Unpack[SweepKeywords]
) -> Task[StudyProgress, Frame]:
    """Trains and quantizes every cell of a study on this machine.

    study: a study file (docs/studies.md), a dictionary of what such a file has, or a list: the file, then overrides
        such as "base.train.lr=1e-2".
    options: `runs` (directory; runs/NAME of the study), `jobs` (processes at a time, one thread each), `for_` ("2h":
        ends after that time), `memory` ("8GB", of all processes), `only` (["P_w=3,4"]: these cells), `retry`, and the
        others of `bitlaw sweep --help`.

    Returns a task: its progress has jobs_done of jobs, those that are running, and the law so far; its result is a
    Frame of the study's runs and cells, with the columns of `bitlaw.runs`, also where not all are done yet.
    The same call resumes it, and several may work on one directory. A job that fails does not end the
    others: it is warned of, and named in `notes`. Errors as for `train`.

    >>> import bitlaw
    >>> for event in (task := bitlaw.sweep("study.toml", jobs=2)):  # doctest: +SKIP
    ...     print(event.jobs_done, "of", event.jobs, event.law)
    >>> bitlaw.fit(task.result(), "kumar")  # doctest: +SKIP
    """
    words, files = _study(study)
    task = Task(_words("sweep", words, dict(options)), study_progress, _rows_of_study)
    task.files = files
    return task


def _answer(document: Json, notes: list[str]) -> Answer:
    return Answer(document)


def tune(study: Config | Sequence[Config], **options: Unpack[TuneKeywords]) -> Task[StudyProgress, Answer]:
    """Finds the best learning rate, batch and the like of each size of a study with ranges.

    study, options: as for `sweep`; `halvings`, `replicates` and `tolerance` (nats) besides.

    Returns a task whose result is the document of `bitlaw tune --json`: fleets with their best values and what
    these lose to the best possible, in nats per token. The same call resumes it. Errors as for `train`.

    >>> import bitlaw
    >>> bitlaw.tune("tuning.toml", jobs=2, for_="2h").result()["fleets"]  # doctest: +SKIP
    """
    words, files = _study(study)
    task = Task(_words("tune", words, dict(options)), study_progress, _answer)
    task.files = files
    return task


def reproduce(run: PathLike | Run, **options: Unpack[ReproduceKeywords]) -> Task[TrainingProgress, Answer]:
    """Makes a run again from its record, and compares: `.result()["reproduced"]`.

    run: its directory, or TABLE.csv:ROW of a table of `bitlaw runs --csv` (rows from 1).
    options: `data` (directory of the data set), `directory` (keeps the new run), `within` (nats), `threads`.

    Errors as for `train`.

    >>> import bitlaw
    >>> bitlaw.reproduce("runs/demo/0123456789abcdef").result()["reproduced"]  # doctest: +SKIP
    True
    """
    place = os.fspath(run.directory if isinstance(run, Run) else run)
    return Task(_words("reproduce", [place], dict(options)), training_progress, _answer)


def prepare(
    texts: PathLike | Sequence[PathLike], to: PathLike, **options: Unpack[PrepareKeywords]
) -> Task[Progress, Answer]:
    """Turns text into a data set to train on.

    texts: folders or files (.txt, .jsonl, .json, also .gz and .zst).
    to: directory of the data set.
    options: `tokenizer` ("bpe", "byte"), `vocabulary` (its size), `validation_fraction`, `overwrite`, and the others of
        `bitlaw data prepare --help`.

    Returns a task whose result is dataset.json: tokens, documents, vocabulary, hash. Errors as for `train`.

    >>> import bitlaw
    >>> bitlaw.prepare("texts", "data", vocabulary=4096).result()["hash"]  # doctest: +SKIP
    """
    places = [os.fspath(each) for each in ([texts] if isinstance(texts, (str, os.PathLike)) else texts)]
    return Task(_words("data prepare", places, {"to": to, **options}), any_progress, _answer)
