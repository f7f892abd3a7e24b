// A figure as files: one SVG without anything from outside, a PNG of it, and its data as CSV.
import type {Drawing} from '../drawing.ts';
import {csvOf, dataOf} from './csv.ts';
import {inLight, outline, type Look} from './looks.ts';
import {cellLegend, drawPanel, framesOf, type View} from './panel.ts';

const kNamespace = 'http://www.w3.org/2000/svg';
const kWide = 760,
  kGap = 20,
  kMargin = 20,
  kFont = 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

function svgElement(tag: string, attributes: Record<string, string | number>, text?: string): SVGElement {
  const out = document.createElementNS(kNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, String(value));
  if (text !== undefined) out.textContent = text;
  return out;
}

/** Lines of at most so many letters. */
export function wrapped(text: string, most: number): string[] {
  const out: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = out[out.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= most) out[out.length - 1] = `${last} ${word}`;
    else out.push(word);
  }
  return out;
}

/** What a legend's entry shows: line, point or both. */
export function glyph(drawing: Drawing, name: string, {colour, shape}: Look): SVGElement {
  const all = drawing.panels.flatMap(panel => (panel.series ?? []).filter(series => series.name === name));
  const out = svgElement('g', {});
  if (all.some(series => (series.curve?.length ?? 0) > 1)) {
    out.append(
      svgElement('line', {
        x1: 0,
        x2: 22,
        y1: 7,
        y2: 7,
        stroke: colour,
        'stroke-width': 1.8,
        ...(all.some(series => series.dashed) ? {'stroke-dasharray': '5 4'} : {}),
      }),
    );
  }
  const flagged =
    all.every(series => (series.points ?? []).every(point => point.flagged !== undefined)) &&
    all.some(series => series.points?.length);
  const hollow = flagged || all.every(series => series.dashed && !series.points?.length);
  out.append(
    svgElement('path', {
      d: outline(shape, 3.8),
      transform: 'translate(11,7)',
      stroke: colour,
      'stroke-width': 1.2,
      fill: hollow ? 'var(--figure-paper)' : colour,
    }),
  );
  return out;
}

/** What the marks mean that a legend of series does not say. */
export function keyOf(drawing: Drawing): string {
  const series = drawing.panels.flatMap(panel => panel.series ?? []);
  const points = series.flatMap(each => each.points ?? []),
    places = series.filter(each => !each.range).flatMap(each => each.curve ?? []);
  return [
    points.some(point => point.low !== undefined) ? 'bars: intervals' : '',
    points.some(point => point.flagged !== undefined) ? 'hollow: does not count' : '',
    places.some(place => place.mean) ? 'dark band: interval of the mean' : '',
    places.some(place => place.run) ? 'light band: of one run' : '',
    series.some(each => each.range) ? 'band: range of the series' : '',
    series.some(each => each.dashed) ? 'dashed: published' : '',
  ]
    .filter(part => part !== '')
    .join('; ');
}

/** Places with two decimals: a figure is a third smaller, and looks the same. */
export function shortened(svg: string): string {
  return svg.replace(
    / (?:d|transform|x|y|x1|x2|y1|y2|cx|cy|width|height)="[^"]*"/g,
    attribute => attribute.replace(/-?\d+\.\d{3,}(?!\d*e)/g, number => String(Number(Number(number).toFixed(2)))),
  );
}

/** The whole figure as one drawing, legible on white. */
export function svgOf(drawing: Drawing, looks: ReadonlyMap<string, Look>, view: View): string {
  const columns = drawing.panels.length === 1 ? 1 : drawing.panels.length === 2 || drawing.panels.length === 4 ? 2 : 3;
  const width = (kWide - kGap * (columns - 1)) / columns;
  const height = columns === 1 ? (drawing.equal ? 560 : 420) : Math.round(width * (drawing.equal ? 1 : 0.85)) + 10;
  const root = svgElement('svg', {xmlns: kNamespace, 'font-family': kFont, 'font-size': 12, fill: 'currentColor'});
  const words = (lines: string[], y: number, attributes: Record<string, string | number>): number => {
    lines.forEach((line, i) => root.append(svgElement('text', {x: kMargin, y: y + 17 * i, ...attributes}, line)));
    return y + 17 * lines.length;
  };
  let y = words(wrapped(drawing.title, 85), kMargin + 14, {'font-size': 16, 'font-weight': 600}) + 8;
  let x = kMargin;
  for (const [name, look] of looks) {
    if (view.hidden.has(name)) continue;
    const wide = 40 + 6.6 * name.length;
    if (x > kMargin && x + wide > kMargin + kWide) {
      x = kMargin;
      y += 19;
    }
    const mark = glyph(drawing, name, look);
    mark.setAttribute('transform', `translate(${x},${y - 11})`);
    root.append(mark, svgElement('text', {x: x + 28, y}, name));
    x += wide;
  }
  if (looks.size > 0) y += 19;
  const key = keyOf(drawing);
  if (key) y = words(wrapped(key, 120), y, {'font-size': 11, fill: 'var(--figure-quiet)'});
  const nested = (drawn: SVGSVGElement, left: number, above: number): void => {
    for (const style of drawn.querySelectorAll('style')) style.remove();
    for (const [name, value] of Object.entries({x: left, y: above, overflow: 'visible'}))
      drawn.setAttribute(name, String(value));
    drawn.removeAttribute('class');
    drawn.removeAttribute('style');
    root.append(drawn);
  };
  const legend = cellLegend(drawing, 300);
  if (legend) {
    nested(legend, kMargin, y - 8);
    y += 48;
  }
  const shared = framesOf(drawing, drawing.panels, view);
  drawing.panels.forEach((panel, i) => {
    const frames = view.own ? framesOf(drawing, [panel], view) : shared;
    const left = kMargin + (i % columns) * (width + kGap),
      above = y + Math.floor(i / columns) * (height + 8);
    if (frames) nested(drawPanel(drawing, panel, looks, view, frames, {width, height}).svg, left, above);
  });
  y += Math.ceil(drawing.panels.length / columns) * (height + 8) + 14;
  y = words(wrapped(drawing.says, 118), y, {fill: 'var(--figure-quiet)'});
  const [w, h] = [kWide + 2 * kMargin, y + kMargin / 2];
  for (const [name, value] of Object.entries({width: w, height: h, viewBox: `0 0 ${w} ${h}`}))
    root.setAttribute(name, String(value));
  root.prepend(
    svgElement('title', {}, drawing.title),
    svgElement('desc', {}, drawing.says),
    svgElement('rect', {width: w, height: h, fill: '#ffffff'}),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${shortened(inLight(new XMLSerializer().serializeToString(root)))}\n`;
}

/** The SVG as pixels, twice as many as it has units. */
export async function pngOf(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'}));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    const pen = canvas.getContext('2d');
    if (!pen) throw new Error('this browser draws no pixels');
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, fail) =>
      canvas.toBlob(blob => (blob ? done(blob) : fail(new Error('the picture is too large'))), 'image/png'),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}

export const csvFile = (drawing: Drawing): string => csvOf(dataOf(drawing));

/** Hands a file to the reader. */
export function save(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
