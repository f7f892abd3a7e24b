"""What the study says of quantization after training, and of predictions made before runs."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

from numbers_of_page import CLEAR, CLEAR_DELTA, LOGARITHMIC, NOISE, UNIT, chance_of_f, interval, lack_of_fit, mean, short, table
from study_table import NotYet, Refused, Study, filters, unquantized
from training import Statement, bf16, blocks, finished, is_known

METHOD = "gptq"
BITS_AFTER = {2, 3, 4, 5, 6, 8}
TOKENS = (2e6, 6e6, 18e6, 54e6)
STEPS = list(zip(TOKENS, TOKENS[1:]))
# P is P_post; the bend is of the logarithm of delta over the logarithm of D.
BENT = "k*(D/6e6)^(g+c*log(D/6e6))*(N/2e5)^-h*exp((4-P_post)/q)"
# Between two token counts. The loss law is a constant: no delta of an unquantized run depends on it.
STRAIGHT = "k*(D/6e6)^g*(N/2e5)^-h"
RANGES = "k=0..1,g=-1..2,c=-1..1,h=-1..2,q=0.1..5"
SCHEDULES = {"cosine": "cosine", "wsd": "warm-up, stable, decay"}


def need_cells(study: Study, *more: tuple[str, list[dict[str, str]], int]) -> None:
    """The BF16 runs and those of other blocks are there, and all of them that did not diverge have their cells."""
    have = defaultdict(set)
    for row in study.select_cells(method=METHOD):
        have[row["run"]].add(round(float(row["P_post"])))
    for name, runs, count in (("block 1 (BF16, three seeds)", bf16(study), 60), *more):
        study.need(runs, count, name)
        runs = finished(runs)
        study.need([row for row in runs if have[row["run"]] >= BITS_AFTER], len(runs), f"quantized cells of {name}")


def law_of_delta(study: Study) -> Statement:
    need_cells(study, *blocks(study))
    options = ["--law", "kumar", "--method", METHOD, *study.where(*filters())]
    fit = study.ask("fit", *options)
    post = fit["post"]
    rows = [[name, interval(fit["parameters"][name])] for name in ("gamma_D", "gamma_N", "gamma_post", "C_T")]
    compare = ["--method", METHOD, "--hold-out", "kfold", *study.where(*filters())]
    answer = study.ask("compare", *compare)
    laws = [
        [law["name"], str(law["k"]), f"{law['held_out']['rms']:.3f} +- {law['held_out']['standard_error']:.3f}",
         "yes" if law["tied_with_best"] else "no"]
        for law in (answer.get("post") or {}).get("laws", []) if law.get("held_out") and law["held_out"].get("rms")
    ]  # fmt: skip
    text = (
        f"kumar's law of the loss that quantization after training ({METHOD}) adds, fitted to {post['points']} cells: R^2 "
        f"{post['r2']:.4f} of the logarithms, {post['r2_all']:.4f} of all in nats.\n\n"
        + table(["constant", "value and 90 % interval"], rows)
        + "\n\n**On every row, those of runs with few bits too**, which law of the loss difference predicts held-out cells? "
        "Errors are in standard errors of a cell, each at least 10 % of its difference.\n\n"
        + table(["law", "constants", "held-out error", "ties with the best"], laws)
        + f"\n\n{(answer.get('post') or {}).get('verdict', '')}"
    )
    return Statement("Quantization after training: the law, on all rows", text,
                     [study.command("fit", *options), study.command("compare", *compare)])  # fmt: skip


def local_slopes(study: Study) -> Statement:
    """Does the growth of delta with D saturate? Local exponents between neighbouring D."""
    need_cells(study, ("block 10 (trunks)", study.select(schedule="wsd"), 24))
    rows, commands, says = [], [], []
    for schedule, meaning in SCHEDULES.items():
        curved = [
            "--formula", "E + A/N^alpha + B/D^beta", "--delta-formula", BENT, "--constants", RANGES, "--method", METHOD,
            *study.where(*unquantized(schedule, "P_post=3,4,5,16")),
        ]  # fmt: skip
        try:
            bend = study.ask("fit", *curved)["parameters"]["c"]
            says.append(bend_sentence(meaning, bend))
            commands.append(study.command("fit", *curved))
        except Refused as refusal:
            says.append(f"under {meaning} the bend cannot be fitted ({refusal})")
        for bits in (2, 3, 4, 5, 6):
            line = [meaning, str(bits)]
            for low, high in STEPS:
                options = [
                    "--formula", "E", "--delta-formula", STRAIGHT, "--constants", "k=0..10,g=-1..2,h=-1..2", "--method", METHOD,
                    *study.where(*unquantized(schedule, f"P_post={bits},16", f"D={0.97 * low:.4g}..{1.03 * high:.4g}")),
                ]  # fmt: skip
                try:
                    line.append(interval(study.ask("fit", *options)["parameters"]["g"]))
                except Refused:
                    line.append("none")
            rows.append(line)
    commands.append(study.command("fit", *options))
    text = (
        "kumar says that the loss added grows as D^gamma_D, with one exponent. The test is a bend of it, of 3, 4 and 5 bits "
        f"together: delta = k (D/6 M)^(g + c log(D/6 M)) (N/200 k)^-h exp((4 - P)/q). {sentence(says)}\n\n"
        "The exponents between neighbouring token counts, all sizes together: g of delta = k (D/6 M)^g (N/200 k)^-h, fitted to "
        "the cells of the two token counts and the bits alone (the last command is that of the last entry). At 5 and 6 bits "
        "deltas are near the error of a cell.\n\n"
        + table(["schedule", "bits after training", *(f"{short(a)} to {short(b)}" for a, b in STEPS)], rows)
    )
    return Statement("Does the growth with D saturate?", text, commands)


def lack_of_deltas(study: Study) -> Statement:
    """The lack of fit of every law of deltas, against runs that differ in the seed alone."""
    need_cells(study, *blocks(study))
    options = ["--method", METHOD, "--hold-out", "kfold", *study.where(*filters())]
    constants = {law["name"]: law["k"] for law in (study.ask("compare", *options).get("post") or {}).get("laws", [])}
    settings: dict[str, dict] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in study.residuals(*options):
        if not row["P_post"] or not row["delta"] or row["law"] not in constants or not row["residual"]:
            continue
        measured, error = float(row["delta"]), float(row["standard_error"])
        if measured < LOGARITHMIC * error:
            continue
        residual = UNIT * float(row["residual"])  # log(predicted / measured)
        # Chosen by the prediction: chosen by the measurement, those with luck alone would be left.
        if measured * math.exp(residual) >= CLEAR_DELTA * error:
            key = tuple(row[name] for name in ("N", "D", "P_w", "P_a", "P_kv", "P_post"))
            settings[row["law"]][key][row["run"]].append(residual)
    rows: list[tuple[float, list[str]]] = []
    good: list[str] = []
    bad: list[str] = []
    unclear: list[str] = []
    for law, residuals in settings.items():
        residual, between, ratio, freedom, pure_freedom = lack_of_fit(residuals, constants[law])
        p = chance_of_f(ratio, freedom, pure_freedom)
        rows.append((ratio, [law, f"{100 * residual:.1f}", f"{100 * between:.1f}", f"{ratio:.3g}", f"{p:.1g}" if p else "below 1e-300", f"{freedom}, {pure_freedom}"]))
        (unclear if math.isnan(p) else good if p >= CLEAR else bad).append(law)
    rows.sort(key=lambda row: (math.isnan(row[0]), row[0]))
    says = [
        *([f"Nothing shows that {', '.join(good)} miss{'es' if len(good) == 1 else ''} more than the noise between seeds (p >= {CLEAR})."] if good else []),
        *([f"{', '.join(bad)} miss{'es' if len(bad) == 1 else ''} more than that (p < {CLEAR})."] if bad else []),
        *([f"Of {', '.join(unclear)} too few deltas are clear to tell."] if unclear else []),
    ]
    text = (
        f"{' '.join(says)} Residuals of the logarithm of deltas that the law puts at {CLEAR_DELTA} standard errors or more, a mean "
        "over calibrations for each run, against the spread between runs that differ in the seed alone. The bits of a run share its luck, so F "
        "is of rows that are not quite independent.\n\n"
        + table(["law", "residual, %", "between seeds, %", "F", "p", "degrees of freedom"], [row for _, row in rows])
    )
    return Statement("Lack of fit of the laws of deltas", text, [study.command("compare", *options, "--residuals", "residuals.csv")])


def bend_sentence(meaning: str, bend: dict) -> str:
    if not is_known(bend):
        return f"under {meaning} the rows do not tell c ({interval(bend)})"
    says = "it saturates" if bend["high"] < 0 else "it accelerates" if bend["low"] > 0 else "no bend is shown"
    return f"under {meaning} {says}, c = {interval(bend)}"


def sentence(parts: list[str]) -> str:
    joined = "; ".join(parts)
    return f"{joined[:1].upper()}{joined[1:]}." if parts else "No row has an interval at all token counts."


def losses_after(study: Study, schedule: str, bits: int) -> dict[tuple[float, float], list[float]]:
    """Losses after quantization of each run at (N, D), the mean of its calibrations."""
    each = defaultdict(list)
    for row in study.select_cells(
        method=METHOD, format_w="bf16", format_a="bf16", format_kv="bf16", extra_norm="true", schedule=schedule, P_post=bits
    ):
        each[(float(row["N"]), float(row["D"]), row["run"])].append(float(row["loss"]))
    out: dict[tuple[float, float], list[float]] = defaultdict(list)
    for (params, tokens, _), losses in each.items():
        out[(params, tokens)].append(mean(losses))
    return out


def loss_at(curve: list[tuple[float, list[float]]], tokens: float) -> str:
    """The loss at a token count; empty where all runs diverged."""
    return next((f"{mean(losses):.4f}" for at, losses in curve if math.isclose(at, tokens, rel_tol=0.03)), "")


def u_shapes(study: Study) -> Statement:
    """A critical data size: more training makes the quantized model worse."""
    need_cells(study, *blocks(study))
    options = ["--law", "kumar", "--method", METHOD, *study.where(*filters())]
    derived = study.ask("fit", *options)["derived"]
    rows, seen = [], []
    for bits in (2, 3, 4, 5, 6):
        after = losses_after(study, "cosine", bits)
        squares = sum((loss - mean(losses)) ** 2 for losses in after.values() for loss in losses)
        freedom = sum(len(losses) - 1 for losses in after.values())
        s = math.sqrt(squares / freedom) if freedom else math.nan
        for params in sorted({params for params, _ in after}):
            curve = sorted((tokens, losses) for (size, tokens), losses in after.items() if size == params)
            least = min(curve, key=lambda point: mean(point[1]))
            last = curve[-1]
            rise = mean(last[1]) - mean(least[1])
            error = s * math.sqrt(1 / len(last[1]) + 1 / len(least[1]))
            predicted = next((d for d in derived if d["name"] == f"D_crit at N = {params:.4g}, P_post = {bits}"), None)
            if predicted is None:
                predicted = next(
                    (d for d in derived if d["name"].startswith("D_crit") and d["name"].endswith(f"P_post = {bits}")
                     and math.isclose(float(d["name"].split("N = ")[1].split(",")[0]), params, rel_tol=0.01)), None,
                )  # fmt: skip
            is_u = least is not last and rise > NOISE * error
            if is_u:
                seen.append(f"N {short(params)} at {bits} bits (least at {short(least[0])}, {rise:+.3f} at {short(last[0])})")
            rows.append([
                short(params), str(bits), *(loss_at(curve, tokens) for tokens in TOKENS),
                f"{rise:+.4f} ({error:.4f})" if least is not last else "",
                interval(predicted) if predicted else "",
            ])  # fmt: skip
    text = (
        (
            f"Measured: more training raised the loss of the quantized model for {'; '.join(seen)}."
            if seen
            else "No quantized model got worse by more training, by more than two deviations between seeds, up to 54 M tokens."
        )
        + " Losses after quantization, means of seeds; the rise from the least to the largest D with its deviation; the law's "
        "critical D, which bitlaw gives for at most four sizes.\n\n"
        + table(
            ["N", "bits", *(f"D = {short(tokens)}" for tokens in TOKENS), "rise", "D_crit of kumar's law"],
            rows,
        )
    )
    return Statement("A critical data size, and a measured U", text, [study.command("fit", *options)])


def bracket(study: Study) -> Statement:
    """Rows for which kumar's product predicts no loss at all."""
    need_cells(study, *(block for block in blocks(study) if block[0].split()[1] in "345"))
    base = {"method": METHOD, "format_w": "bf16", "extra_norm": "true", "schedule": "cosine"}
    kinds = [("a", "sequence", "per sequence"), ("a", "token", "per token"), ("kv", "sequence", "")]
    rows: list[list[str]] = []
    wrong: list[str] = []
    for part, grain, meaning in kinds:
        other = "kv" if part == "a" else "a"
        for bits in (4, 5, 6):
            each = defaultdict(list)  # calibrations of a run share its luck: a mean of them for each run
            for row in study.select_cells(
                **base, P_post=bits, **{f"P_{part}": bits, f"granularity_{part}": grain, f"format_{other}": "bf16"}
            ):
                if row["measured_delta"] or row["delta"]:
                    each[row["run"]].append(float(row["measured_delta"] or row["delta"]))
            values = [mean(calibrations) for calibrations in each.values()]
            if len(values) < 3:
                continue
            error = math.sqrt(sum((v - mean(values)) ** 2 for v in values) / (len(values) - 1) / len(values))
            name = " ".join(filter(None, (f"{part.upper()}{bits}", meaning)))
            if mean(values) > NOISE * error:
                wrong.append(name)
            rows.append([f"{name}, weights then to {bits}", f"{mean(values):+.6f} ({error:.6f})", str(len(values))])
    if not rows:
        raise NotYet("quantized cells of runs with few bits of activations or KV")
    text = (
        "kumar's product says that a model trained with P bits in any part loses nothing when its weights are rounded to P bits. "
        + (
            f"Measured, they lose something, by more than two standard errors: {'; '.join(wrong)} "
            f"({0.023 * len(rows):.1f} of {len(rows)} would by chance)."
            if wrong
            else "No such loss is clear here."
        )
        + " Mean over sizes and token counts, nats, with the standard error of that mean over runs.\n\n"
        + table(["run and rounding", "loss added", "runs"], rows)
    )
    return Statement("Delta where the product predicts none", text, [f"bitlaw compare {study.shown} --method {METHOD}"])


def cell(row: dict[str, str]) -> tuple[float, ...]:
    """What tells the runs of blocks 8 and 12 apart; D to whole steps of any batch."""
    return tuple(float(row[name]) for name in ("N", "P_w", "P_a", "P_kv")) + (round(float(row["D"]) / 1e6),)


def predicted(study: Study, folder: Path) -> Statement:
    """Blocks 8 and 12: what was predicted before the runs, and what came."""
    before, came = folder / "predicted.csv", folder / "study-predicted.csv"
    if not before.exists():
        raise NotYet("blocks 8 and 12: the predictions (results/predicted.csv) come when blocks 1 to 7 are complete")
    if not came.exists():
        raise NotYet("blocks 8 and 12: predicted in results/predicted.csv; the runs come next")
    with open(came, newline="", encoding="utf-8") as file:
        measured = {
            cell(row): float(row["loss"]) for row in csv.DictReader(file) if row["method"] == "none" and row["status"] == "finished"
        }
    laws: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    planned: dict[str, int] = defaultdict(int)
    with open(before, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            planned[Path(row["fit"]).stem.removeprefix("fit-")] += 1
            loss = measured.get(cell(row))
            if loss is None or not row["run_low"] or not row["run_high"]:
                continue
            error = loss / float(row["predicted"]) - 1
            laws[Path(row["fit"]).stem.removeprefix("fit-")].append((error, float(row["run_low"]) <= loss <= float(row["run_high"])))
    if not laws:
        raise NotYet("blocks 8 and 12: no run of results/predicted.csv is in results/study-predicted.csv")
    rows = []
    for law, errors in laws.items():
        inside = sum(is_inside for _, is_inside in errors)
        size = math.sqrt(mean(error * error for error, _ in errors))
        rows.append([law, f"{100 * size:.3f}", f"{100 * mean(error for error, _ in errors):+.3f}", f"{inside} of {len(errors)}"])
    absent = max(planned[law] - len(errors) for law, errors in laws.items())
    text = (
        "Held out of every fit, and predicted with intervals for a single run before the runs existed."
        + (f" {absent} of {max(planned.values())} predicted runs are not here: they diverged, are not made yet, or have no interval." if absent else "")
        + " Runs share the errors of a fit, so the share inside may be well below or above 90 % by chance.\n\n"
    ) + table(
        ["law", "error, % (root mean square)", "mean error, %", "inside the 90 % interval of a run"], rows
    )
    return Statement("What was predicted, and what came", text, [])


STATEMENTS = (law_of_delta, lack_of_deltas, local_slopes, u_shapes, bracket)
