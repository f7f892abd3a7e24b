"""`bitlaw` on the command line: the program inside the package."""

import os
import sys
from pathlib import Path


def main() -> None:
    program = str(Path(__file__).parent / "bin" / "bitlaw")
    os.execv(program, [program, *sys.argv[1:]])
