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
