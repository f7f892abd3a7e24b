// Lines of equal value over a grid: marching squares. Between two neighbours the place is interpolated in
// the scale of the axis.

export interface Grid {
  x: number[];
  y: number[];
  value: (number | null)[];  // x varies fastest; null: nothing there
  logX?: boolean;
}

type Place = [x: number, y: number];

export function contour({x, y, value, logX}: Grid, level: number): Place[][] {
  const at = (i: number, j: number): number | null => value[j * x.length + i] ?? null;
  const between = (i0: number, j0: number, i1: number, j1: number): Place => {
    const a = at(i0, j0)!, b = at(i1, j1)!;
    const share = a === b ? 0.5 : (level - a) / (b - a);
    const along = logX ? x[i0]! * (x[i1]! / x[i0]!) ** share : x[i0]! + (x[i1]! - x[i0]!) * share;
    return [along, y[j0]! + (y[j1]! - y[j0]!) * share];
  };
  const pieces: [Place, Place][] = [];
  for (let j = 0; j + 1 < y.length; ++j) {
    for (let i = 0; i + 1 < x.length; ++i) {
      const corners: [number, number][] = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      if (corners.some(([a, b]) => at(a, b) === null)) continue;
      const crossings = corners.flatMap(([a, b], k) => {
        const [c, d] = corners[(k + 1) % 4]!;
        return at(a, b)! < level !== at(c, d)! < level ? [a + b <= c + d ? between(a, b, c, d) : between(c, d, a, b)] : [];
      });
      for (let k = 0; k + 1 < crossings.length; k += 2) pieces.push([crossings[k]!, crossings[k + 1]!]);
    }
  }
  return joined(pieces);
}

/** Pieces that share an end become one line. */
function joined(pieces: [Place, Place][]): Place[][] {
  const keyOf = ([x, y]: Place): string => `${x.toPrecision(12)} ${y.toPrecision(12)}`;
  const ends = new Map<string, Set<[Place, Place]>>();
  const note = (place: Place, piece: [Place, Place]): void => {
    const key = keyOf(place);
    ends.set(key, (ends.get(key) ?? new Set()).add(piece));
  };
  for (const piece of pieces) for (const place of piece) note(place, piece);
  const left = new Set(pieces);
  const next = (place: Place): Place | undefined => {
    for (const piece of ends.get(keyOf(place)) ?? []) {
      if (!left.delete(piece)) continue;
      return keyOf(piece[0]) === keyOf(place) ? piece[1] : piece[0];
    }
    return undefined;
  };
  const out: Place[][] = [];
  for (const piece of pieces) {
    if (!left.delete(piece)) continue;
    const line: Place[] = [...piece];
    for (let end = next(line.at(-1)!); end; end = next(line.at(-1)!)) line.push(end);
    for (let end = next(line[0]!); end; end = next(line[0]!)) line.unshift(end);
    out.push(line);
  }
  return out;
}
