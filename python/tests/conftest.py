from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import pytest

PROGRAM = os.environ.get("BITLAW_PROGRAM") or str(Path(bitlaw.__file__).parent / "bin" / "bitlaw")


@pytest.fixture(scope="session")
def program() -> Callable[..., Any]:
    """What the program prints with --json."""

    def run(*words: str) -> Any:
        done = subprocess.run([PROGRAM, *words, "--json"], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of every kind of row, drawn by the program."""
    path = tmp_path_factory.mktemp("table") / "runs.csv"
    subprocess.run([PROGRAM, "simulate", "--law", "kumar", "--seed", "1", "--out", str(path)],
                   capture_output=True, check=True)
    return path


@pytest.fixture(scope="session")
def columns(table: Path) -> dict[str, list[Any]]:
    """Its columns, numbers as numbers, None where it is empty."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))

    def value(text: str) -> Any:
        if text == "":
            return None
        try:
            return float(text)
        except ValueError:
            return text

    return {name: [value(row[name]) for row in rows] for name in rows[0]}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set."""
    path = tmp_path_factory.mktemp("data") / "data"
    subprocess.run([PROGRAM, "data", "synthetic", "--to", str(path), "--tokens", "40000",
                    "--validation-tokens", "4000", "--quiet"], capture_output=True, check=True)
    return path


TINY = {"model.width": 32, "model.heads": 2, "model.layers": 1, "model.sequence": 32, "train.batch_tokens": 256,
        "train.validation_tokens": 2000}


@pytest.fixture(scope="session")
def study_file(data: Path) -> Path:
    """Six runs; four of them have two cells each."""
    path = data.parent / "study.toml"
    base = "".join(f"{key} = {value}\n" for key, value in TINY.items())
    path.write_text(f'name = "tiny"\n[base]\ndata.path = "{data}"\n{base}'
                    '[[grid]]\n"train.tokens" = [5120, 10240]\n"model.width" = [32, 64]\n'
                    '[[grid]]\n"train.tokens" = [5120]\n"recipe.weights" = ["3", "4"]\n'
                    '[ptq]\nwhere = { "train.tokens" = 5120 }\n'
                    'methods = ["rtn"]\nbits = [3, 4]\ncalibration_tokens = 256\nevaluation_tokens = 512\n')
    return path


@pytest.fixture(scope="session")
def study(study_file: Path, data: Path) -> Path:
    """Its runs, and one more with a model kept along it."""
    runs = study_file.parent / "runs"
    subprocess.run([PROGRAM, "sweep", str(study_file), "--runs", str(runs), "--jobs", "2"],
                   capture_output=True, check=True)
    subprocess.run([PROGRAM, "train", f"data.path={data}", *(f"{key}={value}" for key, value in TINY.items()),
                    "train.tokens=7680", "--checkpoints", "1", "--directory", str(runs)],
                   capture_output=True, check=True)
    return runs
