"""What the study says of training with few bits. Every rule here was written before the runs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from numbers_of_page import (
    CLEAR, NOISE, by_setting, deviation, digits, interval, mean, short, table,
)  # fmt: skip
from study_table import CONVENTIONS, NotYet, Refused, Study, filters, unquantized

MAIN_LAWS = ("kumar", "kumar-additive", "additive-exp", "kumar-both-untied")
COUNTS = {
    "non-embedding": "without embeddings and head",
    "total": "all",
    "flops": "C / (6 D)",
}
# The bits of blocks 2 to 6.
BITS = {"w": (3, 4, 5, 6, 8), "a": (4, 5, 6, 8), "token": (3, 4, 5, 6), "kv": (3, 4, 5, 6), "together": (4, 5, 6, 7, 8)}


@dataclass
class Statement:
    title: str
    text: str
    commands: list[str]


def bf16(study: Study) -> list[dict[str, str]]:
    return study.select(
        format_w="bf16", format_a="bf16", format_kv="bf16", extra_norm="true", schedule="cosine"
    )


def need_fleet(study: Study, *numbers: int) -> None:
    """Of blocks 1 to 7, those with these numbers; all of them without."""
    for name, runs, count in blocks(study):
        if not numbers or int(name.split()[1]) in numbers:
            study.need(runs, count, name)


def blocks(study: Study) -> list[tuple[str, list[dict[str, str]], int]]:
    """Blocks 1 to 7: their names, their runs, and how many there must be."""
    bits = {part: tuple(f"int{each}" for each in choice) for part, choice in BITS.items()}
    high = {"format_w": "bf16", "format_a": "bf16", "format_kv": "bf16"}
    kinds = {
        "block 2 (weights)": ({"format_w": bits["w"]}, 80),
        "block 3 (activations per sequence)": ({"format_a": bits["a"], "granularity_a": "sequence"}, 60),
        "block 4 (activations per token)": ({"format_a": bits["token"], "granularity_a": "token"}, 60),
        "block 5 (keys and values)": ({"format_kv": bits["kv"]}, 60),
        "block 6 (all together)": ({part: bits["together"] for part in high}, 90),
    }
    all_of_them = [("block 1 (BF16, three seeds)", bf16(study), 60)]
    more = []
    for name, (columns, count) in kinds.items():
        runs = study.select(**{**high, **columns}, extra_norm="true", schedule="cosine")
        all_of_them.append((name, [row for row in runs if float(row["seed"]) == 1], count))
        more += [row for row in runs if float(row["seed"]) != 1]
    return [*all_of_them, ("block 7 (seeds at low bits)", more, 60)]


def tuned(study: Study, folder: Path) -> Statement:
    """Block 0: which rate, batch and beta2 are best, whether that moves with bits, and the rule that follows."""
    document = folder / "tuning.json"
    if not document.exists():
        raise NotYet("block 0 (tuning): results/tuning.json")
    tuning = json.loads(document.read_text(encoding="utf-8"))
    if not tuning["complete"]:
        raise NotYet("block 0 (tuning): not all configurations are trained")
    rows = []
    for fleet in tuning["fleets"]:
        for rung in fleet["rungs"]:
            axes = {axis["key"]: axis for axis in (rung.get("surface") or {}).get("axes", [])}
            rows.append([
                fleet["label"], short(rung["D"]), str(rung["configurations"]),
                *(place(axes.get(key)) for key in ("train.batch_tokens", "train.lr", "optimizer.beta2")),
            ])  # fmt: skip
    moved = [
        f"{shift['key']} of {shift['precision']} at N {short(shift['N'])}, D {short(shift['D'])}: {interval(shift['ratio'])} times"
        for shift in tuning["shifts"]
        if is_known(shift["ratio"]) and not shift["ratio"]["low"] <= 1 <= shift["ratio"]["high"]
    ]
    compared = [shift for shift in tuning["shifts"] if is_known(shift["ratio"])]
    text = (
        f"Of {len(compared)} comparisons of a best value with few bits against BF16, {len(moved)} exclude 1 with 90 % confidence"
        f" ({0.1 * len(compared):.1f} would by chance)" + (": " + "; ".join(moved) if moved else "") + ".\n\n"
        + table(["fleet", "D", "configurations", "batch, tokens", "rate at width 64", "beta2"], rows)
    )
    return Statement("The tuned rule, and whether the optimum moves with bits", text, ["bitlaw tune examples/tuning.toml --status --json"])


def place(axis: dict | None) -> str:
    if axis is None:
        return ""
    return interval(axis["best"]) if is_known(axis["best"]) else axis["missing"] or "none"


def is_known(parameter: dict) -> bool:
    """Has it a value, and an interval whose ends the rows tell?"""
    is_open = parameter.get("low_open") or parameter.get("high_open") or parameter.get("identified") is False
    return not is_open and all(parameter.get(part) is not None for part in ("value", "low", "high"))


def noise(study: Study) -> Statement:
    study.need(bf16(study), 60, "block 1 (BF16, three seeds)")
    options = study.where(*unquantized("cosine", "P_post=16"))
    error = study.ask("fit", "--law", "chinchilla", *options)["table"]["pure_error"]
    rows = [
        [part["precision"], short(part["N"]), digits(part["deviation"], 2), str(part["freedom"])]
        for part in error["parts"]
    ]
    text = (
        f"BF16 runs that differ in the seed alone deviate by {digits(error['deviation'], 2)} nats per token "
        f"({error['freedom']} degrees of freedom). A difference of two runs below "
        f"{digits(NOISE * math.sqrt(2) * error['deviation'], 2)} is noise.\n\n"
        + table(["precision", "N", "deviation, nats", "degrees of freedom"], rows)
    )
    return Statement("How much is chance", text, [study.command("fit", "--law", "chinchilla", *options)])


def look(study: Study) -> Statement:
    """Block 1: does the law without bits describe BF16 within twice the deviation between seeds?"""
    study.need(bf16(study), 60, "block 1 (BF16, three seeds)")
    options = ["--law", "chinchilla"]
    wide = study.all_where(*unquantized("cosine", "P_post=16"))
    fit = study.ask("fit", *options, *wide)
    lack = fit["lack_of_fit"]
    narrow = lack["residual"] > 2 * lack["noise"]
    text = (
        f"E + A/N^alpha + B/D^beta leaves {100 * lack['residual']:.2f} % of the loss on the BF16 runs, where seeds "
        f"differ by {100 * lack['noise']:.2f} %: F({lack['freedom']}, {lack['noise_freedom']}) = {lack['f']:.3g}, "
        f"p = {lack['p']:.2g}. alpha is {interval(fit['parameters']['alpha'])}, beta "
        f"{interval(fit['parameters']['beta'])}, E {interval(fit['parameters']['E'])}.\n\n"
        + (
            "That is more than twice the deviation between seeds, so by the rule fixed beforehand every fit "
            "below uses 6 < D/N < 500 alone."
            if narrow
            else "That is within twice the deviation between seeds, so fits use all D/N."
        )
    )
    return Statement("Stop and look: BF16", text, [study.command("fit", *options, *wide)])


def bits_of(best: float | None) -> str:
    """A best precision; the search ends at 1 bit, which says only that the law has no optimum above."""
    return "none above 1" if best is not None and best <= 1 else digits(best)


def laws(study: Study) -> Statement:
    need_fleet(study)
    options = ["--hold-out", "kfold", *study.where(*filters())]
    answer = study.ask("compare", *options)
    rows = []
    for law in answer["laws"]:
        lack = answer["lack_of_fit"].get(law["name"])
        held = law.get("held_out") or {}
        rows.append([
            law["name"], str(law["k"]),
            f"{100 * held['rms_log']:.3f} +- {100 * held['standard_error']:.3f}" if held.get("rms_log") else "none",
            "yes" if law.get("tied_with_best") else "no",
            f"{lack['f']:.3g}" if lack else "none", f"{lack['p']:.1g}" if lack else "none",
            bits_of(law.get("best_bits")),
        ])  # fmt: skip
    unknown = [law["name"] for law in answer["laws"] if not answer["lack_of_fit"].get(law["name"])]
    good = [law for law, lack in answer["lack_of_fit"].items() if lack and lack["p"] >= CLEAR]
    text = (
        (
            f"No law of {len(rows) - len(unknown)} describes these rows to within the noise between seeds (p < {CLEAR} for all), so "
            "the constants of each are rough."
            if not good
            else f"Nothing shows that {', '.join(good)} miss{'es' if len(good) == 1 else ''} more than the noise "
            f"between seeds (p >= {CLEAR}); every other law does."
        )
        + (f" Of {', '.join(unknown)} it is not known." if unknown else "")
        + f" {answer['verdict']}\n\n"
        + table(
            ["law", "constants", "held-out error, %", "ties with the best", "F", "p", "best precision, bits"], rows
        )
    )
    return Statement("Which law: lack of fit and held-out error", text, [study.command("compare", *options)])


def held_out(study: Study) -> Statement:
    """The largest sizes and the longest runs, predicted from the others."""
    need_fleet(study)
    errors: dict[str, list[str]] = {law: [law] for law in MAIN_LAWS}
    commands = []
    for hold_out in ("kfold", "largest-N", "largest-D"):
        options = ["--laws", ",".join(MAIN_LAWS), "--hold-out", hold_out, *study.where(*filters("sequence", "P_post=16"))]
        answer = study.ask("compare", *options)
        commands.append(study.command("compare", *options))
        for law in answer["laws"]:
            between = answer["lack_of_fit"][law["name"]]["noise"]
            held = law.get("held_out") or {}
            errors[law["name"]].append(
                f"{held['rms_log'] / between:.2f} +- {held['standard_error'] / between:.2f}"
                + (" (ties)" if law["tied_with_best"] else "")
                if held.get("rms_log")
                else "none"
            )
    text = (
        "Held-out errors of the loss in units of the deviation between seeds: 1 is as good as a second seed would be.\n\n"
        + table(["law", "five folds", "largest N", "largest D"], list(errors.values()))
    )
    return Statement("Held-out sizes and token counts", text, commands)


def counts(study: Study) -> Statement:
    need_fleet(study)
    rows, commands = [], []
    for params, meaning in COUNTS.items():
        options = ["--laws", ",".join(MAIN_LAWS), "--params", params, "--hold-out", "kfold", *study.where(*filters("sequence", "P_post=16"))]
        if params == "flops":
            options += ["--columns", "C=spent_flop"]
        answer = study.ask("compare", *options)
        commands.append(study.command("compare", *options))
        for law in answer["laws"]:
            rows.append([
                meaning, law["name"], digits(law["parameters"].get("alpha", {}).get("value")),
                f"{100 * law['held_out']['rms_log']:.3f} +- {100 * law['held_out']['standard_error']:.3f}",
                f"{answer['lack_of_fit'][law['name']]['f']:.3g}", bits_of(law.get("best_bits")),
            ])  # fmt: skip
    head = ["N counts", "law", "alpha", "held-out error, %", "F", "best precision, bits"]
    text = (
        f"The four laws of the design, with each count of N. Held-out errors are over all {answer['laws'][0]['held_out']['points']} rows; "
        "in the table of all laws they are over the rows that every law predicts, so they differ.\n\n" + table(head, rows)
    )
    return Statement("What N counts", text, commands)


def one_part(part: str, bits: int, convention: str = "sequence") -> list[str]:
    others = [f"P_{other}=16" for other in ("w", "a", "kv") if other != part]
    return filters(convention, f"P_{part}={bits},16", *others, "P_post=16")


def verdict_on_slope(slope: dict, alpha: dict) -> str:
    """slope: the exponent of N with which penalties fall; alpha: that of the BF16 loss."""
    if not (is_known(slope) and is_known(alpha)):
        return "These rows do not tell the exponent."
    predicted = slope["low"] <= alpha["high"] and alpha["low"] <= slope["high"]
    if slope["low"] > 0:
        return (
            "The penalty falls with N as effective parameters predict: both intervals overlap."
            if predicted
            else "The penalty falls with N, but not as effective parameters predict: the intervals do not overlap."
        )
    return (
        "Neither a penalty that falls with N nor one that does not can be excluded."
        if predicted
        else "That the penalty falls with N is not shown, and the exponent is below what effective parameters predict: at "
        "this scale the paper's central form does not hold."
    )


def penalties(study: Study) -> Statement:
    """Are there effective parameters at this scale? If a model of few bits is a smaller one, what the bits
    cost falls with N as the loss does: A N^-alpha (f^-alpha - 1)."""
    need_fleet(study)
    alpha = study.ask(
        "fit", "--law", "chinchilla",
        *study.where(*unquantized("cosine", "P_post=16")),
    )["parameters"]["alpha"]  # fmt: skip
    options = ["--gap-to", "bf16", "--law", "gap-exp", *study.where(*filters("sequence", "P_post=16"))]
    overall = study.ask("fit", *options)["parameters"]
    slope, growth = overall["gamma_N"], overall["gamma_D"]
    commands = [study.command("fit", *options)]
    rows = []
    series = [("w", bits, "sequence") for bits in (3, 4, 5)]
    series += [("a", bits, "sequence") for bits in (4, 5, 6)]
    series += [("a", bits, "token") for bits in (4, 5)]
    series += [("kv", bits, "sequence") for bits in (4, 5)]
    for part, bits, convention in series:
        ask = ["--gap-to", "bf16", "--law", "gap-class", *study.where(*one_part(part, bits, convention))]
        name = f"{part.upper()}{bits}" + (" per token" if convention == "token" else "")
        try:
            fit = study.ask("fit", *ask)
        except Refused as refusal:
            rows.append([name, "none", str(refusal)[:80], *[""] * 4])
            continue
        found = fit["parameters"]
        line = [name, interval(found["gamma_N"], 2), interval(found["gamma_D"], 2), str(fit["points"])]
        for tokens in (2e6, 6e6, 18e6):
            at = [*ask, "--where", f"D={0.97 * tokens:.4g}..{1.03 * tokens:.4g}"]
            try:
                line.append(interval(study.ask("fit", *at)["parameters"]["gamma_N"], 2))
            except Refused:
                line.append("none")
        rows.append(line)
        commands.append(study.command("fit", *ask))
    verdict = verdict_on_slope(slope, alpha)
    text = (
        "If low precision makes a model of fewer effective parameters, its cost in loss at fixed D falls as "
        f"N^-alpha. The alpha of the BF16 runs is {interval(alpha)}. Measured over all settings, the cost goes as "
        f"N^-g with g = {interval(slope)}, and as D^h with h = {interval(growth)} (effective parameters: h = 0). "
        f"**{verdict}**\n\nEach precision by itself:\n\n"
        + table(
            ["precision", "g: falls as N^-g", "h: grows as D^h", "gaps", "g at D = 2 M", "at 6 M", "at 18 M"], rows
        )
    )
    return Statement("Do penalties fall with N? The test of effective parameters", text, commands)


def best_precision(study: Study) -> Statement:
    need_fleet(study)
    rows, commands = [], []
    for convention, meaning in CONVENTIONS.items():
        for hold_out in ("kfold", "largest-N"):
            options = ["--hold-out", hold_out, *study.where(*filters(convention))]
            answer = study.ask("compare", *options)
            commands.append(study.command("compare", *options))
            tied = answer["best_bits"]["tied"] if answer["best_bits"] else [None, None]
            names = [answer["best"], *answer["tied"]]
            kumar = next(law for law in answer["laws"] if law["name"] == "kumar")
            rows.append([meaning, hold_out, ", ".join(names), f"{bits_of(tied[0])} to {bits_of(tied[1])}",
                         f"{bits_of(kumar['best_bits'])} {'(ties)' if kumar['tied_with_best'] else '(does not tie)'}"])  # fmt: skip
    text = (
        "The precision of least loss for a compute budget, where a token costs 6 N P/16 FLOP, of weights, "
        "activations, keys and values together. Never one number: it is that of a law and of a convention. "
        "The range is over laws that tie and have such an optimum, without the error of each.\n\n"
        + table(["activations", "held out", "laws that tie", "best precision, bits", "kumar's"], rows)
    )
    return Statement("The best precision, by law and convention", text, commands)


def finished(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if row["status"] == "finished"]


def seeds(study: Study) -> float:
    """The deviation between seeds, of all settings that have some."""
    s, freedom = deviation(study.runs)
    if not freedom:
        raise NotYet("runs that differ in the seed alone")
    return s


def difference(chosen: list[dict[str, str]], reference: list[dict[str, str]], s: float) -> tuple[float, float, int]:
    """Mean difference over the cells (N, D) that both have, its deviation from seeds, and how many cells."""
    low, base = {}, {}
    for rows, into in ((chosen, low), (reference, base)):
        for row in finished(rows):
            into.setdefault((row["N"], row["D"]), []).append(float(row["loss"]))
    both = sorted(set(low) & set(base), key=lambda cell: (float(cell[0]), float(cell[1])))
    if not both:
        raise NotYet("no cell (N, D) has both")
    differences = [mean(low[cell]) - mean(base[cell]) for cell in both]
    variance = sum(1 / len(low[cell]) + 1 / len(base[cell]) for cell in both)
    return mean(differences), s * math.sqrt(variance) / len(both), len(both)


def better(name: str, other: str, by: float, error: float) -> str:
    """One difference as a sentence: `by` is how much more `name` loses than `other`."""
    if not abs(by) > NOISE * error:
        return f"{name} and {other} tie ({by:+.4f}, deviation {error:.4f})"
    return f"{name} loses {abs(by):.4f} nats {'more' if by > 0 else 'less'} than {other} (deviation {error:.4f})"


def by_chance(count: int) -> str:
    return f"Each is held against two deviations from seeds, so of {count} such comparisons {0.046 * count:.1f} would differ by chance."


def conventions(study: Study) -> Statement:
    plain = study.select(extra_norm="false")
    study.need(plain, 24, "block 9 (no extra norm)")
    study.need(study.select(granularity_a="batch"), 4, "block 9 (one scale per batch)")
    need_fleet(study, 1, 3, 4)
    s = seeds(study)
    sizes = tuple({float(row["N"]) for row in plain})
    tokens = tuple({float(row["D"]) for row in plain})
    here = {"N": sizes, "D": tokens, "schedule": "cosine", "format_w": "bf16", "format_kv": "bf16"}
    base = {norm: study.select(**here, format_a="bf16", extra_norm=norm) for norm in ("true", "false")}
    columns = {"per token": ("true", "token"), "per sequence": ("true", "sequence"), "per batch": ("true", "batch"), "per sequence, no extra norm": ("false", "sequence")}
    rows, says = [], []
    for name, form in {"A4": "int4", "A5": "int5", "A6": "int6", "A8": "int8"}.items():
        line = [name]
        runs, found = {}, {}
        for column, (norm, grain) in columns.items():
            runs[column] = study.select(**here, format_a=form, extra_norm=norm, granularity_a=grain)
            try:
                found[column] = difference(runs[column], base[norm], s)
                cells = found[column][2]
                line.append(f"{found[column][0]:+.4f} ({found[column][1]:.4f})" + (f", {cells} cells" if cells < len(sizes) * len(tokens) else ""))
            except NotYet:
                line.append("")
        for column in ("per token", "per batch"):
            if column in found and "per sequence" in found:
                by, error, _ = difference(runs[column], runs["per sequence"], s)
                says.append(better(f"{name} {column}", "per sequence", by, error))
        if {"per sequence", "per sequence, no extra norm"} <= found.keys():
            (plain_by, plain_error, _), (by, error, _) = found["per sequence, no extra norm"], found["per sequence"]
            says.append(better(f"{name} without the extra norm", "with it", plain_by - by, math.hypot(plain_error, error)))
        rows.append(line)
    text = (
        f"{'; '.join(says)}. {by_chance(len(says))}\n\nLoss above BF16 of the same norm, nats, the mean of the cells N "
        f"{', '.join(short(size) for size in sorted(sizes))} (without the extra norm) by D {', '.join(short(d) for d in sorted(tokens))}, with its standard deviation "
        "from seeds:\n\n" + table(["", *columns], rows)
    )
    return Statement("What shares a scale, and the extra norm", text, ["bitlaw report " + study.shown + " --where P_w=16 --where P_kv=16 --where schedule=cosine"])


FORMATS = {
    "4 bits": ("int4", "e2m1", "e3m0"),
    "6 bits": ("int6", "e3m2"),
    "8 bits": ("int8", "e4m3"),
}


def formats(study: Study) -> Statement:
    s = seeds(study)
    at = study.select(format_w=("e2m1", "e3m0", "e3m2", "e4m3"))
    study.need(at, 16, "block 11 (formats of the weights)")
    need_fleet(study, 1, 2)
    here = {"N": tuple({float(r["N"]) for r in at}), "D": tuple({float(r["D"]) for r in at}), "schedule": "cosine", "extra_norm": "true"}
    alone = {"format_a": "bf16", "format_kv": "bf16"}
    reference = study.select(**here, **alone, format_w="bf16")
    rows, says = [], []
    for bits, names in FORMATS.items():
        runs = {name: study.select(**here, **alone, format_w=name) for name in names}
        for name in names:
            above, error, cells = difference(runs[name], reference, s)
            rows.append([bits, name, f"{above:+.4f} ({error:.4f})", str(cells)])
        for other in names[1:]:
            by, error, _ = difference(runs[other], runs[names[0]], s)
            says.append(f"at {bits} " + better(other, names[0], by, error))
    text = (
        f"Weights alone: {'; '.join(says)}. {by_chance(len(says))}\n\n"
        + table(["", "format", "loss above BF16, nats", "cells"], rows)
    )
    return Statement("Integer or floating-point weights at the same bits", text, [f"bitlaw report {study.shown} --where schedule=cosine --where extra_norm=true"])


W4A4 = {
    "INT4 per channel and token": ("int4", "int4", "channel", "token"),
    "INT4 per channel and token, rotated": ("int4+hadamard32", "int4+hadamard32", "channel", "token"),
    "INT4 in groups of 32": ("int4", "int4", "group32", "group32"),
    "INT4 in groups of 32, rotated": ("int4+hadamard32", "int4+hadamard32", "group32", "group32"),
    "MXFP4": ("mxfp4", "mxfp4", None, None),
    "MXFP4, rotated": ("mxfp4+hadamard32", "mxfp4+hadamard32", None, None),
    "NVFP4": ("nvfp4", "nvfp4", None, None),
    "NVFP4, rotated": ("nvfp4+hadamard32", "nvfp4+hadamard32", None, None),
}


def four_bits(study: Study) -> Statement:
    s = seeds(study)
    blocks = study.select(P_w=4, P_a=4, P_kv=16, extra_norm="true", schedule="cosine")
    study.need(blocks, 108, "block 11 (W4A4 formats)")
    here = {"N": tuple({float(r["N"]) for r in blocks}), "D": tuple({float(r["D"]) for r in blocks})}
    reference = study.select(**here, format_w="bf16", format_a="bf16", format_kv="bf16", extra_norm="true", schedule="cosine")
    known: dict[str, list[dict[str, str]]] = {}
    for name, (weights, activations, group_w, group_a) in W4A4.items():
        columns = {"format_w": weights, "format_a": activations}
        if group_w:
            columns |= {"granularity_w": group_w, "granularity_a": group_a}
        known[name] = [row for row in blocks if all(row[key] == value for key, value in columns.items())]
    named = {row["run"] for rows in known.values() for row in rows}
    known["QuEST's recipe"] = [row for row in blocks if row["run"] not in named]
    cells_in_all = len({(row["N"], row["D"]) for row in blocks})
    lines = sorted((*difference(runs, reference, s), name) for name, runs in known.items() if finished(runs))
    whole = [line for line in lines if line[2] == cells_in_all]
    if not whole:
        raise NotYet("block 11 (W4A4 formats): each format diverged in some cell")
    lines = whole + [line for line in lines if line not in whole]
    unranked = [name for name in known if name not in {line[3] for line in whole}]
    best = lines[0][3]
    rows, ties = [], []
    for above, error, cells, name in lines:
        runs = known[name]
        line = [name, f"{above:+.4f} ({error:.4f})", "", str(cells), f"{len(finished(runs))} of {len(runs)}"]
        if name != best:  # without BF16, whose noise both share
            by, error, _ = difference(runs, known[best], s)
            line[2] = f"{by:+.4f} ({error:.4f})"
            if by <= NOISE * error and name not in unranked:
                ties.append(name)
        rows.append(line)
    text = (
        f"Weights and activations of four bits, least loss first. The least is {best}; "
        + (f"within two deviations of it: {'; '.join(ties)}." if ties else "no other is within two deviations of it.")
        + (f" Not ranked, as all runs of some N and D diverged: {'; '.join(unranked)}." if unranked else "")
        + " The least is least by luck, too: differences from it are a little too large.\n\n"
        + table(["format", "loss above BF16, nats", "above the least", "cells", "runs that did not diverge"], rows)
    )
    return Statement("Four bits in the formats of the field", text, [f"bitlaw report {study.shown} --where P_w=4,16 --where P_a=4,16 --where P_kv=16"])


def bits_in_all(study: Study) -> Statement:
    """As many bits in all the weights: N P of about 1.6 M."""
    wanted = [(64, 16), (96, 7), (128, 4), (192, 2)]
    s = seeds(study)
    rows, found = [], []
    for width, bits in wanted:
        line = ["", str(bits)]
        for tokens in (6e6, 18e6):
            runs = study.select(
                width=width, P_w=bits, P_a=16, P_kv=16, D=tokens, extra_norm="true", schedule="cosine",
                format_w="bf16" if bits == 16 else f"int{bits}",
            )  # fmt: skip
            study.need(runs, 1, f"width {width} at {bits} bits")
            line[0] = short(float(runs[0]["N"]))
            losses = [float(row["loss"]) for row in finished(runs)]
            if not losses:
                line.append("diverged")
                continue
            error = s / math.sqrt(len(losses))
            line.append(f"{mean(losses):.4f} ({error:.4f})")
            if tokens == 18e6:
                found.append((mean(losses), error, bits))
        rows.append(line)
    found.sort()
    text = "Weights that take as many bits in all (N P is 1.55 to 1.77 M; embeddings, which are not rounded, come on top)"
    if len(found) > 1:
        (loss, error, bits), others = found[0], found[1:]
        ties = [str(other) for value, noise, other in others if value - loss <= NOISE * math.hypot(error, noise)]
        text += f": at 18 M tokens {bits} bits have the least loss" + (
            f", but {' and '.join(ties)} bits are within two deviations of it." if ties else f", by {others[0][0] - loss:.4f} nats (deviation {math.hypot(error, others[0][1]):.4f})."
        )
    else:
        text += "; too few of these runs have a loss to compare."
    text += " In brackets the deviation from seeds.\n\n" + table(["N", "bits of the weights", "loss at D = 6 M", "loss at D = 18 M"], rows)
    return Statement("Many parameters of few bits, or few of many", text, [f"bitlaw runs {study.shown}"])


def bytes_too(study: Study) -> Statement:
    study.need(bf16(study), 60, "block 1 (BF16, three seeds)")
    ratios = [float(row["bits_per_byte"]) / float(row["loss"]) for row in study.runs if row["bits_per_byte"] and row["loss"]]
    if not ratios:
        raise NotYet("bits per byte: the table has none")
    spread = max(ratios) / min(ratios) - 1
    text = (
        f"All runs have one text and one vocabulary, so bits a byte are nats a token times {mean(ratios):.5f} (their ratios "
        f"differ by {100 * spread:.3g} %). Exponents, N_eff and best precisions are the same in either unit; E, A and B are "
        "those of the tables times that number."
    )
    return Statement("In bits a byte", text, [])


STATEMENTS = (noise, look, laws, held_out, counts, penalties, best_precision, conventions, formats, four_bits, bits_in_all, bytes_too)
