"""Keyword arguments are those that the program has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MAKE = Path(__file__).parent.parent / "make_options.py"


def test_keywords_are_those_of_the_program() -> None:
    if not MAKE.exists():
        pytest.skip("the sources of the package are not here")
    done = subprocess.run([sys.executable, str(MAKE), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
