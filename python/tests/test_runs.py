"""Directories of runs are the tables that the program makes of them, to the bit."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import bitlaw._core
import pytest
from conftest import PROGRAM


def csv_of(directory: Path, *words: str) -> list[dict[str, str]]:
    done = subprocess.run([PROGRAM, "runs", str(directory), *words, "--csv", "-"],
                          capture_output=True, text=True, check=False)
    return list(csv.DictReader(done.stdout.splitlines()))


def same(value: Any, text: str) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return text == ""
    return value == text if isinstance(value, str) else float(text) == value


@pytest.mark.parametrize("conditions", [(), ("P_w=4",), ("D>5e3", "method!=none"), ("method=nothing",)])
def test_a_table_is_that_of_the_program(study: Path, conditions: tuple[str, ...]) -> None:
    expected = csv_of(study, *conditions)
    found = bitlaw.runs(study, *conditions)
    assert len(found) == len(expected) == {(): 15, ("P_w=4",): 3, ("method=nothing",): 0}.get(conditions, 8)
    for row, text in zip(found.rows(), expected, strict=True):
        assert list(row) == list(text)
        assert all(same(value, text[name]) for name, value in row.items())
    assert found["N"].dtype.kind == "i" and found["loss"].dtype.kind == "f" and found["run"].dtype.kind == "O"
    assert found.notes == []


def test_its_csv_is_that_of_the_program(study: Path, tmp_path: Path) -> None:
    subprocess.run([PROGRAM, "runs", str(study), "--csv", str(tmp_path / "a.csv")], capture_output=True, check=True)
    bitlaw.runs(study).to_csv(tmp_path / "b.csv")
    assert bitlaw.runs(study)._csv().count("\n") == 16
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == (tmp_path / "b.csv").read_text().splitlines()[0]
    with (tmp_path / "b.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    for row, text in zip(found, csv_of(study), strict=True):
        assert all(row[name] == text[name] or float(row[name]) == float(text[name]) for name in text)


def test_types_do_not_depend_on_the_rows(study: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    whole, none = pa.table(bitlaw.runs(study)), pa.table(bitlaw.runs(study, "method=nothing"))
    assert whole.schema == none.schema and none.num_rows == 0


def test_models_along_the_runs(study: Path) -> None:
    assert len(bitlaw.runs(study, along=True)) == len(csv_of(study, "--along")) == 16
    assert bitlaw.runs(study, "run_fraction<1")["run_fraction"].tolist() == [0.5]


def test_a_directory_of_runs_is_a_table(study: Path, program: Callable[..., Any]) -> None:
    fitted = bitlaw.fit(study, "chinchilla", draws=5)
    assert fitted.document == program("fit", str(study), "--law", "chinchilla", "--draws", "5")
    assert fitted.document["table"]["kind"] == "runs" and fitted.document["table"]["hash"]
    assert bitlaw.compare(str(study), ["chinchilla", "kaplan"]).document == program(
        "compare", str(study), "--laws", "chinchilla,kaplan")
    assert bitlaw.design(study, "chinchilla", shrink="alpha", budget=1e18).document == program(
        "design", str(study), "--law", "chinchilla", "--shrink", "alpha", "--budget", "1e18")
    predicted = bitlaw.predict(study, "chinchilla")
    rows = program("predict", str(study), "--law", "chinchilla")["predictions"]
    assert [None if math.isnan(loss) else loss for loss in predicted.loss] == [row["loss"] for row in rows]


def test_a_frame_of_runs_is_a_table(study: Path) -> None:
    whole = bitlaw.fit(study, "chinchilla", draws=0).document
    frame = bitlaw.fit(bitlaw.runs(study), "chinchilla", draws=0).document
    assert frame["parameters"] == whole["parameters"] and frame["points"] == whole["points"]


def test_what_is_damaged_is_said(study: Path, tmp_path: Path) -> None:
    copy = tmp_path / "runs"
    shutil.copytree(study, copy)
    name = bitlaw.runs(copy)["run"][0]
    rows = len(bitlaw.runs(copy, f"run={name}"))
    (copy / name / "result.json").write_text("{")
    with pytest.warns(UserWarning, match="1 damaged file was left out") as caught:
        frame = bitlaw.runs(copy)
    assert caught[0].filename == __file__
    assert len(frame) == 15 - rows and len(frame.notes) == 1 and name in frame.notes[0]
    assert frame[:1].notes == frame.notes and name in frame._repr_html_()
    with pytest.warns(UserWarning, match="1 damaged file was left out") as caught:
        document = bitlaw.fit(copy, "chinchilla", draws=0).document
    assert caught[0].filename == __file__
    assert any(name in note for note in document["table"]["notes"])


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda path: bitlaw.runs(path / "nowhere"), "nowhere"),
    (lambda path: bitlaw.runs(path, "P_ww=4"), "did you mean 'P_w'"),
    (lambda path: bitlaw.fit(path), "is a directory without runs"),
    (lambda path: bitlaw.run(path), "has no run.json"),
])
def test_what_is_wrong_is_one_sentence(call: Callable[[Path], object], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        call(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_run_has_its_files(study: Path) -> None:
    row = next(row for row in bitlaw.runs(study).rows() if row["method"] == "none" and row["P_w"] == 16 and row["D"] == 5120)
    run = bitlaw.run(study / row["run"])
    assert (run.status, run.loss, run.name) == ("finished", row["loss"], row["run"])
    assert run.config["model"]["width"] == row["width"] and run.result is not None
    assert run.metrics["tokens"][-1] == row["D"] and run.metrics["loss_nats"].dtype.kind == "f"
    assert len(run.cells) == 2 and set(run.cells["method"]) == {"rtn"}
    assert "finished" in repr(run)
    kept = bitlaw.run(study / bitlaw.runs(study, "run_fraction<1")["run"][0]).metrics
    assert sum(not math.isnan(value) for value in kept["validation_loss_nats"]) == 1
