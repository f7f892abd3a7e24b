"""Every answer is the program's document, to the bit, and its accessors say what the document says."""

from __future__ import annotations

import csv
import html
import json
import math
import pickle
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest

from conftest import PROGRAM

Program = Callable[..., Any]
FORMULA = "E + A/N^alpha + B/D^beta + k*exp(-P_w)"


@pytest.fixture(scope="session")
def fit(table: Path) -> bitlaw.Fit:
    return bitlaw.fit(table, "kumar", draws=20)


@pytest.fixture(scope="session")
def saved(fit: bitlaw.Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    fit.save(path)
    return path


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("laws") / "laws.toml"
    path.write_text("[law.mine]\nformula = 'E + A/N^alpha + B/D^beta'\n"
                    "values = {E = 2.0, A = 400.0, alpha = 0.3, B = 500.0, beta = 0.3}\n")
    return path


# What Python is asked, and the words of the command line for the same.
FITS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "huber": ({"law": "kumar", "draws": 8, "where": "P_w=4,16", "seed": 3},
              ["--law", "kumar", "--draws", "8", "--where", "P_w=4,16", "--seed", "3"]),
    "linear": ({"law": "chinchilla", "draws": 0, "residual": "linear", "objective": "least-squares"},
               ["--law", "chinchilla", "--draws", "0", "--residual", "linear", "--objective", "least-squares"]),
    "weights": ({"law": "chinchilla", "draws": 0, "weights": "standard-error", "huber_delta": 1e-3},
                ["--law", "chinchilla", "--draws", "0", "--weights", "standard-error", "--huber-delta", "1e-3"]),
    "freeze, tie, range": (
        {"law": "chinchilla", "draws": 0, "freeze": {"E": 1.7}, "tie": {"beta": "alpha"}, "range": {"A": (1, 1e4)}},
        ["--law", "chinchilla", "--draws", "0", "--freeze", "E=1.7", "--tie", "beta=alpha", "--range", "A=1..10000.0"]),
    "formula": ({"draws": 0, "formula": FORMULA, "constants": {"k": (0, 9.5)}},
                ["--draws", "0", "--formula", FORMULA, "--constants", "k=0..9.5"]),
    "usual law": ({"draws": 0, "starts": 8, "set": {"loss": "loss*1.0"}, "hold_out": False},
                  ["--draws", "0", "--starts", "8", "--set", "loss=loss*1.0", "--hold-out=false"]),
    "profile": ({"law": "chinchilla", "draws": 0, "profile": "alpha,beta", "where": ["P_w=16", "N>5e7"]},
                ["--law", "chinchilla", "--draws", "0", "--profile", "alpha,beta", "--where", "P_w=16",
                 "--where", "N>5e7"]),
}


@pytest.mark.parametrize("kind", FITS)
def test_a_fit_is_that_of_the_program(kind: str, table: Path, program: Program) -> None:
    options, words = FITS[kind]
    assert bitlaw.fit(table, **options).document == program("fit", str(table), *words)


def test_a_file_of_laws_and_frozen_constants(
    table: Path, own: Path, fit: bitlaw.Fit, saved: Path, program: Program
) -> None:
    assert bitlaw.fit(table, law_file=own, draws=0).document == program(
        "fit", str(table), "--law-file", str(own), "--draws", "0")
    kept = bitlaw.fit(table, "kumar", freeze_from=(fit, ["E", "alpha"]), draws=0, hold_out=False)
    assert kept.document == program("fit", str(table), "--law", "kumar", "--freeze-from", f"{saved}:E,alpha",
                                    "--draws", "0", "--hold-out=false")
    assert kept.parameters["E"].value == fit.parameters["E"].value
    assert bitlaw.predict({"N": 1e9, "D": 2e10}, "mine", law_file=own).document == program(
        "predict", "--law", "mine", "--law-file", str(own), "N=1e9", "D=2e10")
    assert bitlaw.plan("mine", law_file=own, compute=1e21).document == program(
        "plan", "--law", "mine", "--law-file", str(own), "--compute", "1e21")


def test_laws_that_the_environment_names(
    table: Path, own: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITLAW_LAWS", str(own))
    assert "mine" in bitlaw.laws()
    found = bitlaw.fit(table, "mine", draws=0, hold_out=False)
    assert found.document == program("fit", str(table), "--law", "mine", "--draws", "0", "--hold-out=false")
    assert bitlaw.fit(table, draws=0, starts=4, hold_out=False).law == "kumar"
    monkeypatch.setenv("BITLAW_LAWS", "nowhere.toml")
    with pytest.raises(bitlaw.Error, match="BITLAW_LAWS: nowhere.toml cannot be read"):
        bitlaw.laws()


COMPARISONS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "folds": ({"laws": ["kumar", "chinchilla"], "folds": 3, "starts": 8},
              ["--laws", "kumar,chinchilla", "--folds", "3", "--starts", "8"]),
    "largest N": ({"laws": "kumar,additive-exp", "hold_out": "largest-N", "starts": 8},
                  ["--laws", "kumar,additive-exp", "--hold-out", "largest-N", "--starts", "8"]),
    "formula": ({"laws": "chinchilla", "formula": FORMULA, "constants": "k=0..9", "starts": 8},
                ["--laws", "chinchilla", "--formula", FORMULA, "--constants", "k=0..9", "--starts", "8"]),
}


@pytest.mark.parametrize("kind", COMPARISONS)
def test_a_comparison_is_that_of_the_program(kind: str, table: Path, program: Program) -> None:
    options, words = COMPARISONS[kind]
    found = bitlaw.compare(table, **options)
    assert found.document == program("compare", str(table), *words)
    scores = found.scores
    assert list(scores["law"]) == [law["name"] for law in found["laws"]]
    errors = scores["held_out_rms"][~np.isnan(scores["held_out_rms"])]
    assert found.best == scores["law"][0] and np.all(np.diff(errors) >= 0)
    assert found.winner == (found.best if len(found.tied) == 1 else None)
    assert set(found.tied) | set(found.behind) | set(found.not_judged) == set(scores["law"])


def test_ties_have_no_winner() -> None:
    law = {"held_out": {"rms_log": 0.1}, "tied_with_best": True}
    document = {"laws": [{"name": "a", **law}, {"name": "b", **law}], "best": "a", "verdict": "tied"}
    assert bitlaw.Comparison(document).winner is None
    assert bitlaw.Comparison(document).tied == ["a", "b"]


def test_a_design_is_that_of_the_program(table: Path, tmp_path: Path, program: Program) -> None:
    options: dict[str, Any] = {"shrink": "alpha", "budget": 1e20, "starts": 8, "runs": 3}
    words = ["--shrink", "alpha", "--budget", "1e20", "--starts", "8", "--runs", "3"]
    found = bitlaw.design(table, "chinchilla", where="P_w=16", **options)
    assert found.document == program("design", str(table), "--law", "chinchilla", "--where", "P_w=16", *words)
    assert len(found.runs) == len(found["runs"]) <= 3
    assert found.runs["flop"].sum() == pytest.approx(found.spent) and found.spent <= found.budget
    assert found.before is not None and found.after is not None
    assert found.after.high - found.after.low < found.before.high - found.before.low
    listed = {"N": [1e8, 1e9], "D": [2e10, 4e10]}
    path = tmp_path / "candidates.csv"
    path.write_text("N,D\n1e8,2e10\n1e9,4e10\n")
    by_path = program("design", str(table), "--law", "chinchilla", "--candidates", str(path), *words)
    assert bitlaw.design(table, "chinchilla", candidates=path, **options).document == by_path
    assert bitlaw.design(table, "chinchilla", candidates=listed, **options)["runs"] == by_path["runs"]


PLANS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "budget": ({"compute": 1e21, "memory_bytes": 8e9, "available_bits": [4, 8, 16]},
               ["--compute", "1e21", "--memory-bytes", "8e9", "--available-bits", "4,8,16"]),
    "device": ({"gpu_hours": 1e5, "device": "h100", "serve_tokens": 1e12},
               ["--gpu-hours", "1e5", "--device", "h100", "--serve-tokens", "1e12"]),
    "critical data": ({"critical_data": True, "params": 30e6, "bits": "3..6"},
                      ["--critical-data", "--params", "30e6", "--bits", "3..6"]),
    "formats": ({"compute": 1e20, "formats": "W4A4,e4m3,BF16", "by": "kumar"},
                ["--compute", "1e20", "--formats", "W4A4,e4m3,BF16"]),
}


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_is_that_of_the_program(kind: str, program: Program) -> None:
    options, words = PLANS[kind]
    found = bitlaw.plan(**options)
    assert found.document == program("plan", *words)
    if "optimum" in found:
        assert found.optimum.N == found["optimum"]["N"] and found.loss == found["optimum"]["loss"]
        assert {each.name for each in found.budgets} == {each["name"] for each in found["budgets"]}
        assert len(found.sensitivity) == len(found["sensitivity"])
    else:
        with pytest.raises(bitlaw.Error, match="see plan.critical_data"):
            _ = found.optimum
        assert list(found.critical_data["bits"]) == [3, 4, 5, 6]


def test_plans_of_fits_and_of_several_laws(fit: bitlaw.Fit, saved: Path, table: Path, tmp_path: Path,
                                           program: Program) -> None:
    one = fit.plan(compute=1e21)
    assert one.document == program("plan", "--fit", str(saved), "--compute", "1e21")
    assert one.intervals and all(low <= high for low, high in one.intervals.values())
    listed = fit.plan(compute=1e21, available_bits=[4, 6, 8, 16])
    assert sum(listed.choices.values()) == pytest.approx(1)
    laws = bitlaw.plan(["kumar", "chinchilla"], compute=1e21)
    assert laws.document == program("plan", "--laws", "kumar,chinchilla", "--compute", "1e21")
    assert list(laws.plans) == ["kumar", "chinchilla"] and laws.verdict
    with pytest.raises(bitlaw.Error, match="several laws were asked"):
        _ = laws.optimum
    other = bitlaw.fit(table, "additive-exp", draws=0, starts=8)
    other.save(tmp_path / "other.json")
    assert bitlaw.plan([fit, other], compute=1e21).document == program(
        "plan", "--fit", str(saved), "--fit", str(tmp_path / "other.json"), "--compute", "1e21")
    assert bitlaw.published("kumar", "tied").plan(compute=1e21).document == program(
        "plan", "--law", "kumar", "--constants", "tied", "--compute", "1e21")


def test_a_frontier_is_that_of_the_program(fit: bitlaw.Fit, saved: Path, program: Program) -> None:
    found = bitlaw.frontier(fit, "1e8..1e10", tokens=1e11)
    assert found.document == program("plan", "--fit", str(saved), "--frontier", "bytes=1e8..1e10", "--tokens", "1e11")
    assert np.all(np.diff(found.points["bytes"]) > 0)
    several = bitlaw.frontier(["kumar", "additive-exp"], "1e8..1e10", tokens=1e11)
    assert list(several.frontiers) == ["kumar", "additive-exp"]
    assert len(several.ranges) == len(several.frontiers["kumar"].points)
    for row in found.points.rows():
        choices = [each for each in found.alternatives.rows() if each["bytes"] == row["bytes"]]
        assert row["loss"] == min(each["loss"] for each in choices)


@pytest.mark.parametrize(("options", "words"), [
    ({}, []),
    ({"by": "chinchilla", "params": [1e8, 1e9], "ratios": [10, 40], "tokens": [], "constants": {"E": 1.5}},
     ["--law", "chinchilla", "--params", "1e8,1e9", "--ratios", "10,40", "--tokens", "", "--constants", "E=1.5"]),
    ({"by": "kumar", "set": "tied", "noise": 1e-2, "seed": 9, "replicates": 2, "weights": "3..5"},
     ["--law", "kumar", "--set", "tied", "--noise", "1e-2", "--seed", "9", "--replicates", "2", "--weights", "3..5"]),
    ({"formula": "E + A/N^alpha + k*log(depth)", "constants": {"E": 2, "A": 400.0, "alpha": 0.34, "k": -0.1},
      "inputs": {"depth": [8, 32]}},
     ["--formula", "E + A/N^alpha + k*log(depth)", "--constants", "E=2,A=400,alpha=0.34,k=-0.1",
      "--inputs", "depth=8,32"]),
])
def test_a_study_is_that_of_the_program(options: dict[str, Any], words: list[str], program: Program) -> None:
    if "--tokens" in words:  # an empty list has no words
        options = {name: value for name, value in options.items() if name != "tokens"}
        words = [word for place, word in enumerate(words) if word != "--tokens" and words[place - 1] != "--tokens"]
    printed = program("simulate", *words)["rows"]
    found = bitlaw.simulate(**options)
    names = found.columns
    assert list(found.rows()) == [{name: row.get(name) for name in names} for row in printed]
    assert set(names) == {name for row in printed for name in row}


def test_a_study_like_a_table_and_of_a_fit(fit: bitlaw.Fit, saved: Path, table: Path, program: Program) -> None:
    printed = program("simulate", "--fit", str(saved), "--like", str(table), "--seed", "2")["rows"]
    found = bitlaw.simulate(fit, like=table, seed=2)
    assert list(found["loss"]) == [row["loss"] for row in printed]
    again = bitlaw.simulate(fit, like=found, seed=2)
    assert np.array_equal(again["loss"], found["loss"])


def test_predictions_are_those_of_the_program(fit: bitlaw.Fit, saved: Path, table: Path, program: Program) -> None:
    one = program("predict", "--fit", str(saved), "N=1e9", "D=2e10", "P_w=4", "--level", "0.8")
    named = fit.predict(N=1e9, D=2e10, P_w=4, level=0.8).document["predictions"]
    assert [{**row, "fit": str(saved)} for row in named] == one["predictions"]
    whole = program("predict", "--fit", str(saved), str(table))
    loaded = bitlaw.load(saved)
    loaded.name = str(saved)
    found = loaded.predict(table)
    assert found.document == whole
    frame = found.frame()
    assert np.array_equal(frame["predicted"], found.loss, equal_nan=True)
    assert found.mean.shape == found.run.shape == (len(found), 2)
    both = bitlaw.predict({"N": [1e9, 2e9], "D": 2e10}, [fit, "chinchilla"])
    assert both.by == ["fit 1 (kumar)", "chinchilla"] * 2
    with pytest.raises(bitlaw.Error, match="unknown name 'P_ww'; did you mean 'P_w'"):
        fit.predict({"N": [1e9], "D": [2e10], "P_ww": [4]})


# ---- residuals ----


def test_residuals_are_those_of_the_program_and_of_numpy(table: Path, tmp_path: Path) -> None:
    fit = bitlaw.fit(table, "kumar", draws=0, hold_out=False)
    path = tmp_path / "residuals.csv"
    subprocess.run([PROGRAM, "fit", str(table), "--law", "kumar", "--draws", "0", "--hold-out=false",
                    "--residuals", str(path)], check=True, capture_output=True)
    with path.open(newline="") as file:
        printed = list(csv.DictReader(file))
    frame, left = fit.residuals(), fit.left_out()
    assert len(frame) + len(left) == len(printed)
    rows = iter(frame.rows())
    for row in printed:
        if row.get("left_out"):
            continue
        found = next(rows)
        assert found["residual"] == float(row["fit_residual"]) and found["unit"] == row["residual_unit"]
        assert found["standardised"] == float(row["standardised"]) and found["weight"] == float(row["weight"])
        assert found["outlier"] == (row["outlier"] == "1")
        assert found["row"] == int(row["row"]) - 2  # lines, after a header
    losses = frame[frame["of"] == "loss"]
    assert len(losses) == fit.points
    np.testing.assert_allclose(losses["residual"], np.log(losses["predicted"] / losses["measured"]), atol=1e-14)
    runs = {name: losses[name] for name in ("N", "D", "P_w", "P_a", "P_kv")}
    np.testing.assert_allclose(losses["predicted"], fit.predict(runs).loss, rtol=1e-14)
    threshold = fit.document["threshold"]
    size = np.abs(losses["residual"])
    huber = np.where(size <= threshold, size**2 / 2, threshold * (size - threshold / 2))
    assert huber.sum() == pytest.approx(fit.document["training"]["objective"], rel=1e-9)
    assert np.array_equal(losses["outlier"], size > threshold)
    free = fit.document["training"]["free"]
    s = np.median(size) / 0.6744897501960817 * math.sqrt(len(size) / (len(size) - free))
    np.testing.assert_allclose(losses["standardised"], losses["residual"] / s, rtol=1e-12)


@pytest.mark.parametrize("options", [
    {"residual": "linear"}, {"objective": "lad"}, {"objective": "least-squares"}, {"weights": "standard-error"},
    {"joint": True, "law": "kumar"}, {"where": "P_w=4,16"}, {"formula": FORMULA, "constants": "k=0..9"},
])
def test_residuals_of_every_kind_of_fit(options: dict[str, Any], table: Path, columns: dict[str, list[Any]]) -> None:
    law: dict[str, Any] = {} if "formula" in options or "law" in options else {"law": "chinchilla"}
    fit = bitlaw.fit(columns, **law, **options, draws=0, starts=8, hold_out=False)
    frame = fit.residuals()
    assert (frame["of"] == "loss").sum() == fit.document["training"]["points"]
    positions = sorted([*frame["row"], *fit.left_out()["row"]])
    assert positions == list(range(len(columns["N"])))
    losses = frame[frame["of"] == "loss"]
    assert list(losses["measured"]) == [columns["loss"][row] for row in losses["row"].astype(int)]
    again = bitlaw.Fit(json.loads(fit.to_json()))
    words = {name: value for name, value in options.items() if name not in ("formula", "constants", "law")}
    same = again.residuals(columns, **words)
    assert np.array_equal(same["residual"], frame["residual"])


def test_rows_that_are_left_out_say_why(columns: dict[str, list[Any]]) -> None:
    rows = 40
    data: dict[str, Any] = {name: columns[name][:rows] for name in ("N", "D", "loss", "P_w")}
    data["status"] = ["diverged"] + ["done"] * (rows - 1)
    data["seed"] = list(range(rows))
    fit = bitlaw.fit(data, "chinchilla", where="seed!=7", draws=0, hold_out=False, starts=8)
    left = fit.left_out()
    assert list(left["row"]) == [0, 7]
    assert left["reason"][0] == "diverged" and "where" in left["reason"][1]
    assert fit.points + len(left) == rows


def test_data_that_changed_since_the_fit_are_refused(columns: dict[str, list[Any]]) -> None:
    data = {name: np.array(columns[name][:60]) for name in ("N", "D", "loss")}
    fit = bitlaw.fit(data, "chinchilla", draws=0, hold_out=False, starts=8)
    assert len(fit.residuals()) == fit.points
    data["loss"][3] += 0.1
    with pytest.raises(bitlaw.Error, match="these are not the rows of the fit"):
        fit.residuals()
    with pytest.raises(bitlaw.Error, match="a loaded fit has no rows"):
        pickle.loads(pickle.dumps(fit)).residuals()


# ---- documents ----


def test_the_text_of_an_answer_is_the_program_s_to_the_byte(fit: bitlaw.Fit, table: Path, tmp_path: Path) -> None:
    path = tmp_path / "by_the_program.json"
    done = subprocess.run([PROGRAM, "fit", str(table), "--law", "kumar", "--draws", "20", "--out", str(path)],
                          check=True, capture_output=True)
    fit.save(tmp_path / "here.json")
    assert (tmp_path / "here.json").read_bytes() == path.read_bytes()
    done = subprocess.run([PROGRAM, "plan", "--compute", "1e21", "--json"], check=True, capture_output=True)
    assert bitlaw.plan(compute=1e21).to_json() + "\n" == done.stdout.decode()


def test_published_constants(program: Program) -> None:
    kumar = bitlaw.published("kumar")
    shown = program("laws", "show", "kumar")
    assert kumar.parameters == shown["constants"][0]["values"] and kumar.source == shown["constants"][0]["source"]
    assert list(kumar.parameters)[:3] == ["E", "A", "B"]
    assert kumar.sets[:2] == ["published", "tied"] and bitlaw.published("kumar", "tied").constants == "tied"
    listed = bitlaw.published()
    assert listed["kumar"] == [name for name in kumar.sets if name != "start"]
    assert all("start" not in sets for sets in listed.values())
    with pytest.raises(bitlaw.Error, match="unknown set of kumar constants 'tide'; did you mean 'tied'"):
        bitlaw.published("kumar", "tide")
    with pytest.raises(bitlaw.Error, match="published constants have no intervals"):
        kumar.predict(N=1e9, D=2e10, level=0.5)


def test_an_approach_is_that_of_the_program(table: Path, program: Program) -> None:
    found = bitlaw.approach(table, "parametric", where="bits=16", compute=[1e21, 1e22], draws=20)
    words = ["--approach", "parametric", "--where", "bits=16", "--compute", "1e21,1e22", "--draws", "20"]
    assert found.document == program("fit", str(table), *words)
    exponents = next(found.exponents.rows())
    fitted = bitlaw.fit(table, "chinchilla", where="bits=16", draws=0)
    a, b = (fitted.parameters[name].value for name in ("alpha", "beta"))
    assert a is not None and b is not None
    assert exponents["a"] == pytest.approx(b / (a + b), rel=1e-6)
    assert list(found.optima["compute"]) == [1e21, 1e22]


EVIL = "<script>alert('x')</script>"


def test_what_a_notebook_shows_is_escaped(fit: bitlaw.Fit, table: Path) -> None:
    def poisoned(document: Any) -> Any:
        if isinstance(document, dict):
            return {key: poisoned(value) for key, value in document.items()}
        if isinstance(document, list):
            return [poisoned(value) for value in document]
        return EVIL if isinstance(document, str) else document

    design = bitlaw.design(table, "chinchilla", shrink="alpha", where="P_w=16", starts=4)
    shown: list[Any] = [
        bitlaw.Fit({**poisoned(fit.document), "parameters": {EVIL: {"value": 1.0}}}),
        bitlaw.Comparison(poisoned(bitlaw.compare(table, ["kumar", "chinchilla"], starts=4).document)),
        bitlaw.Design(poisoned(design.document)),
        bitlaw.Plan(poisoned(bitlaw.plan(compute=1e21).document)),
        bitlaw.Plan(poisoned(bitlaw.plan(["kumar", "chinchilla"], compute=1e21).document)),
        bitlaw.Frontier(poisoned(bitlaw.frontier(tokens=1e11).document)),
        bitlaw.laws(), bitlaw.laws()["kumar"], bitlaw.published(), bitlaw.published("kumar"),
        fit.predict(N=1e9, D=2e10), fit.residuals(),
    ]
    for each in shown:
        text = each._repr_html_()
        assert "<script>" not in text, type(each)
        tags = set(re.findall(r"</?([a-z]+)", text))
        assert tags <= {"table", "thead", "tbody", "tr", "th", "td", "p", "b", "ul", "li"}, type(each)
        assert len(html.unescape(text)) > 50
        assert "\n" not in repr(each)


def test_what_a_law_does_not_predict_is_said_in_the_notes() -> None:
    found = bitlaw.predict(N=1e9, D=[1e10, 2e10], P_post=4, by="chinchilla")
    assert np.isnan(found.loss).all()
    assert found.notes == ["chinchilla does not model quantization after training"]


def test_a_fit_without_draws_has_an_empty_array_of_them() -> None:
    fit = bitlaw.fit(bitlaw.simulate("chinchilla"), "chinchilla", draws=0, starts=4, hold_out=False)
    assert fit.draws.shape == (0, 0) and fit.draw_names == []


def test_notes_name_options_as_python_does() -> None:
    study = bitlaw.simulate("chinchilla")
    fit = bitlaw.fit({"N": study["N"], "D": study["D"], "loss": np.full(20, 3.0)}, "chinchilla", draws=0, starts=4,
                     hold_out=False)
    assert any("--range" in note for note in fit.document["notes"])
    assert any("or a range keeps it there" in note for note in fit.notes)
    assert not any("--" in note for note in fit.notes)
