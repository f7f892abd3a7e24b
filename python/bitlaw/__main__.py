"""`python -m bitlaw` is `bitlaw`."""

import os
import sys

from ._ask import Error
from ._program import program

try:
    path = program()
except Error as error:
    sys.exit(f"bitlaw: {error}")
os.execv(path, [path, *sys.argv[1:]])
