// A drawing from JSON that somebody else wrote: what has the wrong type is left out, never drawn wrong.
import type {Axis, Drawing, Line, Panel, Place, Point, Series} from '../drawing.ts';

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Only what is there: null, as JSON has it for what does not apply, is left out. */
function given<T extends object>(entries: {[K in keyof T]: T[K] | undefined}): T {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as T;
}

const number = (value: unknown): number | undefined => (isNumber(value) ? value : undefined);
const words = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function pair(value: unknown): [number, number] | undefined {
  return Array.isArray(value) && isNumber(value[0]) && isNumber(value[1]) ? [value[0], value[1]] : undefined;
}

function about(value: unknown): Record<string, string | number> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string | number] => isNumber(entry[1]) || typeof entry[1] === 'string',
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function axis(value: unknown): Axis {
  const {label, log, ticks} = isObject(value) ? value : ({} as Fields);
  return given<Axis>({
    label: text(label),
    log: log === true ? true : undefined,
    ticks: Array.isArray(ticks) ? ticks.filter(isNumber) : undefined,
  });
}

const isPlace = (value: Fields): boolean => isNumber(value['x']) && isNumber(value['y']);

function pointOf(value: Fields): Point {
  const {x, y, low, high, run, flagged} = value;
  return given<Point>({
    x: x as number,
    y: y as number,
    low: number(low),
    high: number(high),
    run: words(run),
    about: about(value['about']),
    flagged: flagged === true ? 'it is marked so' : words(flagged),
  });
}

function placeOf({x, y, mean, run}: Fields): Place {
  return given<Place>({x: x as number, y: y as number, mean: pair(mean), run: pair(run)});
}

function lineOf({x, y, diagonal, label}: Fields): Line {
  return given<Line>({x: number(x), y: number(y), diagonal: diagonal === true ? true : undefined, label: words(label)});
}

function seriesOf(value: Fields): Series {
  return given<Series>({
    name: text(value['name']),
    bits: number(value['bits']),
    dashed: value['dashed'] === true ? true : undefined,
    range: value['range'] === true ? true : undefined,
    points: Array.isArray(value['points']) ? list(value['points']).filter(isPlace).map(pointOf) : undefined,
    curve: Array.isArray(value['curve']) ? list(value['curve']).filter(isPlace).map(placeOf) : undefined,
  });
}

function panelOf(value: Fields): Panel {
  const cells = list(value['cells']).filter(cell => isPlace(cell) && isNumber(cell['value']));
  return given<Panel>({
    title: words(value['title']),
    series: list(value['series']).map(seriesOf),
    lines: list(value['lines']).map(lineOf),
    cells:
      cells.length > 0
        ? cells.map(cell =>
            given<NonNullable<Panel['cells']>[number]>({
              x: cell['x'] as number,
              y: cell['y'] as number,
              value: cell['value'] as number,
              about: about(cell['about']),
            }),
          )
        : undefined,
  });
}

const hasSomething = (panel: Panel): boolean =>
  (panel.cells?.length ?? 0) > 0 ||
  (panel.series ?? []).some(series => (series.points?.length ?? 0) + (series.curve?.length ?? 0) > 0);

/** The drawing, or undefined for what is none. */
export function drawingFrom(value: unknown): Drawing | undefined {
  if (!isObject(value) || typeof value['title'] !== 'string') return undefined;
  return given<Drawing>({
    id: text(value['id']) || 'figure',
    group: text(value['group']) || 'Figures',
    title: value['title'],
    says: text(value['says']),
    x: axis(value['x']),
    y: axis(value['y']),
    value: isObject(value['value']) ? axis(value['value']) : undefined,
    equal: value['equal'] === true ? true : undefined,
    whole: value['whole'] === true ? true : undefined,
    panels: list(value['panels']).map(panelOf).filter(hasSomething),
  });
}
