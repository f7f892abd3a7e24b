#!python
# `bitlaw` on the command line becomes the program inside the package. The package itself, and numpy with it, is
# not imported, so that this takes no time.
import importlib.util
import os
import sys

found = importlib.util.find_spec("bitlaw")
if found is None or found.origin is None:
    sys.exit("bitlaw: the package bitlaw is not installed here; pip install bitlaw")
program = os.path.join(os.path.dirname(found.origin), "bin", "bitlaw")
try:
    os.execv(program, [program, *sys.argv[1:]])
except OSError as error:
    sys.exit(f"bitlaw: {program} cannot be run: {error.strerror}; pip install --force-reinstall bitlaw")
