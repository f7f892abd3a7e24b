#!/usr/bin/env python3
"""What a fit costs through the Python package, beside the command line's.

    PYTHONPATH=python bench/python_fit.py --program build/release/bitlaw [--rows 1000] [--rounds 9] [--threads 1]

A study of about --rows rows is drawn once. Then, in turn, as often as --rounds says:

    fit       bitlaw.fit(data frame) in this process, against `bitlaw fit table.csv --json` less `bitlaw --version`:
              the fit, the table and the document of both, without the start-up of either
    process   a Python that imports bitlaw, fits the file and ends, against `bitlaw fit table.csv --json`:
              what a shell waits for

Both give the same document, which is checked first. Times are medians, of the wall clock and of the
processor (user and system, all threads); the ratio that counts is that of the processor, which other
processes disturb least. Exit status 1 if that of `fit` is above --most.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw


class Time:
    """Seconds of the wall clock and of the processor."""

    def __init__(self, wall: float, processor: float) -> None:
        self.wall = wall
        self.processor = processor

    def __sub__(self, other: Time) -> Time:
        return Time(self.wall - other.wall, self.processor - other.processor)


def of_process(words: list[str]) -> Time:
    started = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(words)}: status {status}")
    return Time(time.perf_counter() - started, used.ru_utime + used.ru_stime)


def of_call(call: Callable[[], Any]) -> Time:
    started, processor = time.perf_counter(), time.process_time()
    call()
    return Time(time.perf_counter() - started, time.process_time() - processor)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bitlaw")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--most", type=float, default=1.05, help="of the ratio of `fit`")
    asked = parser.parse_args()
    once = len(bitlaw.simulate("kumar"))
    study = bitlaw.simulate("kumar", replicates=max(1, round(asked.rows / once)), noise=1e-2)[: asked.rows]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "study.csv")
        study.to_csv(path)
        try:
            frame: Any = study.to_pandas()
        except bitlaw.Error:
            frame = study.to_dict()
        words = [asked.program, "fit", path, "--law", "kumar", "--draws", str(asked.draws), "--threads",
                 str(asked.threads), "--json"]
        script = (f"import bitlaw; bitlaw.fit({path!r}, 'kumar', draws={asked.draws}, threads={asked.threads})")

        def fit() -> bitlaw.Fit:
            return bitlaw.fit(frame, "kumar", draws=asked.draws, threads=asked.threads)

        printed = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
        here = fit().document
        for document in (printed, here):
            del document["table"]  # the name and the kind of the table differ
        if printed != here:
            sys.exit("the two fits differ")
        times: dict[str, list[Time]] = {"here": [], "program": [], "start": [], "python": []}
        for _ in range(asked.rounds):
            times["here"].append(of_call(fit))
            times["program"].append(of_process(words))
            times["start"].append(of_process([asked.program, "--version"]))
            times["python"].append(of_process([sys.executable, "-c", script]))
    fits = [whole - start for whole, start in zip(times["program"], times["start"], strict=True)]
    print(f"{len(study)} rows, {asked.draws} draws, {asked.threads} threads, medians of {asked.rounds} rounds, seconds")
    ratio = 0.0
    for name, python, program in (("fit", times["here"], fits), ("process", times["python"], times["program"])):
        line = f"{name:<8}"
        for clock in ("wall", "processor"):
            ours, theirs = (statistics.median(getattr(each, clock) for each in list_) for list_ in (python, program))
            line += f"  {clock} {ours:.3f} against {theirs:.3f}, ratio {ours / theirs:.3f}"
            if (name, clock) == ("fit", "processor"):
                ratio = ours / theirs
        print(line)
    return 0 if ratio <= asked.most else 1


if __name__ == "__main__":
    sys.exit(main())
