"""Directories of runs, and single runs, as data."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from . import _core
from ._ask import Error, Json
from ._frame import Frame


def runs(directory: str | os.PathLike[str] = "runs", *conditions: str, along: bool = False) -> Frame:
    """The runs below a directory and their quantized cells, a row each: what `bitlaw runs --csv` writes.

    directory: of runs, as `train` and `sweep` make them.
    conditions: which rows; all must hold: "P_w=4", "P_w=3,4", "N=1e6..3e8", "D/N>20", "method!=none".
    along: also the models kept along the runs, and their cells; so does a condition on run_fraction.

    The columns are those of `bitlaw runs --columns`: N and D are counts, losses are in nats per token,
    P_w, P_a and P_kv bits. Rows are sorted by N, D, bits, run and method. `notes` names what is damaged and
    was left out; a warning says so, too. The directory gets an index (index.sqlite), which may be deleted.

    Raises Error where the directory cannot be read or a condition is wrong.

    >>> import bitlaw
    >>> frame = bitlaw.runs("runs/demo", "P_w=4", "N>1e5")  # doctest: +SKIP
    >>> frame[["N", "D", "loss"]].to_pandas()  # doctest: +SKIP
    >>> bitlaw.fit("runs/demo", "kumar")  # all of them are data, too  # doctest: +SKIP
    """
    return read_runs(directory, conditions, along)


def read_runs(
    directory: str | os.PathLike[str], conditions: Sequence[str] = (), along: bool = False, level: int = 3
) -> Frame:
    """`level`: which of the calls a warning names."""
    columns, notes = _core.runs(os.fspath(directory), [str(each) for each in conditions], along)
    damaged = [note for note in notes if note.startswith("left out: ")]
    if damaged:
        files = "file was" if len(damaged) == 1 else "files were"
        warnings.warn(f"{directory}: {len(damaged)} damaged {files} left out; the rest is complete: "
                      f"{damaged[0].removeprefix('left out: ')}", stacklevel=level)
    return Frame._of_typed(columns, notes)


class Run:
    """A run: the directory that `bitlaw.train` made, or one below a directory of runs.

    Nothing is kept in memory but what was asked for once; make another Run to look again.

    Attributes: directory, name. Raises Error where the directory is not that of a run.

    >>> import bitlaw
    >>> run = bitlaw.run("runs/demo/0123456789abcdef")  # doctest: +SKIP
    >>> run.status, run.loss, run.config["train"]["tokens"]  # doctest: +SKIP
    ('finished', 3.1415, 4000000)
    >>> run.metrics["loss_nats"][-1]  # doctest: +SKIP
    3.2
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory: Path = Path(directory)
        if not (self.directory / "run.json").exists():
            raise Error(f"{self.directory}: is not the directory of a run, it has no run.json; "
                        "`bitlaw.runs(directory)` lists those below a directory")
        self.name: str = self.directory.resolve().name

    def _document(self, name: str) -> Json:
        path = self.directory / name
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise Error(f"{path}: cannot be read: {error.strerror or error}") from None
        except ValueError:
            raise Error(f"{path}: is damaged; move it away and repeat what made it") from None
        if not isinstance(read, dict):
            raise Error(f"{path}: is damaged; move it away and repeat what made it")
        return read

    @cached_property
    def record(self) -> Json:
        """run.json: configuration, model, data and build."""
        return self._document("run.json")

    @property
    def config(self) -> Json:
        """Every setting that the run was trained with; `bitlaw.train(run.config)` is the same run."""
        config: Json = {key: value for key, value in self.record["config"].items() if key != "version"}
        path = self.record.get("data", {}).get("path")
        if path:
            config["data"] = {"path": path}
        return config

    @cached_property
    def result(self) -> Json | None:
        """result.json: losses, tokens, time, hash of the weights; None while the run has not ended."""
        return self._document("result.json") if (self.directory / "result.json").exists() else None

    @property
    def status(self) -> str:
        """"finished", "diverged", or "started": it has not ended, and the same `train` resumes it."""
        return "started" if self.result is None else str(self.result["status"])

    @property
    def loss(self) -> float | None:
        """Validation loss, nats per token; None where the run has not ended, or diverged."""
        validation = (self.result or {}).get("validation") or {}
        value = validation.get("loss_nats")
        return None if value is None else float(value)

    @cached_property
    def metrics(self) -> Frame:
        """The learning curve: step, tokens, loss_nats (of training, nats per token), learning_rate,
        gradient_norm, seconds, and for steps with a validation its loss as validation_loss_nats."""
        return self._metrics()

    def _metrics(self) -> Frame:
        path = self.directory / "metrics.jsonl"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise Error(f"{path}: cannot be read: {error.strerror or error}") from None
        rows: dict[int, Json] = {}
        notes = []
        for number, line in enumerate(lines, 1):
            try:
                read = json.loads(line)
                row = rows.setdefault(int(read["step"]), {})
            except (ValueError, KeyError, TypeError):
                notes.append(f"{path}: line {number} is damaged and left out")
                continue
            validation = read.pop("validation", None)
            row.update(read)
            if isinstance(validation, dict):
                row["validation_loss_nats"] = validation.get("loss_nats")
        return Frame.of_rows([rows[step] for step in sorted(rows)], notes)

    @property
    def cells(self) -> Frame:
        """Its quantized cells, a row each, with the columns of `bitlaw.runs`."""
        of_runs = read_runs(self.directory.resolve().parent)
        cells: Frame = of_runs[(of_runs["run"] == self.name) & (of_runs["method"] != "none")]
        return cells

    def __repr__(self) -> str:
        loss = "" if self.loss is None else f", loss {self.loss:.4f}"
        return f"<bitlaw.Run {self.directory}: {self.status}{loss}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>"


def run(directory: str | os.PathLike[str]) -> Run:
    """A run by its directory. Raises Error where there is none."""
    return Run(directory)


__all__: list[Any] = ["Run", "run", "runs"]
