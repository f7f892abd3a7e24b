"""The table of the study, its rows by block, and how bitlaw is asked about it."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# The precision axis of the fits: integer formats, one scale per channel of weights and per sequence of
# keys and values. What shares a scale of activations is the convention.
# W2 of block 11 is in no fit: laws that cannot predict it would leave it out alone, and it was made for
# another question.
FORMATS_W = "bf16,int3,int4,int5,int6,int7,int8"
FORMATS_A = "bf16,int3,int4,int5,int6,int7,int8"
FORMATS_KV = "bf16,int3,int4,int5,int6,int7,int8"
CONVENTIONS = {
    "sequence": "a scale per sequence",
    "token": "a scale per token",
}


NEEDED = (
    "run", "status", "method", "N", "D", "P_w", "P_a", "P_kv", "P_post", "loss", "delta", "measured_delta", "standard_error",
    "format_w", "format_a", "format_kv", "format_q", "granularity_w", "granularity_a", "granularity_kv", "extra_norm",
    "schedule", "batch_tokens", "seed", "width", "bits_per_byte", "calibration_seed",
)  # fmt: skip


class NotYet(Exception):
    """The rows that a statement rests on are not all there; says which."""


class Refused(Exception):
    """bitlaw refused a question; its sentence."""


def filters(convention: str = "sequence", *more: str) -> list[str]:
    """Conditions of the rows that follow one convention, cosine schedule, with the extra norm.

    An empty granularity is that of a part that is not quantized: "token," is "token, or none".
    """
    return [
        "extra_norm=true",
        "schedule=cosine",
        f"format_w={FORMATS_W}",
        f"format_a={FORMATS_A}",
        f"format_kv={FORMATS_KV}",
        "granularity_w=channel,",
        f"granularity_a={convention},",
        "granularity_kv=sequence,",
        *more,
    ]


def unquantized(schedule: str = "cosine", *more: str) -> list[str]:
    """Conditions of the runs of a schedule with BF16 everywhere, and of what they become after training."""
    return ["extra_norm=true", f"schedule={schedule}", "P_w=16", "P_a=16", "P_kv=16", *more]


def number(text: str) -> float:
    return float(text) if text else math.nan


@dataclass
class Study:
    """Asks the program about one table, and remembers its answers."""

    program: Path
    table: Path
    shown: str  # how commands name the table
    scratch: Path
    wide: bool = True  # all D/N; False: 6 < D/N < 500, the rule of block 1
    answers: dict[tuple[str, ...], dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with open(self.table, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            absent = [name for name in NEEDED if name not in (reader.fieldnames or [])]
            if absent:
                raise Refused(f"{self.table}: no column {', '.join(absent)}; give a table of `bitlaw runs --csv` or `bitlaw publish`")
            self.rows = list(reader)
        self.runs = [row for row in self.rows if row["method"] == "none"]
        self.cells = [row for row in self.rows if row["method"] != "none"]
        # Of `bitlaw simulate --study`: losses that were drawn from a law.
        self.is_rehearsal = any(row["run"].startswith("rehearsed-") for row in self.runs)
        self.values = {name: {row[name] for row in self.rows} for name in (self.rows[0] if self.rows else ())}

    def where(self, *conditions: str) -> list[str]:
        every = list(conditions) if self.wide else [*conditions, "D/N=6..500"]
        return self.all_where(*every)

    def all_where(self, *conditions: str) -> list[str]:
        """Without the rule of block 1. bitlaw refuses a value that no row has, and a table may not have all of them yet."""
        return [part for condition in conditions for part in ("--where", self.of_table(condition))]

    def of_table(self, condition: str) -> str:
        name, _, wanted = condition.partition("=")
        if name.startswith(("format_", "granularity_")):
            there = [value for value in wanted.split(",") if value in self.values[name]]
            return f"{name}={','.join(there)}" if any(there) else condition
        return condition

    def ask(self, verb: str, *options: str, keep: Path | None = None) -> dict:
        """The JSON document of `bitlaw VERB TABLE OPTIONS`; `keep` is where it stays as a file."""
        key = (verb, *options)
        if key not in self.answers or keep:
            command = [str(self.program), verb, str(self.table), *options]
            with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
                out = Path(folder) / "answer.json"
                if verb == "report":
                    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
                    text = done.stdout
                else:
                    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
                    text = out.read_text(encoding="utf-8") if out.exists() else ""
            if done.returncode != 0 or not text:
                raise Refused(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
            self.answers[key] = json.loads(text)
            if keep:
                keep.write_text(text.replace(str(self.table), self.shown), encoding="utf-8")
        return self.answers[key]

    def residuals(self, *options: str) -> list[dict[str, str]]:
        """The lines of `bitlaw compare TABLE OPTIONS --residuals`: every row by every law."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            out = Path(folder) / "residuals.csv"
            command = [str(self.program), "compare", str(self.table), *options, "--residuals", str(out)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise Refused(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no answer")
            with open(out, newline="", encoding="utf-8") as file:
                return list(csv.DictReader(file))

    def command(self, verb: str, *options: str) -> str:
        """The same, as a reader types it, with the shell variables of `shell_variables()`."""
        shown = " ".join(quoted(option) for option in options)
        for convention in CONVENTIONS:
            rows = " ".join(quoted(part) for part in self.all_where(*filters(convention)))
            shown = shown.replace(rows, f"${convention.upper()}")
        return f"bitlaw {verb} {self.shown} {shown}"

    def shell_variables(self) -> str:
        """What stands for the conditions of each convention in the commands of the page."""
        lines = []
        for convention in CONVENTIONS:
            rows = " ".join(self.all_where(*filters(convention)))
            lines.append(f"{convention.upper()}='{rows}'")
        return "\n".join(lines)

    def select(self, **columns: object) -> list[dict[str, str]]:
        """Runs whose columns have these values; a tuple is a choice, a callable a condition."""
        return [row for row in self.runs if matches(row, columns)]

    def select_cells(self, **columns: object) -> list[dict[str, str]]:
        return [row for row in self.cells if matches(row, columns)]

    def need(self, rows: list, count: int, what: str) -> None:
        if len(rows) < count:
            raise NotYet(f"{what}: {len(rows)} of {count} runs")


def matches(row: dict[str, str], columns: dict[str, object]) -> bool:
    return all(fulfils(row[name], wanted) for name, wanted in columns.items())


def fulfils(text: str, wanted: object) -> bool:
    if callable(wanted):
        return bool(wanted(text))
    if isinstance(wanted, tuple):
        return any(fulfils(text, one) for one in wanted)
    if isinstance(wanted, (int, float)):
        return text != "" and math.isclose(float(text), wanted, rel_tol=0.01)
    return text == wanted


def quoted(option: str) -> str:
    plain = all(letter.isalnum() or letter in "-_=.,:/+" for letter in option)
    return option if plain else f"'{option}'"
