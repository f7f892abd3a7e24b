// One panel of a figure, drawn by Observable Plot.
import * as Plot from '@observablehq/plot';
import type {Axis, Drawing, Panel, Place, Point, Series} from '../drawing.ts';
import {kShapes, type Look} from './looks.ts';
import {bounds, exact, frameOf, rangeOf, short, steps, ticksOf, withLines, type Frame, type Range} from './numbers.ts';

/** What the reader chose. */
export interface View {
  hidden: ReadonlySet<string>; // series
  logX: boolean;
  logY: boolean;
  whole: boolean; // the frame holds all curves
  own: boolean; // each panel has its own axes
}

/** Something that hover and keys can reach, in pixels of the panel. */
export interface Target {
  x: number;
  y: number;
  kind: 'point' | 'place' | 'cell';
  series: string;
  run?: string;
  says: () => string[];
}

export interface Drawn {
  svg: SVGSVGElement;
  targets: Target[];
}

export interface Frames {
  x: Frame;
  y: Frame;
}

const seen = (panel: Panel, view: View): Series[] =>
  (panel.series ?? []).filter(series => !view.hidden.has(series.name));

/** All values of an axis: whether it can be logarithmic. */
export function valuesOf(drawing: Drawing, axis: 'x' | 'y'): number[] {
  return drawing.panels.flatMap(panel => [
    ...(panel.series ?? []).flatMap(series =>
      [...(series.points ?? []), ...(series.curve ?? [])].map(each => each[axis]),
    ),
    ...(panel.cells ?? []).map(cell => cell[axis]),
    ...(panel.lines ?? []).flatMap(line => line[axis] ?? []),
  ]);
}

/** How a drawing is seen at first: logarithmic where it asks for that, or the reader did, and some value is positive. */
export function startOf(drawing: Drawing, chosen: {logX?: boolean; logY?: boolean} = {}): View {
  const may = (axis: 'x' | 'y'): boolean => valuesOf(drawing, axis).some(value => value > 0);
  return {
    hidden: new Set(),
    logX: (chosen.logX ?? drawing.x.log ?? false) && may('x'),
    logY: (chosen.logY ?? drawing.y.log ?? false) && may('y'),
    whole: drawing.whole ?? false,
    own: false,
  };
}

/** Of an axis where only cells stand, unevenly spaced: its values in order. Their places are then 0, 1, 2, ... */
export function stepsOf(drawing: Drawing, axis: 'x' | 'y', log: boolean): number[] | undefined {
  if (drawing.panels.some(panel => panel.series?.length || panel.lines?.length)) return undefined;
  return steps(
    drawing.panels.flatMap(panel => panel.cells ?? []).map(cell => cell[axis]),
    log,
  );
}

/** Of each axis, whether it is logarithmic, and where a cell's value stands on it. */
function placesOf(
  drawing: Drawing,
  view: View,
): Record<'x' | 'y', {log: boolean; steps: number[] | undefined; at: (value: number) => number}> {
  const of = (axis: 'x' | 'y', log: boolean) => {
    const steps = stepsOf(drawing, axis, log);
    return {log: log && !steps, steps, at: (value: number) => (steps ? steps.indexOf(value) : value)};
  };
  return {x: of('x', view.logX), y: of('y', view.logY)};
}

/** The frame of these panels together; nothing where nothing can be shown. */
export function framesOf(drawing: Drawing, panels: readonly Panel[], view: View): Frames | undefined {
  const xs: number[] = [],
    ys: number[] = [],
    curveX: number[] = [],
    curveY: number[] = [],
    bandY: number[] = [],
    lineY: number[] = [];
  for (const panel of panels) {
    for (const {points = [], curve = []} of seen(panel, view)) {
      for (const {x, y, low, high} of points) {
        if ((view.logX && !(x > 0)) || (view.logY && !(y > 0))) continue;
        xs.push(x);
        ys.push(y);
        if (low !== undefined) curveY.push(low);
        if (high !== undefined) curveY.push(high);
      }
      for (const {x, y, mean, run} of curve) {
        curveX.push(x);
        curveY.push(y);
        bandY.push(...(mean ?? []), ...(run ?? []));
      }
    }
    for (const {x, y} of panel.lines ?? []) {
      if (x !== undefined) xs.push(x);
      if (y !== undefined) lineY.push(y);
    }
    const cells = panel.cells ?? [];
    for (const [key, list, log] of [
      ['x', xs, view.logX],
      ['y', ys, view.logY],
    ] as const)
      for (const range of bounds(
        cells.map(cell => cell[key]),
        log,
      ).values())
        list.push(...range);
  }
  // Curves go on where the points end; only their height is limited.
  const x = frameOf([...xs, ...curveX], [], view.logX, true);
  // A band may be wider than all that was measured, where a law only just holds.
  const all = frameOf(ys, ys.length > 0 && !view.whole ? curveY : [...curveY, ...bandY], view.logY, view.whole);
  if (!x || !all) return undefined;
  const y = withLines(all, lineY, view.logY);
  if (!drawing.equal) return panels.some(panel => panel.cells?.length) ? tight(drawing, panels, view, {x, y}) : {x, y};
  const both: Range = [Math.min(x.range[0], y.range[0]), Math.max(x.range[1], y.range[1])];
  return {x: {range: both, cut: x.cut}, y: {range: both, cut: y.cut}};
}

/** Cells fill their frame. */
function tight(drawing: Drawing, panels: readonly Panel[], view: View, frames: Frames): Frames {
  const places = placesOf(drawing, view);
  const range = (key: 'x' | 'y'): Frame => {
    const cells = panels.flatMap(panel => panel.cells ?? []);
    const edges = rangeOf(
      [
        ...bounds(
          cells.map(cell => places[key].at(cell[key])),
          places[key].log,
        ).values(),
      ].flat(),
    );
    return edges ? {range: edges, cut: false} : frames[key];
  };
  // Points may lie beside the cells.
  const held = (key: 'x' | 'y'): Frame => {
    const frame = range(key);
    const values = panels.flatMap(panel =>
      seen(panel, view).flatMap(({points = []}) => points.map(point => point[key])),
    );
    const [low, high] = rangeOf(values.filter(value => !places[key].log || value > 0)) ?? frame.range;
    const wider = low < frame.range[0] || high > frame.range[1];
    return wider ? frames[key] : frame;
  };
  return {x: held('x'), y: held('y')};
}

export interface Size {
  width: number;
  height: number;
}

/** The colours of cells: one scale for all panels. */
export function cellScale(drawing: Drawing): {range: Range; log: boolean; colour: Plot.ScaleOptions} | undefined {
  const range = rangeOf(drawing.panels.flatMap(panel => panel.cells ?? []).map(cell => cell.value));
  if (!range) return undefined;
  const log = drawing.value?.log === true && range[0] > 0;
  const bothSigns = range[0] < 0 && range[1] > 0;
  return {
    range,
    log,
    colour: bothSigns
      ? {type: 'diverging', scheme: 'PuOr', domain: [...range], pivot: 0, reverse: true}
      : {type: log ? 'log' : 'linear', scheme: 'viridis', domain: [...range], reverse: true},
  };
}

const kLeft = 50,
  kRight = 16,
  kBottom = 40,
  kTick = 11;

export function drawPanel(
  drawing: Drawing,
  panel: Panel,
  looks: ReadonlyMap<string, Look>,
  view: View,
  frames: Frames,
  {width, height}: Size,
): Drawn {
  const top = panel.title ? 42 : 24;
  const series = seen(panel, view);
  const [xRange, yRange] = [frames.x.range, frames.y.range];
  const places = placesOf(drawing, view);
  const ticks = (key: 'x' | 'y', axis: Axis, range: Range, most: number): number[] => {
    const {log, steps: list} = places[key];
    if (list) return list.map((_, i) => i).filter(i => i % Math.ceil(list.length / (2 * most)) === 0);
    const wanted = (axis.ticks ?? []).filter(tick => tick >= range[0] && tick <= range[1]);
    return wanted.length > 1 && wanted.length <= 2 * most
      ? wanted
      : ticksOf(range, log, most, /\bbits\b/.test(axis.label));
  };
  const xTicks = ticks('x', drawing.x, xRange, Math.max(3, Math.floor((width - kLeft) / 58)));
  const yTicks = ticks('y', drawing.y, yRange, Math.max(3, Math.floor((height - top - kBottom) / 30)));
  const cells = scale(drawing, panel, view);
  const marks: Plot.Markish[] = [];
  if (!cells)
    marks.push(
      Plot.gridX(xTicks, {stroke: 'var(--figure-grid)', strokeOpacity: 1}),
      Plot.gridY(yTicks, {stroke: 'var(--figure-grid)', strokeOpacity: 1}),
    );
  marks.push(
    Plot.axisX(xTicks, {
      label: null,
      text: (tick: number) => short(places.x.steps?.[tick] ?? tick),
      tickSize: 4,
      stroke: 'var(--figure-line)',
      fill: 'var(--figure-quiet)',
      fontSize: kTick,
    }),
    Plot.axisY(yTicks, {
      label: null,
      text: (tick: number) => short(places.y.steps?.[tick] ?? tick),
      tickSize: 4,
      stroke: 'var(--figure-line)',
      fill: 'var(--figure-quiet)',
      fontSize: kTick,
    }),
    // The names of the axes: below in the middle, and above at the left, where they need no turned head.
    Plot.text([drawing.x.label], {frameAnchor: 'bottom', dy: 34, fontSize: 12, fill: 'var(--figure-quiet)'}),
    Plot.text([drawing.y.label], {
      frameAnchor: 'top-left',
      dx: 8 - kLeft,
      dy: -12,
      lineAnchor: 'bottom',
      fontSize: 12,
      fill: 'var(--figure-quiet)',
    }),
  );
  if (panel.title) {
    marks.push(
      Plot.text([panel.title], {
        frameAnchor: 'top-left',
        dx: 8 - kLeft,
        dy: -28,
        lineAnchor: 'bottom',
        fontSize: 13,
        fontWeight: 600,
        fill: 'var(--figure-ink)',
      }),
    );
  }
  marks.push(
    ...(cells?.marks(width) ?? []),
    ...contourMarks(panel, yRange, places.y.log),
    ...lineMarks(panel, xRange, yRange),
    ...seriesMarks(series, looks, view, yRange, cells !== undefined),
  );
  if (!cells)
    marks.push(
      Plot.frame({stroke: 'var(--figure-line)', anchor: 'bottom'}),
      Plot.frame({stroke: 'var(--figure-line)', anchor: 'left'}),
    );
  const svg = Plot.plot({
    width,
    height,
    marginLeft: kLeft,
    marginRight: kRight,
    marginTop: top,
    marginBottom: kBottom,
    style: {
      background: 'transparent',
      color: 'var(--figure-ink)',
      fontFamily: 'system-ui, sans-serif',
      fontSize: `${kTick}px`,
      overflow: 'visible',
    },
    x: {type: places.x.log ? 'log' : 'linear', domain: [...xRange]},
    y: {type: places.y.log ? 'log' : 'linear', domain: [...yRange]},
    ...(cells ? {color: cells.colour} : {}),
    marks,
  }) as SVGSVGElement & Plot.Plot;
  for (const part of svg.querySelectorAll('[aria-label],[aria-description]')) {
    part.removeAttribute('aria-label');
    part.removeAttribute('aria-description');
  }
  const at = {x: svg.scale('x')!.apply, y: svg.scale('y')!.apply};
  const targets = targetsOf(drawing, panel, series, (x, y) => ({
    x: Number(at.x(places.x.at(x))),
    y: Number(at.y(places.y.at(y))),
  })).filter(
    target =>
      target.x >= kLeft - 1 &&
      target.x <= width - kRight + 1 &&
      target.y >= top - 1 &&
      target.y <= height - kBottom + 1,
  );
  return {svg, targets};
}

// ---- series -----------------------------------------------------------------------------------------------------

const kManyPoints = 250;

/** `onCells`: larger, and with a rim of paper, so that they are seen on any colour. */
function seriesMarks(
  series: readonly Series[],
  looks: ReadonlyMap<string, Look>,
  view: View,
  yRange: Range,
  onCells: boolean,
): Plot.Markish[] {
  const good = ({x, y}: {x: number; y: number}): boolean => (!view.logX || x > 0) && (!view.logY || y > 0);
  // What is far outside of the frame (a law at 2 bits; a bar that goes below zero on a logarithmic axis) ends far
  // outside: SVG knows no numbers such as 1e200.
  const held = (value: number): number => Math.min(limits[1], Math.max(limits[0], value));
  const limits = farAround(yRange, view.logY);
  const bands: Plot.Markish[] = [],
    curves: Plot.Markish[] = [],
    bars: Plot.Markish[] = [],
    points: Plot.Markish[] = [];
  const many = series.reduce((sum, each) => sum + (each.points?.length ?? 0), 0) > kManyPoints;
  const radius = onCells ? 5.5 : many ? 2.3 : 3.4;
  const banded = series.filter(each => each.curve?.some(place => place.mean ?? place.run)).length; // many bands stay light
  for (const {name, points: all = [], curve = [], dashed, range} of series) {
    const {colour, shape} = looks.get(name)!;
    const places = curve
      .filter(good)
      .map(place => ({...place, y: held(place.y)}))
      .sort((a, b) => a.x - b.x);
    for (const [key, opacity] of [
      ['run', 0.13],
      ['mean', 0.26],
    ] as const) {
      const band = places.filter(place => place[key]);
      if (band.length > 1) {
        bands.push(
          Plot.areaY(band, {
            x: 'x',
            y1: place => held(place[key]![0]),
            y2: place => held(place[key]![1]),
            fill: colour,
            fillOpacity: opacity / banded ** 0.75,
            clip: true,
          }),
        );
      }
    }
    if (places.length > 1 && !range) {
      if (onCells) curves.push(Plot.lineY(places, {x: 'x', y: 'y', stroke: '#ffffff', strokeWidth: 4.5, clip: true}));
      curves.push(
        Plot.lineY(places, {
          x: 'x',
          y: 'y',
          stroke: colour,
          strokeWidth: 1.7,
          clip: true,
          ...(dashed ? {strokeDasharray: '5 4', strokeOpacity: 0.8} : {}),
        }),
      );
    }
    // A curve without points wears its series' shape at its end.
    if (all.length === 0 && places.length > 0 && !range)
      points.push(
        Plot.dot(places.slice(-1), {
          x: 'x',
          y: 'y',
          symbol: kShapes[shape]!,
          r: 3.2,
          className: 'figure-end',
          stroke: colour,
          fill: dashed ? 'var(--figure-paper)' : colour,
          clip: true,
        }),
      );
    const shown = all.filter(good);
    const barred = shown.filter(point => point.low !== undefined && point.high !== undefined);
    if (barred.length > 0) {
      bars.push(
        Plot.ruleX(barred, {
          x: 'x',
          y1: (point: Point) => held(point.low!),
          y2: (point: Point) => held(point.high!),
          stroke: colour,
          strokeWidth: 1.2,
          strokeOpacity: many ? 0.4 : 0.75,
          clip: true,
        }),
      );
    }
    const mark = (list: Point[], options: Plot.DotOptions): void => {
      if (list.length > 0)
        points.push(
          Plot.dot(list, {
            x: 'x',
            y: 'y',
            symbol: kShapes[shape]!,
            r: radius,
            className: 'figure-point',
            stroke: colour,
            ...options,
          }),
        );
    };
    mark(
      shown.filter(point => point.flagged === undefined),
      onCells
        ? {fill: colour, stroke: '#ffffff', strokeWidth: 1.6}
        : {fill: colour, fillOpacity: many ? 0.55 : 0.9, strokeWidth: many ? 0 : 0.6},
    );
    mark(
      shown.filter(point => point.flagged !== undefined),
      {fill: 'var(--figure-paper)', strokeWidth: 1.3},
    );
  }
  return [...bands, ...curves, ...bars, ...points];
}

// Thin lines on white ones, legible on every colour of a cell; the name stands where a line is highest in the frame.
function contourMarks(panel: Panel, [y0, y1]: Range, logY: boolean): Plot.Markish[] {
  const share = (y: number): number => (logY ? Math.log(y / y0) / Math.log(y1 / y0) : (y - y0) / (y1 - y0));
  return (panel.contours ?? []).flatMap(({label, lines}): Plot.Markish[] => {
    const places = lines.flat().filter(([, y]) => share(y) > 0.08 && share(y) < 0.86);
    const middle = places.reduce<[number, number] | undefined>((a, b) => (a && a[1] >= b[1] ? a : b), undefined);
    return [
      ...lines.flatMap(line => [
        Plot.line(line, {stroke: '#ffffff', strokeOpacity: 0.55, strokeWidth: 2.4, clip: true}),
        Plot.line(line, {stroke: '#14181d', strokeWidth: 0.9, clip: true}),
      ]),
      ...(middle
        ? [Plot.text([middle], {text: [label], fontSize: 11, fill: '#14181d', stroke: '#ffffff', strokeWidth: 3})]
        : []),
    ];
  });
}

function farAround([low, high]: Range, log: boolean): Range {
  const wide = log ? Math.min(high / low, 1e8) ** 12 : 300 * (high - low);
  return log ? [low / wide, high * wide] : [low - wide, high + wide];
}

function lineMarks(panel: Panel, [x0, x1]: Range, [y0, y1]: Range): Plot.Markish[] {
  const stroke = {stroke: 'var(--figure-line)', strokeWidth: 1.2, strokeDasharray: '2 3'};
  const words = {fontSize: 11, fill: 'var(--figure-quiet)', stroke: 'var(--figure-paper)', strokeWidth: 3};
  let upright = 0;
  return (panel.lines ?? []).flatMap((line): Plot.Markish[] => {
    const out: Plot.Markish[] = [];
    if (line.diagonal) {
      const ends: Range = [Math.max(x0, y0), Math.min(x1, y1)];
      if (ends[0] < ends[1])
        out.push(
          Plot.line(
            [
              [ends[0], ends[0]],
              [ends[1], ends[1]],
            ],
            stroke,
          ),
        );
    }
    if (line.x !== undefined && line.x >= x0 && line.x <= x1) {
      out.push(Plot.ruleX([line.x], stroke));
      // Beside each other, the names stand on steps.
      if (line.label) {
        out.push(
          Plot.text([line.label], {
            x: line.x,
            frameAnchor: 'top',
            dy: 8 + 13 * (upright++ % 4),
            dx: 4,
            textAnchor: 'start',
            ...words,
          }),
        );
      }
    }
    if (line.y !== undefined && line.y >= y0 && line.y <= y1) {
      out.push(Plot.ruleY([line.y], stroke));
      if (line.label)
        out.push(
          Plot.text([line.label], {y: line.y, frameAnchor: 'right', dy: -7, dx: -2, textAnchor: 'end', ...words}),
        );
    }
    return out;
  });
}

// ---- cells ------------------------------------------------------------------------------------------------------

function scale(
  drawing: Drawing,
  panel: Panel,
  view: View,
): {colour: Plot.ScaleOptions; marks: (width: number) => Plot.Markish[]} | undefined {
  const cells = (panel.cells ?? []).filter(({x, y}) => (!view.logX || x > 0) && (!view.logY || y > 0));
  const colours = cellScale(drawing);
  if (cells.length === 0 || !colours) return undefined;
  const places = placesOf(drawing, view);
  const placed = cells.map(({x, y, value}) => ({x: places.x.at(x), y: places.y.at(y), value}));
  const xs = bounds(
      placed.map(cell => cell.x),
      places.x.log,
    ),
    ys = bounds(
      placed.map(cell => cell.y),
      places.y.log,
    );
  const boxes = placed.map(cell => ({
    ...cell,
    x1: xs.get(cell.x)![0],
    x2: xs.get(cell.x)![1],
    y1: ys.get(cell.y)![0],
    y2: ys.get(cell.y)![1],
  }));
  const {range, log} = colours;
  const share = (value: number): number =>
    log ? Math.log(value / range[0]) / Math.log(range[1] / range[0]) : (value - range[0]) / (range[1] - range[0]);
  return {
    colour: colours.colour,
    marks: width => [
      Plot.rect(boxes, {
        x1: 'x1',
        x2: 'x2',
        y1: 'y1',
        y2: 'y2',
        fill: 'value',
        // Many cells are a surface.
        ...(boxes.length > 400 ? {shapeRendering: 'crispEdges'} : {insetLeft: 0.5, insetTop: 0.5}),
      }),
      // The number itself, where there is room; on both ends of a diverging scale and the dark one of the other it is white.
      ...((width - kLeft) / xs.size > 38 && ys.size <= 14
        ? [true, false].map(white =>
            Plot.text(
              boxes.filter(
                ({value}) =>
                  white ===
                  (colours.colour.type === 'diverging' ? Math.abs(share(value) - 0.5) > 0.35 : share(value) > 0.45),
              ),
              {
                x: 'x',
                y: 'y',
                text: ({value}: {value: number}) => String(Number(value.toPrecision(3))),
                fontSize: 10,
                fill: white ? '#ffffff' : '#111111',
              },
            ),
          )
        : []),
    ],
  };
}

/** A scale of the cells' colours, as an image of its own. */
export function cellLegend(drawing: Drawing, width: number): SVGSVGElement | undefined {
  const colours = cellScale(drawing);
  if (!colours) return undefined;
  const {
    range: [low, high],
    log,
  } = colours;
  const at = (share: number): number => (log ? low * (high / low) ** share : low + (high - low) * share);
  const steps = low < high ? 48 : 1;
  const boxes = Array.from({length: steps}, (_, i) => ({
    x1: at(i / steps),
    x2: at((i + 1) / steps),
    value: at((i + 0.5) / steps),
  }));
  const ticks = low < high ? ticksOf([low, high], log, Math.max(2, Math.floor(width / 60))) : [low];
  const svg = Plot.plot({
    width,
    height: 46,
    marginLeft: 12,
    marginRight: 24,
    marginTop: 18,
    marginBottom: 18,
    style: {
      background: 'transparent',
      color: 'var(--figure-ink)',
      fontFamily: 'system-ui, sans-serif',
      fontSize: `${kTick}px`,
      overflow: 'visible',
    },
    x: {
      type: log ? 'log' : 'linear',
      ...(low < high ? {domain: [low, high]} : {domain: log ? [low / 2, low * 2] : [low - 1, low + 1]}),
    },
    y: {axis: null, domain: [0, 1]},
    color: colours.colour,
    marks: [
      Plot.rect(boxes, {x1: 'x1', x2: 'x2', y1: 0, y2: 1, fill: 'value'}),
      Plot.axisX(ticks, {
        label: null,
        text: short,
        tickSize: 4,
        fontSize: kTick,
        fill: 'var(--figure-quiet)',
        stroke: 'var(--figure-line)',
      }),
      Plot.text([drawing.value?.label ?? 'value'], {
        frameAnchor: 'top-left',
        dy: -5,
        lineAnchor: 'bottom',
        fontSize: 12,
        fill: 'var(--figure-quiet)',
      }),
    ],
  }) as SVGSVGElement;
  for (const part of svg.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  svg.setAttribute('aria-hidden', 'true');
  return svg;
}

// ---- what is said on hover --------------------------------------------------------------------------------------

function targetsOf(
  drawing: Drawing,
  panel: Panel,
  series: readonly Series[],
  at: (x: number, y: number) => {x: number; y: number},
): Target[] {
  const where = (x: number, y: number): string[] => [
    `${drawing.x.label}: ${exact(x)}`,
    `${drawing.y.label}: ${exact(y)}`,
  ];
  const entries = (about: Record<string, string | number> | undefined): string[] =>
    Object.entries(about ?? {}).map(([name, value]) => `${name}: ${typeof value === 'number' ? exact(value) : value}`);
  const interval = (name: string, range: readonly [number, number] | undefined): string[] =>
    range ? [`${name}: ${exact(range[0])} to ${exact(range[1])}`] : [];
  const out: Target[] = [];
  for (const {name, points = [], curve = [], dashed, range} of series) {
    for (const point of points) {
      const {x, y, low, high, run, flagged, about} = point;
      out.push({
        ...at(x, y),
        kind: 'point',
        series: name,
        ...(run === undefined ? {} : {run}),
        says: () => [
          name,
          ...where(x, y),
          ...(low !== undefined && high !== undefined ? interval('interval', [low, high]) : []),
          ...entries(about),
          ...(run === undefined ? [] : [`run: ${run}`]),
          ...(flagged === undefined ? [] : [`does not count: ${flagged}`]),
        ],
      });
    }
    for (const {x, y, mean, run} of curve as Place[]) {
      out.push({
        ...at(x, y),
        kind: 'place',
        series: name,
        says: () => [
          `${name}${dashed ? ', published' : points.length > 0 ? ', fitted' : ''}`,
          ...where(x, y),
          ...interval(range ? 'range' : 'interval of the mean', mean),
          ...interval('interval of one run', run),
        ],
      });
    }
  }
  for (const {x, y, value, about} of panel.cells ?? [])
    out.push({
      ...at(x, y),
      kind: 'cell',
      series: '',
      says: () => [`${drawing.value?.label ?? 'value'}: ${exact(value)}`, ...where(x, y), ...entries(about)],
    });
  return out.filter(target => Number.isFinite(target.x) && Number.isFinite(target.y));
}
