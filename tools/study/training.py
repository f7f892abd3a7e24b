"""What the study says of training with few bits. Every rule here was written before the runs."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from numbers_of_page import (
    CLEAR, NOISE, by_setting, deviation, digits, interval, mean, short, table,
)  # fmt: skip
from study_table import CONVENTIONS, NotYet, Refused, Study, filters

MAIN_LAWS = ("kumar", "kumar-additive", "additive-exp", "kumar-both-untied")
COUNTS = {
    "non-embedding": "without embeddings and head",
    "total": "all",
    "flops": "C / (6 D)",
}
SIZES = 5
CORE = 15  # sizes by D of 2, 6 and 18 M


@dataclass
class Statement:
    title: str
    text: str
    commands: list[str]


def bf16(study: Study) -> list[dict[str, str]]:
    return study.select(
        format_w="bf16", format_a="bf16", format_kv="bf16", extra_norm="true", schedule="cosine"
    )


def need_fleet(study: Study) -> None:
    study.need(bf16(study), 60, "block 1 (BF16, three seeds)")
    for part, count in (("w", 65), ("a", 60), ("kv", 45)):
        low = study.select(**{f"format_{part}": lambda text: text.startswith("int")})
        study.need(low, count, f"blocks 2 to 6, {part} below 16 bits")


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
    return all(parameter.get(part) is not None for part in ("value", "low", "high"))


def noise(study: Study) -> Statement:
    study.need(bf16(study), 60, "block 1 (BF16, three seeds)")
    options = study.where(*filters("sequence", "P_w=16", "P_a=16", "P_kv=16", "P_post=16"))
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
    wide = [part for one in filters("sequence", "P_w=16", "P_a=16", "P_kv=16", "P_post=16") for part in ("--where", one)]
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
            digits(law.get("best_bits")),
        ])  # fmt: skip
    good = [law for law, lack in answer["lack_of_fit"].items() if lack and lack["p"] >= CLEAR]
    text = (
        (
            f"No law of {len(rows)} describes these rows to within the noise between seeds (p < {CLEAR} for all), so "
            "the constants of each are rough."
            if not good
            else f"Nothing shows that {', '.join(good)} miss{'es' if len(good) == 1 else ''} more than the noise "
            f"between seeds (p >= {CLEAR}); every other law does."
        )
        + f" {answer['verdict']}\n\n"
        + table(
            ["law", "constants", "held-out error, %", "ties with the best", "F", "p", "best precision, bits"], rows
        )
    )
    return Statement("Which law: lack of fit and held-out error", text, [study.command("compare", *options)])


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
                f"{answer['lack_of_fit'][law['name']]['f']:.3g}", digits(law.get("best_bits")),
            ])  # fmt: skip
    head = ["N counts", "law", "alpha", "held-out error, %", "F", "best precision, bits"]
    text = "The four laws of the design, with each count of N.\n\n" + table(head, rows)
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
        *study.where(*filters("sequence", "P_w=16", "P_a=16", "P_kv=16", "P_post=16")),
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
    return Statement("Do penalties fall with N? The test of effective parameters", text, commands[:3])


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
            rows.append([meaning, hold_out, ", ".join(names), f"{digits(tied[0])} to {digits(tied[1])}",
                         f"{digits(kumar['best_bits'])} {'(ties)' if kumar['tied_with_best'] else '(does not tie)'}"])  # fmt: skip
    text = (
        "The precision of least loss for a compute budget, where a token costs 6 N P/16 FLOP, of weights, "
        "activations, keys and values together. Never one number: it is that of a law and of a convention.\n\n"
        + table(["activations", "held out", "laws that tie", "best precision, bits", "kumar's"], rows)
    )
    return Statement("The best precision, by law and convention", text, commands)


def penalty_at(settings: dict, chosen: list[dict[str, str]], reference: list[dict[str, str]], s: float):
    """Mean difference over the cells (N, D) that both have, and its deviation."""
    low, base = {}, {}
    for rows, into in ((chosen, low), (reference, base)):
        for row in rows:
            if row["status"] == "finished":
                into.setdefault((row["N"], row["D"]), []).append(float(row["loss"]))
    both = sorted(set(low) & set(base), key=lambda cell: (float(cell[0]), float(cell[1])))
    if not both:
        raise NotYet("no cell (N, D) has both")
    differences = [mean(low[cell]) - mean(base[cell]) for cell in both]
    variance = sum(1 / len(low[cell]) + 1 / len(base[cell]) for cell in both)
    return mean(differences), s * math.sqrt(variance) / len(both), len(both)


def conventions(study: Study) -> Statement:
    plain = study.select(extra_norm="false")
    study.need(plain, 24, "block 9 (no extra norm)")
    s, _ = deviation(study.runs)
    sizes = tuple({row["N"] for row in plain})
    tokens = tuple({row["D"] for row in plain})
    here = {"N": tuple(map(float, sizes)), "D": tuple(map(float, tokens)), "schedule": "cosine"}
    base = {"format_w": "bf16", "format_kv": "bf16"}
    rows = []
    for name, columns in {
        "A4": {"format_a": "int4"}, "A5": {"format_a": "int5"}, "A6": {"format_a": "int6"}, "A8": {"format_a": "int8"},
    }.items():  # fmt: skip
        line = [name]
        for norm, grain in (("true", "token"), ("true", "sequence"), ("true", "batch"), ("false", "sequence")):
            runs = study.select(**here, **base, **columns, extra_norm=norm, granularity_a=grain)
            reference = study.select(**here, **base, format_a="bf16", extra_norm=norm)
            try:
                difference, error, _ = penalty_at({}, runs, reference, s)
                line.append(f"{difference:+.4f} ({error:.4f})")
            except NotYet:
                line.append("")
        rows.append(line)
    head = ["", "per token", "per sequence", "per batch", "per sequence, no extra norm"]
    text = (
        f"Loss above BF16 of the same norm, nats, the mean of the cells N {', '.join(short(float(n)) for n in sorted(sizes, key=float))} by D "
        f"{', '.join(short(float(d)) for d in sorted(tokens, key=float))}, with its standard deviation from seeds:\n\n" + table(head, rows)
    )
    return Statement("What shares a scale, and the extra norm", text, ["bitlaw report " + study.shown + " --where P_w=16 --where P_kv=16 --where schedule=cosine"])


FORMATS = {
    "4 bits": ("int4", "e2m1", "e3m0"),
    "6 bits": ("int6", "e3m2"),
    "8 bits": ("int8", "e4m3"),
}


def formats(study: Study) -> Statement:
    s, freedom = deviation(study.runs)
    at = study.select(format_w=("e2m1", "e3m0", "e3m2", "e4m3"))
    study.need(at, 16, "block 11 (formats of the weights)")
    here = {"N": tuple({float(r["N"]) for r in at}), "D": tuple({float(r["D"]) for r in at}), "schedule": "cosine", "extra_norm": "true"}
    alone = {"format_a": "bf16", "format_kv": "bf16"}
    reference = study.select(**here, **alone, format_w="bf16")
    rows, best = [], []
    for bits, names in FORMATS.items():
        found = {}
        for name in names:
            runs = study.select(**here, **alone, format_w=name)
            found[name] = penalty_at({}, runs, reference, s)
            rows.append([bits, name, f"{found[name][0]:+.4f} ({found[name][1]:.4f})", str(found[name][2])])
        first = names[0]
        for other in names[1:]:
            gain = found[first][0] - found[other][0]
            error = math.hypot(found[first][1], found[other][1])
            best.append(
                f"at {bits} {other} loses {abs(gain):.4f} nats {'less' if gain > 0 else 'more'} than {first}"
                if abs(gain) > NOISE * error
                else f"at {bits} {other} and {first} differ by less than two deviations ({gain:+.4f}, deviation {error:.4f})"
            )
    text = "Weights alone: " + "; ".join(best) + ".\n\n" + table(["", "format", "loss above BF16, nats", "cells"], rows)
    return Statement("Integer or floating-point weights at the same bits", text, [f"bitlaw report {study.shown} --where schedule=cosine --where extra_norm=true"])


W4A4 = {
    "INT4, per channel and token": ("int4", "int4", "channel", "token"),
    "INT4, per channel and token, rotated": ("int4+hadamard32", "int4+hadamard32", "channel", "token"),
    "INT4, groups of 32": ("int4", "int4", "group32", "group32"),
    "INT4, groups of 32, rotated": ("int4+hadamard32", "int4+hadamard32", "group32", "group32"),
    "MXFP4": ("mxfp4", "mxfp4", None, None),
    "MXFP4, rotated": ("mxfp4+hadamard32", "mxfp4+hadamard32", None, None),
    "NVFP4": ("nvfp4", "nvfp4", None, None),
    "NVFP4, rotated": ("nvfp4+hadamard32", "nvfp4+hadamard32", None, None),
}


def four_bits(study: Study) -> Statement:
    s, _ = deviation(study.runs)
    blocks = study.select(P_w=4, P_a=4, P_kv=16, extra_norm="true", schedule="cosine")
    study.need(blocks, 108, "block 11 (W4A4 formats)")
    here = {"N": tuple({float(r["N"]) for r in blocks}), "D": tuple({float(r["D"]) for r in blocks})}
    reference = study.select(**here, format_w="bf16", format_a="bf16", format_kv="bf16", extra_norm="true", schedule="cosine")
    lines = []
    known: set[str] = set()
    for name, (weights, activations, group_w, group_a) in W4A4.items():
        columns = {"format_w": weights, "format_a": activations}
        if group_w:
            columns |= {"granularity_w": group_w, "granularity_a": group_a}
        runs = [row for row in blocks if all(row[key] == value for key, value in columns.items())]
        known |= {row["run"] for row in runs}
        lines.append((*penalty_at({}, runs, reference, s), name, len(runs)))
    rest = [row for row in blocks if row["run"] not in known]
    if rest:
        lines.append((*penalty_at({}, rest, reference, s), "QuEST's recipe", len(rest)))
    lines.sort()
    rows = [[name, f"{difference:+.4f} ({error:.4f})", str(count)] for difference, error, _, name, count in lines]
    ties = [name for difference, error, _, name, _ in lines if difference - lines[0][0] < NOISE * math.hypot(error, lines[0][1])]
    text = (
        f"Weights and activations of four bits, least loss first. {', '.join(ties)} {'are' if len(ties) > 1 else 'is'} best"
        f"{' within two deviations' if len(ties) > 1 else ''}.\n\n"
        + table(["format", "loss above BF16, nats", "runs"], rows)
    )
    return Statement("Four bits in the formats of the field", text, [f"bitlaw report {study.shown} --where P_w=4,16 --where P_a=4,16 --where P_kv=16"])


def bits_in_all(study: Study) -> Statement:
    """As many bits in all the weights: N P of about 1.6 M."""
    wanted = [(64, 16), (96, 7), (128, 4), (192, 2)]
    s, _ = deviation(study.runs)
    rows = []
    for width, bits in wanted:
        line = [short(float(study.select(width=width)[0]["N"])) if study.select(width=width) else "", str(bits)]
        for tokens in (6e6, 18e6):
            runs = study.select(
                width=width, P_w=bits, P_a=16, P_kv=16, D=tokens, extra_norm="true", schedule="cosine",
                format_w="bf16" if bits == 16 else f"int{bits}",
            )  # fmt: skip
            study.need(runs, 1, f"width {width} at {bits} bits")
            line.append(f"{mean([float(r['loss']) for r in runs]):.4f} ({s / math.sqrt(len(runs)):.4f})")
        rows.append(line)
    best = min(rows, key=lambda line: float(line[3].split()[0]))
    text = (
        f"Weights that take as many bits in all (N P is 1.55 to 1.77 M): {best[1]} bits have the least loss at 18 M tokens.\n\n"
        + table(["N", "bits of the weights", "loss at D = 6 M", "loss at D = 18 M"], rows)
    )
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


STATEMENTS = (noise, look, laws, counts, penalties, best_precision, conventions, formats, four_bits, bits_in_all, bytes_too)
