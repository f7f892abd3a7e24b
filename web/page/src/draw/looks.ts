// How series look: a colour and a shape each, the same in all panels. Colours are CSS variables, so that light, dark
// and print differ in one style sheet; a downloaded figure has the colours of light written out.
import type {Drawing, Series} from '../drawing.ts';

export interface Look {
  colour: string;
  shape: number; // of kShapes
}

type Colours = readonly [light: string, dark: string];

// Okabe and Ito's colours, which colour-blind people can tell apart; lighter blues on dark paper.
const kByOrder: readonly Colours[] = [
  ['#0072b2', '#56b4e9'],
  ['#d55e00', '#ee7f35'],
  ['#009e73', '#2fc49c'],
  ['#b5588f', '#e39cc6'],
  ['#c98600', '#f2b632'],
  ['#3a9bd6', '#9db2ff'],
];

// Bits from few to many: from warm and bright to cool and dark, ordered in lightness as well, so that the order
// is seen without colour, too. 16 bits are the reference: ink.
const kRamp: readonly Colours[] = [
  ['#e98300', '#ffd166'],
  ['#d9512c', '#ff9a5c'],
  ['#bb2e6a', '#f2719f'],
  ['#80309a', '#b06be6'],
  ['#3b2f9e', '#6f78f5'],
  ['#152a63', '#4f74cc'],
];
const kSteps = 16; // colours along the ramp
const kFewestBits = 1.5,
  kMostBits = 12;

const kInk: Colours = ['#1c2430', '#e8ecf1'];

const kFixed: Record<string, Colours> = {
  ink: kInk,
  quiet: ['#5a6472', '#a9b3bf'],
  grid: ['#e3e7ec', '#2c333c'],
  line: ['#98a2ae', '#6b7683'],
  paper: ['#ffffff', '#15191e'],
};

function between(from: string, to: string, share: number): string {
  const part = (text: string, at: number): number => parseInt(text.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map(at => Math.round(part(from, at) * (1 - share) + part(to, at) * share));
  return '#' + mixed.map(each => each.toString(16).padStart(2, '0')).join('');
}

function ofRamp(share: number): Colours {
  const place = Math.min(1, Math.max(0, share)) * (kRamp.length - 1);
  const below = Math.min(kRamp.length - 2, Math.floor(place));
  const [a, b] = [kRamp[below]!, kRamp[below + 1]!];
  return [between(a[0], b[0], place - below), between(a[1], b[1], place - below)];
}

function palette(): Map<string, Colours> {
  const out = new Map<string, Colours>();
  for (const [name, colours] of Object.entries(kFixed)) out.set(`--figure-${name}`, colours);
  kByOrder.forEach((colours, i) => out.set(`--figure-series-${i}`, colours));
  for (let i = 0; i < kSteps; ++i) out.set(`--figure-bits-${i}`, ofRamp(i / (kSteps - 1)));
  return out;
}

const kPalette = palette();

/** The variables, for light and print, and for dark. */
export function paletteStyle(): string {
  const list = (which: 0 | 1): string => [...kPalette].map(([name, colours]) => `${name}:${colours[which]}`).join(';');
  return `:root{${list(0)}}@media screen and (prefers-color-scheme:dark){:root{${list(1)}}}`;
}

/** Text of an SVG with the colours of light in the place of variables. */
export function inLight(svg: string): string {
  return svg
    .replace(/var\((--[a-z0-9-]+)\)/g, (_, name: string) => kPalette.get(name)?.[0] ?? kInk[0])
    .replaceAll('currentColor', kInk[0]);
}

export function bitsColour(bits: number): string {
  if (bits >= 14) return 'var(--figure-ink)';
  const share = Math.log(Math.max(bits, kFewestBits) / kFewestBits) / Math.log(kMostBits / kFewestBits);
  return `var(--figure-bits-${Math.round(Math.min(1, share) * (kSteps - 1))})`;
}

/** Series by name, as the legend lists them: by bits where all have bits, otherwise as they come. */
export function looksOf(drawing: Drawing): Map<string, Look> {
  const named = new Map<string, Series>();
  for (const panel of drawing.panels) {
    for (const series of panel.series ?? []) if (!named.has(series.name)) named.set(series.name, series);
  }
  const all = [...named.values()];
  if (all.every(series => series.bits !== undefined)) all.sort((a, b) => a.bits! - b.bits!);
  let next = 0;
  return new Map(
    all.map((series, i) => {
      const colour =
        series.bits === undefined ? `var(--figure-series-${next++ % kByOrder.length})` : bitsColour(series.bits);
      return [series.name, {colour, shape: i % kShapes.length}];
    }),
  );
}

/** What d3's paths and ours have in common. */
interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
  arc(x: number, y: number, r: number, from: number, to: number): void;
}

export interface Shape {
  draw(pen: Pen, size: number): void;
}

function polygon(corners: readonly (readonly [number, number])[]): Shape {
  return {
    draw(pen, size) {
      const r = Math.sqrt(size / Math.PI);
      corners.forEach(([x, y], i) => (i === 0 ? pen.moveTo(x * r, y * r) : pen.lineTo(x * r, y * r)));
      pen.closePath();
    },
  };
}

function star(tips: number, inner: number, outer: number): Shape {
  return polygon(
    Array.from({length: 2 * tips}, (_, i) => {
      const angle = (Math.PI * i) / tips - Math.PI / 2,
        r = i % 2 === 0 ? outer : inner;
      return [r * Math.cos(angle), r * Math.sin(angle)] as const;
    }),
  );
}

// Of about equal area.
export const kShapes: readonly Shape[] = [
  {
    draw(pen, size) {
      const r = Math.sqrt(size / Math.PI);
      pen.moveTo(r, 0);
      pen.arc(0, 0, r, 0, 2 * Math.PI);
    },
  },
  polygon([
    [-0.89, -0.89],
    [0.89, -0.89],
    [0.89, 0.89],
    [-0.89, 0.89],
  ]),
  polygon([
    [0, -1.4],
    [1.25, 0.8],
    [-1.25, 0.8],
  ]),
  polygon([
    [0, -1.35],
    [1.1, 0],
    [0, 1.35],
    [-1.1, 0],
  ]),
  polygon([
    [0, 1.4],
    [1.25, -0.8],
    [-1.25, -0.8],
  ]),
  star(5, 0.65, 1.55),
  polygon([
    [-0.45, -1.3],
    [0.45, -1.3],
    [0.45, -0.45],
    [1.3, -0.45],
    [1.3, 0.45],
    [0.45, 0.45],
    [0.45, 1.3],
    [-0.45, 1.3],
    [-0.45, 0.45],
    [-1.3, 0.45],
    [-1.3, -0.45],
    [-0.45, -0.45],
  ]),
  star(3, 0.5, 1.6),
];

/** The outline of a shape about (0, 0), for a path element. */
export function outline(shape: number, radius: number): string {
  let out = '';
  const pen: Pen = {
    moveTo: (x, y) => void (out += `M${x.toFixed(2)},${y.toFixed(2)}`),
    lineTo: (x, y) => void (out += `L${x.toFixed(2)},${y.toFixed(2)}`),
    closePath: () => void (out += 'Z'),
    arc: (_x, _y, r) =>
      void (out += `A${r.toFixed(2)},${r.toFixed(2)} 0 1 1 ${(-r).toFixed(2)},0A${r.toFixed(2)},${r.toFixed(2)} 0 1 1 ${r.toFixed(2)},0Z`),
  };
  kShapes[shape % kShapes.length]!.draw(pen, Math.PI * radius * radius);
  return out;
}
