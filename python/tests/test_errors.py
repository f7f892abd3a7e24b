"""bitlaw.Error is the sentence of the program, where options are called as keyword arguments."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bitlaw
import numpy as np
import pytest

from conftest import PROGRAM


def made() -> bitlaw.Fit:
    return bitlaw.fit(bitlaw.simulate("chinchilla"), "chinchilla", draws=0, starts=4, hold_out=False)


def stderr(*words: str) -> str:
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    assert done.returncode != 0, words
    return done.stderr.splitlines()[-1].removeprefix("bitlaw: ")


def without_flags(sentence: str) -> str:
    """`--hold-out` as hold_out, and without what a command line alone calls itself."""
    sentence = re.sub("^the command line: ", "runs: ", sentence)
    sentence = re.sub("--(columns|inputs) ([a-zA-Z]+=[^; ]+)", r"--\1='\2'", sentence)
    sentence = re.sub("(--[a-z-]+) '", r"\1='", sentence)
    return re.sub(r"--([a-z]+(?:-[a-z]+)*)", lambda found: found[1].replace("-", "_"), sentence)


WRONG: list[tuple[Callable[[Path], object], list[str]]] = [
    (lambda t: bitlaw.fit(t, "kumarr"), ["fit", "TABLE", "--law", "kumarr"]),
    (lambda t: bitlaw.fit(t, lwa="kumar"), ["fit", "TABLE", "--lwa", "kumar"]),  # type: ignore[call-arg]
    (lambda t: bitlaw.fit(t, drwas=3), ["fit", "TABLE", "--drwas", "3"]),  # type: ignore[call-arg]
    (lambda t: bitlaw.fit(t, columns="N=params"), ["fit", "TABLE", "--columns", "N=params"]),
    (lambda t: bitlaw.fit(t, where="P_w=17"), ["fit", "TABLE", "--where", "P_w=17"]),
    (lambda t: bitlaw.fit(t, objective="hubber"), ["fit", "TABLE", "--objective", "hubber"]),
    (lambda t: bitlaw.fit(t, "chinchilla", joint=True), ["fit", "TABLE", "--law", "chinchilla", "--joint"]),
    (lambda t: bitlaw.fit(t, objective="lad", huber_delta=0.1),
     ["fit", "TABLE", "--objective", "lad", "--huber-delta", "0.1"]),
    (lambda t: bitlaw.fit(t, "chinchilla", freeze="E=x"),
     ["fit", "TABLE", "--law", "chinchilla", "--freeze", "E=x"]),
    (lambda t: bitlaw.fit(t, "chinchilla", tie="beta=alfa"),
     ["fit", "TABLE", "--law", "chinchilla", "--tie", "beta=alfa"]),
    (lambda t: bitlaw.fit(t, formula="E + A/N^alpha + q"), ["fit", "TABLE", "--formula", "E + A/N^alpha + q"]),
    (lambda t: bitlaw.fit(t, "kumar", formula="E + A/N^alpha"),
     ["fit", "TABLE", "--law", "kumar", "--formula", "E + A/N^alpha"]),
    (lambda t: bitlaw.fit(t, constants={"k": (0, 1)}), ["fit", "TABLE", "--constants", "k=0..1"]),
    (lambda t: bitlaw.fit(t, draws=-1), ["fit", "TABLE", "--draws", "-1"]),
    (lambda t: bitlaw.fit(t, level=2), ["fit", "TABLE", "--level", "2"]),
    (lambda t: bitlaw.fit("nowhere.csv"), ["fit", "nowhere.csv"]),
    (lambda t: bitlaw.compare(t, ["kumar", "quset"]), ["compare", "TABLE", "--laws", "kumar,quset"]),
    (lambda t: bitlaw.compare(t, hold_out="largest-N", folds=3),
     ["compare", "TABLE", "--hold-out", "largest-N", "--folds", "3"]),
    (lambda t: bitlaw.compare(t, hold_out="nothing"), ["compare", "TABLE", "--hold-out", "nothing"]),
    (lambda t: bitlaw.design(t, shrink="alfa"), ["design", "TABLE", "--shrink", "alfa"]),
    (lambda t: bitlaw.design(t, "chinchilla", method="gptq"),
     ["design", "TABLE", "--law", "chinchilla", "--method", "gptq"]),
    (lambda t: bitlaw.plan(computer=1e21), ["plan", "--computer", "1e21"]),  # type: ignore[call-arg]
    (lambda t: bitlaw.plan(compute=-1), ["plan", "--compute", "-1"]),
    (lambda t: bitlaw.plan(compute=1e-3), ["plan", "--compute", "1e-3"]),
    (lambda t: bitlaw.plan(), ["plan"]),
    (lambda t: bitlaw.plan(gpu_hours=1, device="h1000"), ["plan", "--gpu-hours", "1", "--device", "h1000"]),
    (lambda t: bitlaw.plan("chinchilla", compute=1e21, unique_tokens=1e9),
     ["plan", "--law", "chinchilla", "--compute", "1e21", "--unique-tokens", "1e9"]),
    (lambda t: bitlaw.predict({"N": 1e9}), ["predict", "N=1e9"]),
    (lambda t: bitlaw.predict(N=1e9, D=1e10, P_ww=4), ["predict", "N=1e9", "D=1e10", "P_ww=4"]),
    (lambda t: bitlaw.predict({"N": 1e9, "D": 1e10}, "kumar", level=0.5),
     ["predict", "N=1e9", "D=1e10", "--level", "0.5"]),
    (lambda t: bitlaw.simulate("chinchilla", weights=[3, 4]),
     ["simulate", "--law", "chinchilla", "--weights", "3,4"]),
    (lambda t: bitlaw.simulate("kumar", noise=-1), ["simulate", "--law", "kumar", "--noise", "-1"]),
    (lambda t: bitlaw.simulate("kumar", constants={"alfa": 1.0}),
     ["simulate", "--law", "kumar", "--constants", "alfa=1.0"]),
    (lambda t: bitlaw.simulate("kumar", set="tide"), ["simulate", "--law", "kumar", "--set", "tide"]),
    (lambda t: bitlaw.published("kumarr"), ["laws", "show", "kumarr"]),
    (lambda t: bitlaw.approach(t, "parametric", budget_tolerance=0.2),
     ["fit", "TABLE", "--approach", "parametric", "--budget-tolerance", "0.2"]),
]


@pytest.mark.parametrize(("call", "words"), WRONG, ids=[" ".join(words[:1] + words[2:])[:60] for _, words in WRONG])
def test_the_sentence_is_that_of_the_program(
    call: Callable[[Path], object], words: list[str], table: Path
) -> None:
    with pytest.raises(bitlaw.Error) as caught:
        call(table)
    said = str(caught.value)
    assert said == without_flags(stderr(*(str(table) if word == "TABLE" else word for word in words)))
    assert "\n" not in said


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: bitlaw.fit({"N": [1.0]}, lwa="kumar"), "unknown option 'lwa'; did you mean 'law'?"),  # type: ignore[call-arg]
    (lambda: bitlaw.compare({"N": [1.0]}, lawss=["kumar"]), "did you mean 'laws'"),  # type: ignore[call-arg]
    (lambda: bitlaw.plan(compute=1e21, memory_byte=1e9), "did you mean 'memory_bytes'"),  # type: ignore[call-arg]
    (lambda: bitlaw.fit({"N": [1.0]}, threads=-1), "threads: -1 is not a number of threads"),
    (lambda: bitlaw.plan(compute=float("inf")), "inf is not a finite number"),
    (lambda: bitlaw.plan(compute=object()), "an object is neither text nor a number"),  # type: ignore[arg-type]
    (lambda: bitlaw.plan(3, compute=1e21), "an int is neither a fit nor a law"),  # type: ignore[arg-type]
    (lambda: bitlaw.plan([3], compute=1e21), "an int is neither a fit nor a law"),  # type: ignore[list-item]
    (lambda: made().plan(law="kumar", compute=1e21), "law kumar: fit is a fit of chinchilla; leave out law"),
    (lambda: made().plan(constants="tied", compute=1e21), "constants: a fit has constants of its own"),
    (lambda: bitlaw.plan([made(), "chinchilla"], compute=1e21), "takes the place of its published constants"),
    (lambda: bitlaw.plan([], compute=1e21), "the list is empty"),
    (lambda: bitlaw.fit({"N": [1.0]}, law_file="none.toml"), "law_file: none.toml cannot be read"),
    (lambda: bitlaw.predict(), "give runs"),
    (lambda: bitlaw.load("/nowhere/fit.json"), "cannot be read: No such file"),
    (lambda: bitlaw.Fit({"law": "kumar", "parameters": {}}), "fit: is no fit"),
    (lambda: made().interval("E"), "E has no interval: the fit has no bootstrap draws"),
    (lambda: bitlaw.predict(made(), N=1e9, D=2e10), "give the fit as by="),  # type: ignore[arg-type]
    (lambda: bitlaw.fit({"N": [1.0]}, bitlaw.laws()["kumar"]),  # type: ignore[arg-type]
     "law: a Law is no name of a law; give the name, 'kumar'"),
    (lambda: bitlaw.compare({"N": [1.0]}, 3), "laws: an int is no name of a law"),  # type: ignore[arg-type]
    (lambda: bitlaw.compare({"N": [1.0]}, []), "laws: the list is empty"),
    (lambda: bitlaw.simulate(constants=3), "constants: an int has no names"),  # type: ignore[arg-type]
    (lambda: bitlaw.simulate(3), "by: an int is no name of a law"),  # type: ignore[arg-type]
    (lambda: bitlaw.published(""), "law: the name is empty"),
    (lambda: bitlaw.published(None, "tied"), "tied is a set of which law"),  # type: ignore[call-overload]
    (lambda: bitlaw.approach({"N": [1.0]}, formula="E"), "unknown option 'formula'; did you mean"),
    (lambda: bitlaw.fit({"N": [1e8], "D": [1e9], "loss": [-1.0]}), "; where='loss>0' leaves such rows out"),
    (lambda: bitlaw.fit({"x": [1e8]}), "; name yours with columns='N=...,D=...,loss=...'"),
])
def test_what_only_python_can_say(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(bitlaw.Error, match=re.escape(sentence)):
        call()


def test_flags_in_sentences_are_keyword_arguments() -> None:
    from bitlaw._ask import as_keywords

    for said, expected in [
        ("--hold-out largest-N is", "hold_out largest-N is"),
        ("--where 'N>3 e8' leaves", "where='N>3 e8' leaves"),
        ("with --columns N=...,loss=...", "with columns='N=...,loss=...'"),
        ("(--where bits=16), --set D=3e10.", "(where='bits=16'), set='D=3e10'."),
        ("`bitlaw fit --where a=b` has", "`bitlaw fit --where a=b` has"),
    ]:
        assert as_keywords(said) == expected


def test_a_number_may_be_of_any_library() -> None:
    import numpy as np

    expected: Any = bitlaw.plan(compute=1e21, available_bits=[4, 8]).document
    study = bitlaw.simulate("chinchilla")
    kept = bitlaw.fit(study, "chinchilla", freeze={"E": np.float32(1.5)}, range={"A": (np.int64(1), np.float64(1e4))},
                      draws=0, starts=4, hold_out=False)
    assert kept.parameters["E"].value == 1.5
    bits: Any = np.array([4, 8])
    assert bitlaw.plan(compute=np.float64(1e21), available_bits=bits).document == expected
    assert bitlaw.plan(compute=1e21, available_bits="4,8", serve_tokens=None).document == expected  # type: ignore[arg-type]


def test_threads_have_a_limit() -> None:
    """Python ends with the machine's own limit otherwise."""
    with pytest.raises(bitlaw.Error, match="threads"):
        bitlaw.fit(bitlaw.simulate("chinchilla"), "chinchilla", threads=10**9)
    with pytest.raises(bitlaw.Error, match="threads"):
        bitlaw.quantize(np.ones((2, 32), np.float32), "int4", threads=-1)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(bitlaw.Error, match="is no path"):
        bitlaw.load(None)  # type: ignore[arg-type]
