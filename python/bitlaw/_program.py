"""The program `bitlaw`: the one inside the package, or that of a checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from ._core import version

_INSIDE = Path(__file__).parent / "bin" / "bitlaw"


@cache
def _version_of(program: str) -> str:
    """"" where it cannot be run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.strip().removeprefix("bitlaw ")


def program() -> str:
    """Its path: BITLAW_PROGRAM, the package's own, or one of the same version on PATH.

    Raises Error where there is none.
    """
    from ._ask import Error

    named = os.environ.get("BITLAW_PROGRAM")
    if named:
        if not _version_of(named):
            raise Error(f"BITLAW_PROGRAM={named}: is no program of bitlaw that can be run; give the path of one, or "
                        "leave it out")
        return named
    if _INSIDE.exists():
        return str(_INSIDE)
    found = shutil.which("bitlaw")
    if found and _version_of(found) == version:
        return found
    other = f"; {found} is of another version" if found and _version_of(found) else ""
    raise Error(f"this package has no program to train with{other}; set BITLAW_PROGRAM to the path of bitlaw {version}")
