"""The notebook of the docs runs from its first cell to its last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bitlaw
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "from-a-table-to-a-decision.ipynb"


def test_the_notebook_goes_from_a_table_to_a_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The kernel runs elsewhere, with this package.
    monkeypatch.setenv("PYTHONPATH", str(Path(bitlaw.__file__).resolve().parents[1]))
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for needed in ("ipykernel", "pandas", "matplotlib"):
        pytest.importorskip(needed)
    book: Any = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert (tmp_path / "report.html").stat().st_size > 100_000
    assert book.cells[-1].outputs[0].text.startswith("bits Interval(")
