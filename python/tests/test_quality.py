"""Threads, Ctrl-C, memory, references and forks."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    study = bitlaw.simulate("chinchilla", noise=1e-3)
    return {name: study[name] for name in ("N", "D", "loss")}


def quick(data: Any) -> bitlaw.Fit:
    return bitlaw.fit(data, "chinchilla", draws=0, starts=2, hold_out=False, threads=1)


def test_other_threads_run_while_a_fit_is_made(table: Path) -> None:
    """The GIL is released: a thread that only counts goes on. Were it held, it would not for the whole fit."""
    ticks: list[float] = []
    done = threading.Event()

    def count() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    started = time.perf_counter()
    bitlaw.fit(table, "kumar", draws=100, threads=1)
    took = time.perf_counter() - started
    done.set()
    counter.join()
    during = [tick for tick in ticks if tick > started]
    assert took > 0.1
    assert len(during) > 20 * took, (len(during), took)
    assert np.diff(during).max() < max(0.1, took / 2), "the GIL was held"


def test_fits_of_several_threads_are_those_of_one(small: dict[str, Any]) -> None:
    laws = [
        {"formula": "E + A/N^alpha + B/D^beta"},
        {"formula": "E + A/N^alpha"},  # another law of the same name at the same time
        {"law": "chinchilla"},
    ]

    def made(options: dict[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = bitlaw.fit(small, **options, draws=0, starts=8, threads=1).document
        return document

    expected = [made(each) for each in laws]
    found: list[list[dict[str, Any]]] = [[] for _ in laws]

    def work(place: int) -> None:
        for _ in range(5):
            found[place].append(made(laws[place]))

    workers = [threading.Thread(target=work, args=(place,)) for place in range(len(laws))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [[each] * 5 for each in expected]


INTERRUPTED = """
import bitlaw, os, signal, sys, threading, time
study = bitlaw.simulate("kumar", replicates=4, noise=1e-2)
pressed = []
def press():
    pressed.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(float(sys.argv[1]), press).start()
try:
    bitlaw.fit(study, "kumar", draws=100000, threads=1)
except KeyboardInterrupt:
    print(time.perf_counter() - pressed[0])
# The interpreter is whole afterwards.
assert len(bitlaw.laws()) > 5
"""


@pytest.mark.parametrize("after", [0.3, 1.0])
def test_ctrl_c_ends_a_long_fit_at_once(after: float) -> None:
    took = []
    for _ in range(3):  # other processes may take the processor away
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(after)], capture_output=True, text=True,
                              timeout=120)
        assert done.returncode == 0 and done.stdout, done.stderr
        assert time.perf_counter() - started < 60
        took.append(float(done.stdout))
        if took[-1] < 0.2:
            return
    pytest.fail(f"seconds from Ctrl-C to KeyboardInterrupt: {took}")


def test_a_fit_keeps_no_reference(small: dict[str, Any]) -> None:
    arrays = list(small.values())
    before = [sys.getrefcount(each) for each in arrays]
    for _ in range(3):
        fit = quick(small)
        fit.residuals()
        with pytest.raises(bitlaw.Error):
            bitlaw.fit(small, "kumarr")
    gone = weakref.ref(fit)
    del fit
    gc.collect()
    assert gone() is None
    assert [sys.getrefcount(each) for each in arrays] == before


def test_a_hundred_fits_from_a_data_frame_take_no_more_memory(small: dict[str, Any]) -> None:
    pd = pytest.importorskip("pandas")
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("the memory of a process is read from /proc")
    rows = 500
    data = {name: np.tile(values, rows // 20) for name, values in small.items()}
    frame = pd.DataFrame(data)
    references = sys.getrefcount(frame)
    sizes = []
    for part in range(3):
        for _ in range(10 if part == 0 else 45):
            bitlaw.predict(frame, "chinchilla")
            quick(frame.iloc[:20])
        gc.collect()
        sizes.append(int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    assert sizes[2] - sizes[1] < 3e6, sizes  # bytes; a leak of one table would be ten times that
    assert sys.getrefcount(frame) == references


def _in_child(queue: Any, data: dict[str, Any]) -> None:
    queue.put(quick(data).parameters["alpha"].value)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_another_process_fits_as_well(method: str, small: dict[str, Any]) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    expected = quick(small).parameters["alpha"].value  # threads were used before the fork
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue, small))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join(60)
    assert child.exitcode == 0


def test_a_fork_during_a_fit_does_not_hang(table: Path) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    code = (
        "import bitlaw, os, threading, time, warnings\n"
        "warnings.simplefilter('ignore')\n"
        f"worker = threading.Thread(target=bitlaw.fit, args=({str(table)!r}, 'kumar'), kwargs={{'draws': 200}})\n"
        "worker.start(); time.sleep(0.2)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    bitlaw.plan(compute=1e21); os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "worker.join(); print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "done\n", done.stderr


def test_a_subinterpreter_is_refused_and_the_main_one_lives_on() -> None:
    pytest.importorskip("_xxsubinterpreters")
    code = (
        "import bitlaw, _xxsubinterpreters as several\n"
        "one = several.create()\n"
        "try:\n"
        "    several.run_string(one, 'import bitlaw')\n"
        "except several.RunFailedError:\n"
        "    print('refused', len(bitlaw.laws()) > 5)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "refused True\n"), done.stderr
