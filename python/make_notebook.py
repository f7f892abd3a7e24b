"""Runs docs/from-a-table-to-a-decision.ipynb and keeps what it gives, with figures of fewer bytes.

Needs nbclient, ipykernel, pandas, matplotlib and pillow, and the package. A test runs the notebook, too.
"""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image

BOOK = Path(__file__).resolve().parent.parent / "docs" / "from-a-table-to-a-decision.ipynb"


def smaller(png: str) -> str:
    """The same picture in 64 colours."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    out = io.BytesIO()
    image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def keep(cell: Any) -> None:
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            data["image/png"] = smaller(data["image/png"])
    cell.metadata = {}  # times of this machine


def main() -> None:
    book: Any = nbformat.read(BOOK, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": folder}}).execute()
    for cell in book.cells:
        if cell.cell_type == "code":
            keep(cell)
    book.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                     "language_info": {"name": "python"}}
    nbformat.write(book, BOOK)


if __name__ == "__main__":
    main()
