#!/usr/bin/env python3
"""Makes tests/golden/laws.csv: every scaling law at its default constants on a few runs.

    tools/make_law_golden.py            write the file
    tools/make_law_golden.py --check    compare the file with what this script makes

Needs only Python 3. It shares no code with the C++ it checks: each law is written here once more,
straight from its formula, with powers instead of exponentials of logarithms, and the constants are
typed in again from the papers. An empty column means that the quantity is not known for that run.
`value` is what the law predicts of training (nats per token, or a share of tokens), `delta` is what
post-training quantization adds.
"""

import math
import pathlib
import sys

FILE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden" / "laws.csv"

COLUMNS = ["params", "tokens", "unique_tokens", "bits_weights", "bits_activations", "bits_kv", "bits_post", "group",
           "exponent_bits", "mantissa_bits", "gaussian_error_weights", "precision", "backward"]


def run(params, tokens, weights=16.0, activations=16.0, kv=16.0, **more):
    """A row of a study. Infinite bits impose no limit."""
    row = dict.fromkeys(COLUMNS)
    row.update(params=float(params), tokens=float(tokens), bits_weights=float(weights),
               bits_activations=float(activations), bits_kv=float(kv))
    row.update(more)
    return row


def bits_of(row):
    return row["bits_weights"], row["bits_activations"], row["bits_kv"]


def precision(row):
    """W4A4 and the like; None in BF16."""
    if row["precision"]:
        return None if row["precision"] == "BF16" else row["precision"]
    w, a, kv = bits_of(row)
    if min(w, a, kv) >= 16:
        return None
    shown = lambda bits: f"{min(bits, 16):g}"
    return f"W{shown(w)}A{shown(a)}" + (f"KV{shown(kv)}" if kv < 16 else "")


# -- Laws ------------------------------------------------------------------------------------------


def chinchilla_of(E, A, B, alpha, beta):
    return lambda row: E + A / row["params"] ** alpha + B / row["tokens"] ** beta


def kaplan(row):  # arXiv 2001.08361, eq. 1.5
    return ((6.4e13 / row["params"]) ** (0.076 / 0.103) + 1.8e13 / row["tokens"]) ** 0.103


hoffmann = chinchilla_of(1.69337, 406.4, 410.7, 0.33917, 0.28491)

KUMAR = dict(E=2.7648, A=4299.0, B=18060.0, alpha=0.4965, beta=0.4965)
GAMMA = (2.6745, 2.2102, 0.9578)
OFFSET = (0.3037, 1.4072, 2.4185)


def kumar_share(row, offsets=OFFSET):
    return math.prod(1 - math.exp(-P / gamma + n) for P, gamma, n in zip(bits_of(row), GAMMA, offsets))


def kumar_loss(row, share_of_params, share_of_tokens):
    return chinchilla_of(**KUMAR)(dict(params=row["params"] * share_of_params, tokens=row["tokens"] * share_of_tokens))


def kumar(row):
    return kumar_loss(row, kumar_share(row), 1)


def kumar_delta(row, offsets=OFFSET, b=1.1277, bracketed=3):
    post = row["bits_post"]
    bits = bits_of(row)[:bracketed]
    if post is None or post >= min(bits):
        return 0.0
    bracket = math.prod(1 - math.exp(-1000 * (P - post)) for P in bits)
    return (0.0598 * math.exp(-post / 0.5907 + b) * row["tokens"] ** 0.5068
            / (row["params"] * kumar_share(row, offsets)) ** 0.3439 * bracket)


def kumar_parts(row):
    """Keys and values have P_kv each, and each the constants of both."""
    w, a, kv = bits_of(row)
    share = math.prod(1 - math.exp(-P / gamma + n)
                      for P, gamma, n in zip((w, a, kv, kv), GAMMA + GAMMA[2:], OFFSET + OFFSET[2:]))
    return kumar_loss(row, share, 1)


def kumar_w_bracket_delta(row):
    return kumar_delta(row, bracketed=1)


def kumar_no_offsets(row):
    return kumar_loss(row, kumar_share(row, (0, 0, 0)), 1)


def kumar_no_offsets_delta(row):
    return kumar_delta(row, (0, 0, 0), 0)


def kumar_additive(row):
    return chinchilla_of(**KUMAR)(row) + sum(10 / P ** 3 for P in bits_of(row) if P < math.inf)


def kumar_deff(row):
    return kumar_loss(row, 1, kumar_share(row))


def kumar_both(row):
    return kumar_loss(row, kumar_share(row), kumar_share(row))


def kumar_multiplicative(row):
    return kumar_loss(row, math.prod(min(P, 16) / 16 for P in bits_of(row)), 1)


QUEST_EFF = {"W1A1": 0.0205047, "W2A2": 0.151871, "W3A3": 0.433126, "W4A4": 0.691832, "W8A8": 1.016193,
             "FP4": 0.629639, "W1A16": 0.13842, "W2A16": 0.413717, "W3A16": 0.653059, "W4A16": 0.840434, None: 1.0}


def quest(row):
    eff = QUEST_EFF[precision(row)]
    return 8.134 / (row["params"] * eff) ** 0.062726522 + 86.412 / row["tokens"] ** 0.241288351 + 0.00142


# arXiv 2509.23500, table 10, as quoted in public notes on it: AdamW.
def quest_optimizer(row):
    rho = {"W4A4": 0.863, None: 1.0}[precision(row)]
    return 8.134 / (row["params"] * rho) ** 0.062726522 + 86.412 / row["tokens"] ** 0.241288351 + 0.00142


def quartet(row):
    eff_N = {"MXFP4": 0.64516309, None: 1.0}[precision(row)]
    eff_D = {"MXFP4": 0.89346852, None: 1.0}[row["backward"]]
    inner = (math.exp(11.75543771) / (row["params"] * eff_N) ** 0.57852012
             + math.exp(13.0515853) / (row["tokens"] * eff_D) ** 0.5388769)
    return inner ** 0.27641569 + math.exp(0.2933008)


def gaussian_error(bits):
    """Least mean squared error of 2^bits levels (i + 1/2) d on a unit Gaussian."""
    above = lambda x: math.erfc(x / math.sqrt(2)) / 2
    density = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    levels = 2 ** (bits - 1)

    def error(d):
        edges = [i * d for i in range(levels)]
        mass = [above(x) for x in edges] + [0.0]
        moment = [density(x) for x in edges] + [0.0]
        return 1 + 2 * sum(((i + 0.5) * d) ** 2 * (mass[i] - mass[i + 1]) - 2 * (i + 0.5) * d * (moment[i] - moment[i + 1])
                           for i in range(levels))

    low, high = 1 / levels, 8 / levels
    for _ in range(200):
        third = (high - low) / 3
        if error(low + third) < error(high - third):
            high -= third
        else:
            low += third
    return error((low + high) / 2)


def panferov(row):
    errors = [row["gaussian_error_weights"], None, None]
    share = 1.0
    for P, error in zip(bits_of(row), errors):
        if error is None and P >= 16:
            continue
        g = gaussian_error(int(P)) if error is None else error
        share *= math.tanh(0.41 * math.log(g, 0.25)) ** 1.39
    return 20.0 / (row["params"] * share) ** 0.13 + 400.0 / row["tokens"] ** 0.33 + 1.3


def frantar_eff(row):
    eff = {"W4A16": 0.923, "W4A4": 0.747, "W1A1": 0.067, None: 1.0}[precision(row)]
    return hoffmann(dict(params=row["params"] * eff, tokens=row["tokens"]))


def chen_qat(row):
    loss = chinchilla_of(1.9279, 237.7042, 596.2490, 0.3022, 0.3022)(row)
    if precision(row) is None:
        return loss
    k, gN, gD, gG = {"W4A4": (0.1582, 0.2186, 0.0745, 0.7779), "W4A16": (0.2522, 0.3589, 0.1610, 0.3533),
                     "W16A4": (0.1004, 0.1816, 0.0331, 0.9812)}[precision(row)]
    of_group = 1 if row["group"] is None else math.log2(row["group"]) ** gG
    return loss + k * row["tokens"] ** gD * of_group / row["params"] ** gN


def sun_fp(row):
    N, D = row["params"] ** 0.2368, row["tokens"] ** 0.5162
    X, M = row["exponent_bits"], row["mantissa_bits"]
    if X is None:
        X, M = (8, 7) if row["bits_weights"] >= 16 else (0, row["bits_weights"] - 1)
    of_block = 1 if row["group"] is None else math.log2(row["group"])
    return (69.2343 / N + 68973.0621 / D + 1.9061
            + D / N * of_block / (11334.5197 * (X + 0.5) ** 3.1926 * (M + 0.5) ** 2.9543))


def ouyang_delta(row):
    post = row["bits_post"]
    if post is None or post >= row["bits_weights"]:
        return 0.0
    return 0.017 * row["tokens"] ** 0.5251 / (row["params"] ** 0.2261 * post ** 5.4967)


def apple_qat_fraction(row):
    S = row["tokens"] / (row["params"] * row["bits_weights"] / 8)
    return math.exp(math.log(S) - 6.7297 / math.log(S)) / S


def gadre(row):
    C, M = 6 * row["params"] * row["tokens"], row["tokens"] / row["params"]
    return 1.5083 + (141.28 * M ** 0.1212 + 189.52 * M ** -0.1212) * C ** -0.1212


def muennighoff(row):
    A, B, alpha, beta = 521.0, 1488.0, 0.35266, 0.35266
    N, D, U = row["params"], row["tokens"], row["unique_tokens"] or row["tokens"]
    # The size for which U tokens are compute-optimal, as Hoffmann et al. write it.
    G = (alpha * A / (beta * B)) ** (1 / (alpha + beta))
    C = 6 * (U * G) ** ((alpha + beta) / alpha)
    optimal = G * (C / 6) ** (beta / (alpha + beta))
    base = min(N, optimal)
    R_N, R_D = N / base - 1, D / U - 1
    N_eff = base + base * 5.3097 * (1 - math.exp(-R_N / 5.3097))
    D_eff = U + U * 15.3878 * (1 - math.exp(-R_D / 15.3878))
    return 1.87 + A / N_eff ** alpha + B / D_eff ** beta


def additive_exp(row):
    error = row["tokens"] ** 0.2 / row["params"] ** 0.2 * sum(math.exp(-P) for P in bits_of(row))
    return hoffmann(row) + error


def additive_class(row):
    # k of a class is the middle of where a fit starts: sqrt(1e-3 * 10).
    return hoffmann(row) + (0.1 * row["tokens"] ** 0.2 / row["params"] ** 0.2 if precision(row) else 0.0)


def gap_class(row):
    return 0.1 * row["tokens"] ** 0.2 / row["params"] ** 0.2 if precision(row) else 0.0


def gap_exp(row):
    return (row["tokens"] / row["params"]) ** 0.2 * sum(math.exp(-P) for P in bits_of(row) if P < 16)


def gap_bits(row):
    return (row["tokens"] / row["params"]) ** 0.2 / min(*bits_of(row), 1e5) ** 3


# -- Runs ------------------------------------------------------------------------------------------

SIZES = [run(3e7, 1.5e9), run(2.2e8, 2.6e10), run(7e10, 1.4e12)]
PARTS = [run(3e7, 3e9, 4), run(3e7, 3e9, 16, 5), run(3e7, 3e9, 16, 16, 3), run(1.1e8, 1.3e10, 6, 7, 5),
         run(1.1e8, 1.3e10, 2, 8, 8), run(5e8, 1e11, math.inf, math.inf, math.inf)]
POST = [run(3e7, 1.5e9, math.inf, math.inf, math.inf, bits_post=3.0), run(2.2e8, 2.6e10, bits_post=5.0),
        run(2.2e8, 2.6e10, 6, 6, 6, bits_post=4.0), run(2.2e8, 2.6e10, 4, 4, 4, bits_post=4.0)]
BOTH = [run(3e7, 3e9, P, P) for P in (1, 2, 3, 4, 8)] + [run(2.2e8, 2.2e10, P) for P in (1, 2, 3, 4)]

none = lambda row: 0.0
TABLE = [
    ("chinchilla", hoffmann, none, SIZES),
    ("kumar", kumar, kumar_delta, SIZES + PARTS + POST),
    ("kumar-no-offsets", kumar_no_offsets, kumar_no_offsets_delta, SIZES + PARTS + POST),
    ("kumar-w-bracket", kumar, kumar_w_bracket_delta, SIZES + PARTS + POST),
    ("kumar-parts", kumar_parts, none, SIZES + PARTS),
    ("kumar-additive", kumar_additive, none, SIZES + PARTS),
    ("kumar-deff", kumar_deff, none, SIZES + PARTS),
    ("kumar-both-tied", kumar_both, none, SIZES + PARTS),
    ("kumar-both-untied", kumar_both, none, SIZES + PARTS),
    ("kumar-multiplicative", kumar_multiplicative, none, SIZES + PARTS),
    ("quest-optimizer", quest_optimizer, none, SIZES + [run(5e7, 5e9, 4, 4), run(2e8, 4e9, 4, 4, precision="W4A4"),
                                                        run(5e7, 5e9, precision="BF16")]),
    ("quest", quest, none, SIZES + BOTH + [run(5e7, 5e9, 4, 4, precision="FP4"), run(5e7, 5e9, precision="BF16")]),
    ("quartet", quartet, none, SIZES + [
        run(3e7, 3e9, 4, 4, precision="MXFP4"), run(3e7, 3e9, backward="MXFP4"),
        run(2e8, 1e11, 4, 4, precision="MXFP4", backward="MXFP4")]),
    ("panferov", panferov, none, SIZES + [
        run(3e7, 3e9, 4), run(3e7, 3e9, 2, 3), run(2.2e8, 2.2e10, 1, 16, 5),
        run(2.2e8, 2.2e10, 4, gaussian_error_weights=0.0135)]),
    ("frantar-eff", frantar_eff, none, SIZES + [run(3e7, 3e9, 4), run(3e7, 3e9, 4, 4), run(3e8, 3e10, 1, 1)]),
    ("chen-qat", chen_qat, none, SIZES + [
        run(7.4e7, 1e10, 4, 4, group=32.0), run(5.95e8, 1e11, 4, 4, group=256.0), run(5.95e8, 1e11, 4, 16, group=128.0),
        run(2.97e8, 5e10, 16, 4, group=64.0), run(2.97e8, 5e10, 4, 4)]),
    ("sun-fp", sun_fp, none, SIZES + [
        run(1e9, 1e11, 4, 4, exponent_bits=2.0, mantissa_bits=1.0, group=128.0),
        run(4.1e7, 1e10, 8, 8, exponent_bits=4.0, mantissa_bits=3.0, group=32.0),
        run(6.8e8, 1e11, 4, 4, group=64.0), run(6.8e8, 1e11, 16, 16, group=64.0)]),
    ("ouyang-qid", hoffmann, ouyang_delta, SIZES + [
        run(1.6e8, 2e11, bits_post=2.0), run(1.2e10, 2e11, bits_post=4.0), run(1.6e8, 2e11, 3, bits_post=4.0)]),
    ("apple-qat-fraction", apple_qat_fraction, none, [
        run(8.6e7, 2.3e9, 1), run(3.96e8, 3e10, 4), run(2.2e9, 1e12, 6), run(2.2e9, 1e12)]),
    ("gadre", gadre, none, SIZES + [run(1.1e7, 2.2e8), run(6.9e9, 1.38e11)]),
    ("muennighoff", muennighoff, none, SIZES + [
        run(2.8e9, 5.5e10, unique_tokens=5.5e10), run(2.8e9, 5.5e10, unique_tokens=1.4e10),
        run(8.67e9, 1.78e11, unique_tokens=2.5e10), run(1.46e8, 2e10, unique_tokens=1e8)]),
    ("kaplan", kaplan, none, SIZES + [run(1e6, 1e12), run(1e12, 1e7)]),
    ("additive-exp", additive_exp, none, SIZES + PARTS),
    ("additive-class", additive_class, none, SIZES + BOTH),
    ("gap-class", gap_class, none, SIZES + BOTH),
    ("gap-exp", gap_exp, none, SIZES + PARTS),
    ("gap-bits", gap_bits, none, SIZES + PARTS),
]


def shown(value):
    return "" if value is None else value if isinstance(value, str) else repr(value)


def text():
    lines = [",".join(["law"] + COLUMNS + ["value", "delta"])]
    for name, loss, delta, rows in TABLE:
        for row in rows:
            lines.append(",".join([name] + [shown(row[column]) for column in COLUMNS] + [repr(loss(row)), repr(delta(row))]))
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] == ["--check"]:
        numbers = lambda content: [[float(cell) if cell[:1].isdigit() else cell for cell in line.split(",")]
                                   for line in content.splitlines()]
        close = lambda a, b: a == b or (isinstance(a, float) and isinstance(b, float) and abs(a - b) <= 1e-13 * abs(b))
        there, made = numbers(FILE.read_text()), numbers(text())
        same = len(there) == len(made) and all(
            len(a) == len(b) and all(map(close, a, b)) for a, b in zip(there, made))
        sys.exit(None if same else f"{FILE} is not what this script makes")
    if sys.argv[1:]:
        sys.exit("usage: tools/make_law_golden.py [--check]")
    FILE.write_text(text())


if __name__ == "__main__":
    main()
