"""What the package answers is what the program prints, to the bit."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest

DRAWS = 20


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


@pytest.fixture(scope="session")
def fit(table: Path) -> bitlaw.Fit:
    return bitlaw.fit(table, "kumar", draws=DRAWS)


def test_a_fit_is_that_of_the_program(fit: bitlaw.Fit, table: Path, program: Callable[..., Any]) -> None:
    assert fit.document == program("fit", str(table), "--law", "kumar", "--draws", str(DRAWS))


def test_columns_and_rows_in_memory_give_the_same_fit(
    fit: bitlaw.Fit, columns: dict[str, list[Any]]
) -> None:
    arrays = {
        name: np.array([math.nan if value is None else value for value in values])
        if any(isinstance(value, float) for value in values) else values
        for name, values in columns.items()
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for data in (arrays, rows):
        assert without(bitlaw.fit(data, "kumar", draws=DRAWS).document, "table") == without(fit.document, "table")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_data_frame_gives_the_same_fit(
    library: str, fit: bitlaw.Fit, columns: dict[str, list[Any]]
) -> None:
    module = pytest.importorskip(library)
    if library == "pandas":
        pytest.importorskip("pyarrow")
    make = module.table if library == "pyarrow" else module.DataFrame
    frame = make(columns)
    found = bitlaw.fit(frame, "kumar", draws=DRAWS)
    assert without(found.document, "table") == without(fit.document, "table")
    assert found.document["table"]["kind"] == "frame"


def test_types_of_a_frame(columns: dict[str, list[Any]]) -> None:
    pa = pytest.importorskip("pyarrow")
    text = pa.array(columns["method"]).dictionary_encode()
    frame = pa.table({
        "N": pa.array([int(value) for value in columns["N"]], pa.uint64()),
        "D": pa.array(columns["D"]).slice(0),
        "loss": pa.chunked_array([columns["loss"][:7], columns["loss"][7:]]),
        "P_w": pa.array([None if value is None else int(value) for value in columns["P_w"]], pa.int8()),
        "method": text,
        "P_post": columns["P_post"],
        "delta": columns["delta"],
        "when": pa.array([0] * len(text), pa.timestamp("s")),
    })
    plain = {name: columns[name] for name in frame.column_names if name != "when"}
    found = bitlaw.fit(frame.slice(3, 300), "kumar", draws=0)
    expected = bitlaw.fit({name: values[3:303] for name, values in plain.items()}, "kumar", draws=0)
    assert without(found.document, "table") == without(expected.document, "table")
    assert any("when" in note for note in found.document["table"]["notes"])


def test_parameters_intervals_and_draws(fit: bitlaw.Fit) -> None:
    alpha = fit.parameters["alpha"]
    assert alpha.value is not None
    low, high = fit.interval("alpha")
    assert low < alpha.value < high
    assert fit.draws.shape == (DRAWS, len(fit.draw_names))
    assert fit.parameters["C_w"].interval is None
    with pytest.raises(bitlaw.Error, match="C_w has no interval"):
        fit.interval("C_w")
    with pytest.raises(bitlaw.Error, match="the fit has no alfa"):
        fit.interval("alfa")


def test_a_prediction_is_that_of_the_program(
    fit: bitlaw.Fit, tmp_path: Path, program: Callable[..., Any]
) -> None:
    path = tmp_path / "fit.json"
    fit.save(path)
    printed = program("predict", "--fit", str(path), "N=1e8,2e8", "D=1e10", "P_w=4")
    found = bitlaw.load(path).predict({"N": [1e8, 2e8], "D": 1e10, "P_w": 4})
    assert [row["loss"] for row in printed["predictions"]] == list(found.loss)
    assert found.mean.shape == found.run.shape == (2, 2)
    assert np.all(found.run[:, 0] < found.mean[:, 0])
    one = fit.predict({"N": 1e8, "D": 1e10, "P_w": 4})
    assert one.loss[0] == found.loss[0]


def test_a_plan_is_that_of_the_program(fit: bitlaw.Fit, tmp_path: Path, program: Callable[..., Any]) -> None:
    path = tmp_path / "fit.json"
    fit.save(path)
    assert bitlaw.plan(fit, compute=1e21).document == program("plan", "--fit", str(path), "--compute", "1e21")
    assert bitlaw.plan("chinchilla", compute=1e21).document == program("plan", "--law", "chinchilla", "--compute", "1e21")
    assert bitlaw.frontier("kumar", "1e8..1e10", tokens=1e11).document == program(
        "plan", "--law", "kumar", "--frontier", "bytes=1e8..1e10", "--tokens", "1e11")


def test_a_comparison_and_a_design_are_those_of_the_program(table: Path, program: Callable[..., Any]) -> None:
    assert bitlaw.compare(table, ["kumar", "additive-exp"]).document == program(
        "compare", str(table), "--laws", "kumar,additive-exp")
    assert bitlaw.design(table, "chinchilla", shrink="alpha", budget=1e18).document == program(
        "design", str(table), "--law", "chinchilla", "--shrink", "alpha", "--budget", "1e18")


def test_laws_are_those_of_the_program(program: Callable[..., Any]) -> None:
    listed = program("laws")
    entries = listed["laws"] if isinstance(listed, dict) else listed
    assert list(bitlaw.laws()) == [each["name"] for each in entries]


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: bitlaw.fit({"N": [1.0], "D": [2.0]}), "loss"),
    (lambda: bitlaw.fit({"N": [1.0, 2.0], "D": [2.0, 1.0, 3.0]}), "N has 2 values"),
    (lambda: bitlaw.fit("nowhere.csv"), "nowhere.csv: cannot be read"),
    (lambda: bitlaw.fit(7), "an int is no table"),  # type: ignore[arg-type]
    (lambda: bitlaw.plan("kumarr", compute=1e21), "did you mean 'kumar'"),
    (lambda: bitlaw.plan(compute=-1), "-1"),
    (lambda: bitlaw.plan(computer=1e21), "computer"),  # type: ignore[call-arg]
    (lambda: bitlaw.predict({"N": 1e9}), "D"),
    (lambda: bitlaw.Fit({}), "no fit"),
])
def test_what_is_wrong_is_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(bitlaw.Error, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_notebook_shows_text_as_text(fit: bitlaw.Fit) -> None:
    document = {**fit.document, "notes": ["<script>alert(1)</script>"]}
    shown = bitlaw.Fit(document)._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "alpha" in shown


def test_threads_change_nothing(table: Path, fit: bitlaw.Fit) -> None:
    found: list[dict[str, Any]] = []

    def work(threads: int) -> None:
        found.append(bitlaw.fit(table, "kumar", draws=DRAWS, threads=threads).document)

    workers = [threading.Thread(target=work, args=(threads,)) for threads in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [fit.document] * 3


def test_best_bits_have_short_names(fit: bitlaw.Fit) -> None:
    assert fit.interval("P*") == fit.derived["P* (weights, activations, KV)"].interval
    assert fit.interval("P*_a") == fit.derived["P* (activations)"].interval
    with pytest.raises(bitlaw.Error, match="has no P\\*"):
        bitlaw.fit(bitlaw.simulate("chinchilla", seed=1), law="chinchilla", draws=0).interval("P*")
