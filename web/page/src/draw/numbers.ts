// Numbers of a figure: which part of an axis is shown, where it has ticks, how a value is written.

export type Range = readonly [low: number, high: number];

/** 12345678 as "12.3 M": four digits at most. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) {
    const [digits = '', exponent = '0'] = value.toExponential(2).split('e');
    return `${Number(digits)}e${Number(exponent)}`;
  }
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (size >= 0.99995 * unit) return `${Number((value / unit).toPrecision(4))} ${name}`;
  return String(Number(value.toPrecision(4)));
}

/** A value as hover says it: five digits, since losses differ in the fourth. */
export function exact(value: number): string {
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e4 ? String(Number(value.toPrecision(5))) : short(value);
}

const forward = (log: boolean) => (log ? Math.log : (value: number) => value);
const back = (log: boolean) => (log ? Math.exp : (value: number) => value);
const fits = (log: boolean) => (value: number) => Number.isFinite(value) && (!log || value > 0);

export function rangeOf(values: readonly number[]): Range | undefined {
  let low = Infinity,
    high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : undefined;
}

export interface Frame {
  range: Range;
  cut: boolean; // something lies outside
}

// Curves and ends of bars may reach this far beyond the points, in widths of the points' range: a law at 2 bits would
// otherwise press everything that was measured into one line.
const kBeyond = 0.5;
const kBeyondQuarter = 2;
const kMargin = 0.05;

/** The part of an axis to show: all of `points`, and of `curves` what does not dwarf them; with `whole`, everything. */
export function frameOf(
  points: readonly number[],
  curves: readonly number[],
  log: boolean,
  whole: boolean,
): Frame | undefined {
  const to = forward(log),
    from = back(log),
    good = fits(log);
  const must = rangeOf(points.filter(good).map(to));
  const may = curves
    .filter(good)
    .map(to)
    .sort((a, b) => a - b);
  if (!must && may.length === 0) return undefined;
  const all = rangeOf([...(must ?? []), ...(may.length > 0 ? [may[0]!, may[may.length - 1]!] : [])])!;
  let [low, high] = all;
  if (!whole && may.length > 0) {
    let limits: Range = all;
    if (must) {
      // Of few points, or points that hardly differ, the curves' own middle half says more.
      const width = Math.max(must[1] - must[0], 0.5 * (quarter(may, 3) - quarter(may, 1)), 1e-12);
      limits = [must[0] - kBeyond * width, must[1] + kBeyond * width];
    } else {
      const width = quarter(may, 3) - quarter(may, 1);
      if (width > 0) limits = [quarter(may, 1) - kBeyondQuarter * width, quarter(may, 3) + kBeyondQuarter * width];
    }
    [low, high] = [Math.max(low, limits[0]), Math.min(high, limits[1])];
  }
  const cut = low > all[0] || high < all[1];
  const extra = kMargin * (high - low) || (log ? 0.2 : Math.abs(high) * 0.05 || 1);
  return {range: [from(low - extra), from(high + extra)], cut};
}

/** The frame with these reference lines, where they are not far away: they say something of the data, not the reverse. */
export function withLines(frame: Frame, lines: readonly number[], log: boolean): Frame {
  const to = forward(log),
    from = back(log);
  const [low, high] = [to(frame.range[0]), to(frame.range[1])];
  const width = high - low;
  const near = lines
    .filter(fits(log))
    .map(to)
    .filter(line => line > low - width && line < high + width);
  const [least, most] = [
    Math.min(low, ...near.map(line => line - kMargin * width)),
    Math.max(high, ...near.map(line => line + kMargin * width)),
  ];
  return {range: [from(least), from(most)], cut: frame.cut};
}

function quarter(sorted: readonly number[], which: 1 | 3): number {
  return sorted[Math.round(((sorted.length - 1) * which) / 4)]!;
}

/** About `most` round numbers inside the range; of bits, whole ones in steps of powers of two. */
export function ticksOf([low, high]: Range, log: boolean, most: number, bits = false): number[] {
  if (!(low < high)) return [low];
  const inside = (value: number): boolean => value >= low && value <= high;
  if (log) {
    const decades = Math.log10(high / low);
    for (const parts of [[1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
      const out = powers(low, high, 1)
        .flatMap(ten => parts.map(part => Number((part * ten).toPrecision(3))))
        .filter(inside);
      if (out.length <= most && out.length >= 2) return out;
    }
    if (decades > 1) {
      for (let step = 2; ; ++step) {
        const out = powers(low, high, step).filter(inside);
        if (out.length <= most) return out;
      }
    }
  }
  const raw = (high - low) / Math.max(2, most),
    ten = 10 ** Math.floor(Math.log10(raw));
  const round = bits && raw > 0.3 ? 2 ** Math.round(Math.log2(Math.max(1, raw))) : undefined;
  const step = round ?? [1, 2, 2.5, 5, 10].map(part => part * ten).find(each => each >= raw * 0.999) ?? raw;
  const out: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i)
    out.push(Number((i * step).toPrecision(12)));
  return out;
}

function powers(low: number, high: number, step: number): number[] {
  const out: number[] = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e)
    if (e % step === 0) out.push(Number(`1e${e}`));
  return out;
}

/** Bounds of cells about their middles: half way to the neighbours, in the scale of the axis. */
export function bounds(middles: readonly number[], log: boolean): Map<number, Range> {
  const to = forward(log),
    from = back(log);
  const sorted = [...new Set(middles)].filter(fits(log)).sort((a, b) => a - b);
  const half = (i: number): number =>
    sorted.length < 2
      ? log
        ? Math.log(2) / 2
        : 0.5
      : (to(sorted[Math.min(i + 1, sorted.length - 1)]!) - to(sorted[Math.min(i, sorted.length - 2)]!)) / 2;
  return new Map(
    sorted.map(
      (value, i) => [value, [from(to(value) - half(i - 1 < 0 ? 0 : i - 1)), from(to(value) + half(i))]] as const,
    ),
  );
}

/** The different values where they are not evenly spaced: cells of 3, 4, 8 and 16 bits are equally wide, in this order. */
export function steps(values: readonly number[], log: boolean): number[] | undefined {
  const to = forward(log);
  const sorted = [...new Set(values)].filter(fits(log)).sort((a, b) => a - b);
  const gaps = rangeOf(sorted.slice(1).map((value, i) => to(value) - to(sorted[i]!)));
  return gaps && gaps[1] > 1.3 * gaps[0] ? sorted : undefined;
}

export const allPositive = (values: readonly number[]): boolean =>
  values.length > 0 && values.every(value => value > 0);
