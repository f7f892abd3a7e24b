"""Every example in the docs runs, and the pages made of docstrings are what the docstrings say."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import bitlaw
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
# What an example may import that is not required.
OPTIONAL = ["torch", "matplotlib", "pandas", "polars", "ml_dtypes", "pyarrow", "duckdb"]


def blocks() -> list[tuple[str, str]]:
    """(where, code) of the Python blocks that are to be run, not of those in a list of docstrings."""
    out = []
    for page in PAGES:
        if page.name == "python.md":
            continue  # made of docstrings, which are run as such
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            out.append((f"{page.name}:{text[: found.start()].count(chr(10)) + 1}", found[1]))
    return out


def public_modules() -> list[str]:
    return [f"bitlaw.{each.name}" for each in pkgutil.iter_modules(bitlaw.__path__)
            if each.name not in ("_core", "_program", "_options", "bin", "__main__")]


def need(text: str) -> None:
    for name in OPTIONAL:
        if re.search(rf"\b(import|from) {name}\b|bitlaw\.{name}\b", text):
            pytest.importorskip(name)
    if ".plot(" in text:
        pytest.importorskip("matplotlib")


def run(name: str, code: str, folder: Path) -> None:
    test = doctest.DocTestParser().get_doctest(code, {"bitlaw": bitlaw}, name, name, 0)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    assert runner.run(test).failed == 0, f"{name}: an example does not give what it says"


@pytest.mark.parametrize(("where", "code"), blocks(), ids=[where for where, _ in blocks()])
def test_an_example_in_the_docs_runs(where: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(code)
    monkeypatch.chdir(tmp_path)
    if ">>> " in code:
        run(where, code, tmp_path)
    else:
        exec(compile(code, where, "exec"), {"__name__": "__main__"})  # an example raises if it is wrong


@pytest.mark.parametrize("module", public_modules())
def test_the_examples_of_docstrings_give_what_they_say(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "torch" in module:
        pytest.importorskip("torch")
        importlib.import_module("bitlaw.torch")
    if module in ("bitlaw._draw", "bitlaw._figures"):
        pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(module), optionflags=OPTIONS)
    assert failed == 0


@pytest.mark.parametrize("name", sorted(each for each in bitlaw.__all__ if not each.startswith("__")))
def test_every_public_name_is_explained(name: str) -> None:
    assert (getattr(bitlaw, name).__doc__ or "").strip()


def test_the_page_of_the_package_is_what_the_docstrings_say() -> None:
    pytest.importorskip("torch")  # its part of the page
    script = ROOT / "python" / "make_api.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 0, done.stderr
