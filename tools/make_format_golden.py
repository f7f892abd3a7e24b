#!/usr/bin/env python3
"""Makes tests/golden/formats.csv, tests/golden/quantizers.json and tests/golden/weight_schemes.json.

An implementation of docs/formats.md that shares nothing with the C++ one: codes are listed from their
bit fields as exact fractions, the nearest one is found by comparing distances, ties go to the even
bit field, and every float operation of the scale rule is an exact fraction rounded once.

  tools/make_format_golden.py            writes the files
  tools/make_format_golden.py --check    compares the committed files with what it would write
"""
import argparse
import bisect
import functools
import json
import math
import pathlib
import random
import struct
import sys
from fractions import Fraction

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"

FORMATS = (["int%d" % b for b in (2, 3, 4, 5, 6, 7, 8, 9, 12, 16)] +
           ["e2m0", "e2m1", "e2m3", "e3m0", "e3m1", "e3m2", "e3m4", "e4m1", "e4m2", "e4m3", "e5m0", "e5m1", "e5m2",
            "e5m6", "e5m10", "e7m0", "bf16"])


def fields(name):  # "e4m3" -> (4, 3)
    x, y = name[1:].split("m")
    return int(x), int(y)


@functools.lru_cache(maxsize=None)
def codes_of(name):
    """Every finite code as (value, bit field is even), ascending; zero once."""
    if name.startswith("int"):
        bits = int(name[3:])
        return [(Fraction(i), i % 2 == 0) for i in range(-2**(bits - 1), 2**(bits - 1))]
    x, y = (8, 7) if name == "bf16" else fields(name)
    bias = 2**(x - 1) - 1
    largest = {"e4m3": Fraction(448)}.get(name)  # 480 would be its NaN
    ieee = name in ("e5m2", "e5m10", "bf16")     # the highest exponent is infinities and NaN
    positive = []
    for exponent in range(2**x - (1 if ieee else 0)):
        step = Fraction(2)**(max(exponent, 1) - bias - y)
        for mantissa in range(2**y):
            field = exponent * 2**y + mantissa
            value = (mantissa if exponent == 0 else 2**y + mantissa) * step
            if field > 0 and (largest is None or value <= largest):
                positive.append((value, field % 2 == 0))
    return [(-v, even) for v, even in reversed(positive)] + [(Fraction(0), True)] + positive


@functools.lru_cache(maxsize=None)
def values_of(name):
    return [value for value, _ in codes_of(name)]


def nearest(codes, values, x):
    """The code nearest to the fraction x: ties to the even bit field, saturating."""
    i = bisect.bisect_left(values, x)
    if i == 0:
        return values[0]
    if i == len(values):
        return values[-1]
    below, above = x - values[i - 1], values[i] - x
    if below == above:
        return values[i] if codes[i][1] else values[i - 1]
    return values[i - 1] if below < above else values[i]


def float_of_bits(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def bits_of_float(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def floor_log2(x):
    """Of a fraction above 0, which has the bits of its numerator less those of its denominator, or one less."""
    exponent = x.numerator.bit_length() - x.denominator.bit_length()
    above, below = x.numerator << max(-exponent, 0), x.denominator << max(exponent, 0)
    return exponent if below <= above else exponent - 1


def round_to_float(x):
    """The IEEE single nearest to a fraction, ties to even, as a Python float; x is in range."""
    if x == 0:
        return 0.0
    numerator, denominator = abs(x.numerator), x.denominator
    unit = max(floor_log2(abs(x)), -126) - 23  # the exponent of a step
    if unit < 0:
        numerator <<= -unit
    else:
        denominator <<= unit
    steps, rest = divmod(numerator, denominator)
    if rest * 2 > denominator or (rest * 2 == denominator and steps % 2 == 1):
        steps += 1
    value = math.ldexp(steps, unit)  # exact: at most 2^24 steps
    assert value < 2.0**128
    return -value if x < 0 else value


def neighbours(x):
    """The floats just below and above a float, in magnitude."""
    bits = bits_of_float(x)
    found = [x]
    if bits & 0x7fffffff:
        found.append(float_of_bits(bits - 1))
    if bits & 0x7fffffff < 0x7f7fffff:
        found.append(float_of_bits(bits + 1))
    return found


def hex_float(x):
    """Shortest C99 text of a float: 0x1.8p+1."""
    text = float(x).hex()
    head, tail = text.split("p")
    if "." in head:
        head = head.rstrip("0").rstrip(".")
    return head + "p" + tail


def signed(value, like):
    """A code as a float; zero has the sign of the number that was rounded."""
    if value == 0:
        return -0.0 if bits_of_float(like) >> 31 else 0.0
    return float(value)


def format_rows(name):
    rng = random.Random(name)
    codes = codes_of(name)
    values = values_of(name)
    pairs = list(range(len(codes) - 1))
    if len(pairs) > 40:  # both ends, the middle, and a draw
        zero = values.index(0)
        keep = set(pairs[:4] + pairs[-4:] + pairs[zero - 4:zero + 4])
        keep.update(rng.sample(pairs, 20))
        pairs = sorted(keep)
    inputs = [0.0, -0.0, float_of_bits(1), -float_of_bits(1), float_of_bits(0x7f7fffff), -float_of_bits(0x7f7fffff)]
    for i in pairs:
        inputs += [float(values[i]), float(values[i + 1])]
        inputs += neighbours(float((values[i] + values[i + 1]) / 2))
    reach = values[-1] if name != "bf16" else Fraction(2)**12
    for _ in range(20):  # up to twice the largest code
        fraction = Fraction(rng.getrandbits(30) - 2**29, 2**28)
        inputs.append(round_to_float(fraction * reach * Fraction(2)**-rng.randrange(12)))
    if name == "bf16":  # beyond the largest code bf16 does not saturate: it follows IEEE 754 to infinity
        inputs = [x for x in inputs if abs(x) <= values[-1]]
    unique = {bits_of_float(x): x for x in inputs}
    for x in sorted(unique.values(), key=lambda v: (v, -(bits_of_float(v) >> 31))):
        yield "%s,%s,%s" % (name, hex_float(x), hex_float(signed(nearest(codes, values, Fraction(x)), x)))


def formats_csv():
    lines = ["format,input,code"]
    for name in FORMATS:
        lines += format_rows(name)
    return "\n".join(lines) + "\n"


def quantize(name, blocks, x):
    """docs/formats.md, "Scale rule": blocks[i] is the block of entry i."""
    codes = codes_of(name)
    values = values_of(name)
    scales, out_codes, out_values = [], [], []
    for i, entry in enumerate(x):
        absmax = max(abs(Fraction(other)) for j, other in enumerate(x) if blocks[j] == blocks[i])
        scale = round_to_float(absmax / values[-1])
        if scale < 2.0**-126:
            scale, inverse = 0.0, 0.0
        else:
            inverse = round_to_float(1 / Fraction(scale))
        ratio = round_to_float(Fraction(entry) * Fraction(inverse))
        ratio = signed(Fraction(ratio), entry) if ratio == 0 else ratio
        code = signed(nearest(codes, values, Fraction(ratio)), ratio)
        value = signed(Fraction(round_to_float(Fraction(code) * Fraction(scale))), code)
        scales.append(hex_float(scale))
        out_codes.append(hex_float(code))
        out_values.append(hex_float(value))
    return scales, out_codes, out_values


def quantizers_json():
    rng = random.Random("quantizers")
    rows, columns = 3, 5
    cases = []
    for name in ("int2", "int3", "int4", "int8", "int12", "int16", "e2m0", "e2m1", "e3m2", "e4m3", "e5m2", "e5m6"):
        for axis, group in (("tensor", 0), ("row", 0), ("column", 0), ("group", 2)):
            for kind in ("usual", "tiny"):
                # The second rows and columns of "tiny" are near the smallest scale, 2^-126, the third below it.
                edge = codes_of(name)[-1][0].numerator.bit_length() - 126
                x = []
                for i in range(rows * columns):
                    power = -rng.randrange(3) if kind == "usual" else edge + (8, 0, -12)[max(i // columns, i % columns // 2)]
                    fraction = Fraction(rng.getrandbits(40) - 2**39, 2**38) * Fraction(2)**-rng.randrange(6)
                    x.append(round_to_float(fraction * Fraction(2)**power))
                if kind == "usual":
                    x[columns + 1], x[columns + 2] = 0.0, -0.0
                blocks = [{"tensor": 0, "row": i // columns, "column": i % columns,
                           "group": (i // columns, i % columns // 2)}[axis] for i in range(rows * columns)]
                scales, out_codes, out_values = quantize(name, blocks, x)
                cases.append({"format": name, "axis": axis, "group": group, "rows": rows, "columns": columns,
                              "x": [hex_float(v) for v in x], "scales": scales, "codes": out_codes, "values": out_values})
    body = ",\n".join(json.dumps(case, sort_keys=True) for case in cases)
    return '{"cases": [\n' + body + "\n]}\n"


TINY = Fraction(2)**-126
ZEROS = (0.0, 0.0, 0)  # scale, inverse and zero of a block that counts as zeros


def grid_of_scale(scale, smallest=TINY):
    return ZEROS if scale < smallest else (scale, round_to_float(1 / Fraction(scale)), 0)


def asymmetric_grid(bits, lo, hi):
    codes = 2**bits - 1
    scale = round_to_float((Fraction(hi) - Fraction(lo)) / codes)
    if scale < TINY:
        return ZEROS
    inverse = round_to_float(1 / Fraction(scale))
    zero = min(max(round(Fraction(round_to_float(-Fraction(lo) * Fraction(inverse)))), 0), codes)
    return scale, inverse, zero


def float_product(a, b):
    return round_to_float(Fraction(a) * Fraction(b))


def candidates(scheme, tensor, block):
    """The grid of the rule, or with clip all that the search looks at, larger scales first."""
    name, asymmetric, clip, rule = scheme["format"], scheme["asymmetric"], scheme["clip"], scheme["scales"]
    factors = [round_to_float(Fraction(percent, 100)) for percent in (range(100, 19, -1) if clip else [100])]
    if asymmetric:
        lo, hi = min([0.0] + block), max([0.0] + block)
        return [asymmetric_grid(int(name[3:]), float_product(lo, f), float_product(hi, f)) for f in factors]
    largest = codes_of(name)[-1][0]
    absmax = max(map(abs, block))
    if absmax == 0:
        return [ZEROS]
    if rule == "float32":
        return [grid_of_scale(round_to_float(Fraction(float_product(absmax, f)) / largest)) for f in factors]
    if rule == "e8m0":
        unit = floor_log2(largest) if name.startswith("int") else 0
        shared = max(floor_log2(Fraction(absmax)) - (0 if unit else floor_log2(largest)), -127)
        exponents = range(min(shared + 1, 127), max(shared - 2, -127) - 1, -1) if clip else [shared]
        return [grid_of_scale(float(Fraction(2)**(x - unit)), Fraction(2)**-127) for x in exponents]
    e4m3 = [(v, even) for v, even in codes_of("e4m3") if v >= 0]
    ratio = round_to_float(Fraction(round_to_float(Fraction(absmax) / largest)) / Fraction(tensor))
    block_scale = nearest(e4m3, [v for v, _ in e4m3], Fraction(ratio))
    at = [v for v, _ in e4m3].index(block_scale)
    scales = [block_scale]
    if clip:
        scales = [v for v, _ in reversed(e4m3[:at + 2]) if v >= block_scale / 5]
    return [grid_of_scale(float_product(float(s), tensor)) for s in scales]


def round_block(scheme, grid, block):
    """Codes and values, and the squared error."""
    scale, inverse, zero = grid
    codes, values, error = [], [], Fraction(0)
    table, table_values = codes_of(scheme["format"]), values_of(scheme["format"])
    for x in block:
        ratio = signed(Fraction(float_product(x, inverse)), x) if x == 0 or inverse == 0 else float_product(x, inverse)
        if scheme["asymmetric"]:
            code = float(min(max(round(Fraction(ratio)) + zero, 0), 2**int(scheme["format"][3:]) - 1))
            value = float_product(code - zero, scale)
        else:
            code = signed(nearest(table, table_values, Fraction(ratio)), ratio)
            value = signed(Fraction(float_product(code, scale)), code)
        codes.append(code)
        values.append(value)
        error += (Fraction(x) - Fraction(value))**2
    return codes, values, error


def best_grid(scheme, tensor, block):
    """The grid with the least error, of equal ones the first; None where two are too close to tell in floats."""
    grids = candidates(scheme, tensor, block)
    errors = [round_block(scheme, grid, block)[2] for grid in grids]
    least = min(errors)
    chosen = grids[errors.index(least)]
    for grid, error in zip(grids, errors):
        if grid != chosen and error < least * (1 + Fraction(1, 10**5)):
            return None
    return chosen


WEIGHT_SCHEMES = (
    [("int%d%s" % (b, e), "int%d" % b, 0, "float32") for b in (2, 3, 4, 8) for e in ("", "-asym", "-clip", "-asym-clip")] +
    [("e2m1-clip", "e2m1", 0, "float32"), ("e3m0-clip", "e3m0", 0, "float32"), ("int4-asym", "int4", 3, "float32"),
     ("int4-e8m0", "int4", 4, "e8m0"), ("e2m1-e4m3", "e2m1", 5, "e4m3"), ("e2m1-e8m0-clip", "e2m1", 4, "e8m0"),
     ("e2m1-e4m3-clip", "e2m1", 4, "e4m3")] +
    [(n, f, 32, "e8m0") for n, f in (("mxfp4", "e2m1"), ("mxfp6-e2m3", "e2m3"), ("mxfp6-e3m2", "e3m2"),
                                     ("mxfp8-e4m3", "e4m3"), ("mxfp8-e5m2", "e5m2"), ("mxint8", "int8"))] +
    [("nvfp4", "e2m1", 16, "e4m3")])


def weight_schemes_json():
    rng = random.Random("weight schemes")
    cases = []
    for name, element, group, rule in WEIGHT_SCHEMES:
        scheme = {"format": element, "asymmetric": "-asym" in name, "clip": name.endswith("-clip"), "scales": rule}
        columns = {0: 9, 3: 8, 4: 10, 5: 12, 16: 35, 32: 70}[group]
        rows = 3 if group < 16 else 1
        while True:
            x = []
            for i in range(rows * columns):  # heavy tails, one block of zeros, a different size in each row
                fraction = Fraction(rng.getrandbits(40) - 2**39, 2**39)
                x.append(round_to_float(fraction**3 * Fraction(2)**-rng.randrange(3) * Fraction(2)**(4 * (i // columns))))
            length = group or columns
            x[:length if group else 2] = [0.0] * (length if group else 2)
            tensor = 1.0
            if rule == "e4m3":
                absmax = max(map(abs, map(Fraction, x)))
                tensor = max(round_to_float(absmax / (448 * codes_of(element)[-1][0])), 2.0**-126)
            blocks = [(begin, min(begin + length, (begin // columns + 1) * columns))
                      for r in range(rows) for begin in range(r * columns, (r + 1) * columns, length)]
            grids = [best_grid(scheme, tensor, x[a:b]) for a, b in blocks]
            if None not in grids:
                break
        codes, values, scales, zeros = [], [], [], []
        for (a, b), grid in zip(blocks, grids):
            block_codes, block_values, _ = round_block(scheme, grid, x[a:b])
            codes += block_codes
            values += block_values
            scales += [grid[0]] * (b - a)
            zeros += [float(grid[2])] * (b - a)
        cases.append({"scheme": name, "group": group, "rows": rows, "columns": columns, "tensor_scale": hex_float(tensor),
                      **{key: [hex_float(v) for v in column] for key, column in
                         (("x", x), ("codes", codes), ("values", values), ("scales", scales), ("zeros", zeros))}})
    body = ",\n".join(json.dumps(case, sort_keys=True) for case in cases)
    return '{"cases": [\n' + body + "\n]}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    check = parser.parse_args().check
    stale = []
    for name, text in (("formats.csv", formats_csv()), ("quantizers.json", quantizers_json()),
                       ("weight_schemes.json", weight_schemes_json())):
        path = GOLDEN / name
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit("tests/golden: %s differ from what tools/make_format_golden.py makes" % " and ".join(stale))


if __name__ == "__main__":
    main()
