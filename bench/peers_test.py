#!/usr/bin/env python3
"""bench/peers without PyTorch: its arguments, its statistics, its tables, its troubles. And bench/pytorch_step.py against
golden data, with the PyTorch of build/peers or of $BITLAW_TORCH_PYTHON; skipped where there is none."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
BENCH = pathlib.Path(__file__).resolve().parent
LOADER = importlib.machinery.SourceFileLoader("peers", str(BENCH / "peers"))
peers = importlib.util.module_from_spec(importlib.util.spec_from_loader("peers", LOADER))
LOADER.exec_module(peers)


class Arguments(unittest.TestCase):
    def assert_refused(self, words, *fragments):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as stop:
            peers.read_arguments(words)
        self.assertNotEqual(stop.exception.code, 0)
        for fragment in fragments:
            self.assertIn(fragment, said.getvalue())

    def test_what_stands_for_nothing(self):
        arguments = peers.read_arguments([])
        self.assertEqual((arguments.shapes, arguments.threads, arguments.rounds), (["A", "B", "C"], 2, 5))
        self.assertFalse(arguments.json or arguments.markdown)

    def test_some(self):
        arguments = peers.read_arguments(["--shapes", "B,A", "--rounds", "3", "--threads", "1", "--json"])
        self.assertEqual((arguments.shapes, arguments.threads, arguments.rounds), (["B", "A"], 1, 3))
        self.assertTrue(arguments.json)

    def test_wrong_ones(self):
        self.assert_refused(["--shapes", "A,D"], "'D'", "A, B, C")
        self.assert_refused(["--recipes", "w4"], "'w4'", "bf16, w4a4kv4")
        self.assert_refused(["--rounds", "0"], "at least 1")
        self.assert_refused(["--threads", "0"], "at least 1")
        self.assert_refused(["--json", "--markdown"], "not allowed with")


class Statistics(unittest.TestCase):
    def test_a_drift_that_hits_both_leaves_the_ratio(self):
        speed = [1.1**i for i in range(9)]  # of the machine: ours at even times, theirs between
        ratios = peers.paired_ratios([300 * s for s in speed[0::2]], [100 * s for s in speed[1::2]])
        for ratio in ratios:
            self.assertAlmostEqual(ratio, 3, places=12)
        with self.assertRaises(ValueError):
            peers.paired_ratios([1, 2], [1, 2])

    def test_the_best_is_that_of_the_highest_median_and_the_spread_is_its_own(self):
        lucky, steady = (peers.Variant("eager", tuning) for tuning in peers.TUNINGS)
        row = peers.compare([100, 100, 100, 100], {lucky: [90, 10, 20], steady: [40, 50, 25]})
        self.assertEqual((row["pytorch_mode"], row["pytorch_tuning"]), (steady.mode, steady.tuning))
        self.assertEqual((row["tokens_per_second"], row["pytorch_tokens_per_second"]), (100, 40))
        self.assertEqual((row["ratio"], row["ratio_lowest"], row["ratio_highest"]), (2.5, 2, 4))


class Tables(unittest.TestCase):
    def test_every_variant_has_a_cell(self):
        row = dict(shape="A", recipe="bf16", tokens_per_second=6000, pytorch_tokens_per_second=2000,
                   pytorch_mode="compile", pytorch_tuning="tuned", ratio=3, ratio_lowest=2.5, ratio_highest=3.456)
        pytorch = [dict(shape="A", recipe="bf16", mode=mode, tuning=tuning, tokens_per_second=1000 + i)
                   for i, (mode, tuning) in enumerate((m, t) for m in peers.MODES for t in peers.TUNINGS)]
        against, every = peers.tables({"rows": [row], "pytorch": pytorch})
        self.assertEqual(against[1], [["A", "bf16", "6,000", "2,000", "compile, tuned", "3.00 (2.50-3.46)"]])
        self.assertEqual(every[1], [["A", "bf16", "1,000", "1,001", "1,002", "1,003"]])
        for header, rows in (against, every):
            self.assertEqual(peers.as_markdown(header, rows).splitlines()[1].count("---"), len(header))
            self.assertEqual(len(peers.as_text(header, rows).splitlines()), 2)


class Troubles(unittest.TestCase):
    def test_an_interpreter_without_torch_is_one_sentence(self):
        with self.assertRaises(peers.Failure) as trouble:
            peers.python_with_torch("/bin/false")
        self.assertIn("torch", str(trouble.exception))

    def test_a_failed_command_names_its_log(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "log"
            with self.assertRaises(peers.Failure) as trouble:
                peers.run_logged(["sh", "-c", "echo cause; exit 3"], log, "it failed")
            self.assertEqual(str(trouble.exception), f"it failed; {log} has the output")
            self.assertEqual(log.read_text(), "cause\n")


class Golden(unittest.TestCase):
    def test_pytorch_computes_the_same_losses(self):
        python = os.environ.get("BITLAW_TORCH_PYTHON", str(peers.FOLDER / "venv" / "bin" / "python"))
        if not os.path.exists(python):
            self.skipTest("no PyTorch: run bench/peers once, or name an interpreter in BITLAW_TORCH_PYTHON")
        done = subprocess.run([python, str(peers.STEP), "--check", str(peers.ROOT / "tests" / "golden")],
                              capture_output=True, text=True,
                              env=dict(os.environ, CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1"))
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
