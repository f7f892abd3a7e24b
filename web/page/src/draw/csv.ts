// A figure's data as rows: for the table on the page and for the CSV file.
import type {Drawing} from '../drawing.ts';

export type Cell = string | number | undefined;

export interface Rows {
  columns: string[];
  rows: Cell[][];
}

/** Every value of a figure, a row each; columns that are empty everywhere are left out. */
export function dataOf(drawing: Drawing): Rows {
  const fixed = [
    'panel',
    'series',
    'what',
    'x',
    'y',
    'low',
    'high',
    'mean low',
    'mean high',
    'run low',
    'run high',
    'value',
    'run',
    'does not count',
    'label',
  ];
  const rows: Record<string, Cell>[] = [];
  const about = new Map<string, string>(); // key: its column, which must not be one of ours
  const named = (entries: Record<string, string | number> | undefined): Record<string, Cell> =>
    Object.fromEntries(
      Object.entries(entries ?? {}).map(([key, value]) => {
        if (!about.has(key)) about.set(key, fixed.includes(key) ? `${key} (about)` : key);
        return [about.get(key)!, value];
      }),
    );
  for (const panel of drawing.panels) {
    const start = {panel: panel.title};
    for (const {name, points = [], curve = []} of panel.series ?? []) {
      for (const {x, y, low, high, run, flagged, about: more} of points)
        rows.push({
          ...start,
          series: name,
          what: 'point',
          x,
          y,
          low,
          high,
          run,
          'does not count': flagged,
          ...named(more),
        });
      for (const {x, y, mean, run} of curve) {
        rows.push({
          ...start,
          series: name,
          what: 'curve',
          x,
          y,
          'mean low': mean?.[0],
          'mean high': mean?.[1],
          'run low': run?.[0],
          'run high': run?.[1],
        });
      }
    }
    for (const {x, y, value, about: more} of panel.cells ?? [])
      rows.push({...start, what: 'cell', x, y, value, ...named(more)});
    for (const {x, y, diagonal, label} of panel.lines ?? [])
      rows.push({...start, what: diagonal ? 'diagonal' : 'line', x, y, label});
  }
  const used = [...fixed, ...about.values()].filter(column => rows.some(row => row[column] !== undefined));
  const heading = (column: string): string =>
    column === 'x'
      ? drawing.x.label
      : column === 'y'
        ? drawing.y.label
        : column === 'value'
          ? (drawing.value?.label ?? column)
          : column;
  return {columns: used.map(heading), rows: rows.map(row => used.map(column => row[column]))};
}

/** As RFC 4180 has it. A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csvOf({columns, rows}: Rows): string {
  const cell = (value: Cell): string => {
    if (value === undefined || value === null) return '';
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
    const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [columns, ...rows].map(row => row.map(cell).join(',') + '\r\n').join('');
}
