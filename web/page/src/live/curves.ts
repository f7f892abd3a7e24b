// Learning curves of some runs, drawn as they grow. The list below the chart has names and values, for eyes that do
// not tell colours apart and for those that do not see the chart.
import uPlot from 'uplot';
import uplotStyle from 'uplot/dist/uPlot.min.css';
import {element} from '../dom.ts';
import {exact, short} from '../draw/numbers.ts';
import {fetched} from './connection.ts';
import {nameOf, type Row} from './state.ts';

export const kMostCurves = 12;
const kMostLive = 2000; // points that came one by one; then the curve is read again

interface CurveDocument {
  every: number;
  training: {tokens: number[]; loss: number[]};
}

interface Shown {
  row: Row;
  tokens: number[];
  loss: number[];
  every: number;
  live: number;
  status: string;
}

const kDashes: (number[] | undefined)[] = [undefined, [8, 4], [2, 3]];
const kColours = 6;

export class Curves {
  readonly element: HTMLElement;
  private readonly chart = element('div', {class: 'chart', role: 'img'});
  private readonly list = element('ul', {class: 'legend'});
  private readonly says = element('figcaption');
  private readonly shown = new Map<string, Shown>();
  private readonly asked = new Set<string>();
  private plot: uPlot | undefined;
  private places: string[] = []; // ids of the series, as the plot has them
  private logarithmic = true;
  private drawing = false;

  constructor(private readonly hide: (id: string) => void) {
    document.head.append(element('style', {}, uplotStyle));
    const log = element('input', {type: 'checkbox', checked: ''});
    log.addEventListener('change', () => {
      this.logarithmic = log.checked;
      this.rebuild();
    });
    this.element = element('figure', {}, element('p', {class: 'choice'}, element('label', {class: 'inline'}, log, 'logarithmic tokens')),
                           this.chart, this.list, this.says);
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.rebuild());
    new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.element);
  }

  /** Exactly these runs, the first kMostCurves of them. */
  show(rows: readonly Row[]): void {
    const wanted = rows.slice(0, kMostCurves);
    const ids = new Set(wanted.map(row => row.id));
    let others = false;
    for (const id of [...this.shown.keys()]) {
      if (ids.has(id)) continue;
      this.shown.delete(id);
      others = true;
    }
    for (const row of wanted) {
      if (!this.shown.has(row.id)) void this.read(row);
    }
    if (others) this.rebuild();
  }

  /** New values of runs; those that are not shown are left out. */
  changed(rows: readonly Row[]): void {
    let grown = false;
    for (const row of rows) {
      const curve = this.shown.get(row.id);
      if (!curve) continue;
      const ended = curve.status !== row.status;
      curve.row = row;
      curve.status = row.status;
      const tokens = (row.share ?? 0) * (row.D ?? 0), loss = row.train_loss;
      if (ended || curve.live > kMostLive) void this.read(row);
      else if (typeof loss === 'number' && tokens > (curve.tokens.at(-1) ?? 0)) {
        curve.tokens.push(tokens);
        curve.loss.push(loss);
        ++curve.live;
        grown = true;
      }
    }
    if (grown) this.redraw();
  }

  /** All are read again: the connection was gone. */
  again(rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.shown.has(row.id)) void this.read(row);
    }
  }

  private async read(row: Row): Promise<void> {
    if (this.asked.has(row.id)) return;
    this.asked.add(row.id);
    try {
      const document = await fetched<CurveDocument>(`/api/runs/${row.id}/curve`);
      const is_new = !this.shown.has(row.id);
      this.shown.set(row.id, {row, tokens: document.training.tokens, loss: document.training.loss,
                              every: document.every, live: 0, status: row.status});
      if (is_new) this.rebuild();
      else this.redraw();
    } catch {
      // The run is gone, or the program: the status line says so.
    } finally {
      this.asked.delete(row.id);
    }
  }

  private size(): {width: number; height: number} {
    const width = Math.max(280, Math.floor(this.element.clientWidth));
    return {width, height: Math.round(Math.min(420, Math.max(240, width * 0.45)))};
  }

  private data(): uPlot.AlignedData {
    const tables = this.places.map((id): uPlot.AlignedData => {
      const {tokens = [], loss = []} = this.shown.get(id) ?? {};
      const from = this.logarithmic ? tokens.findIndex(each => each > 0) : 0;
      return [tokens.slice(Math.max(0, from)), loss.slice(Math.max(0, from))];
    });
    return tables.length > 0 ? uPlot.join(tables) : [[]];
  }

  private redraw(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.plot?.setData(this.data());
      this.say();
    });
  }

  private colour(place: number): string {
    return getComputedStyle(document.documentElement).getPropertyValue(`--curve-${place % kColours}`).trim();
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = undefined;
    this.places = [...this.shown.keys()];
    this.list.replaceChildren(...this.places.map((id, place) => this.item(id, place)));
    this.say();
    if (this.places.length === 0) return;
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue('--ink').trim(), line = style.getPropertyValue('--line').trim();
    const axis = {stroke: ink, grid: {stroke: line, width: 0.5}, ticks: {stroke: line, width: 0.5}};
    this.plot = new uPlot({
      ...this.size(),
      legend: {show: false},
      cursor: {drag: {x: false, y: false}},
      scales: {x: {time: false, distr: this.logarithmic ? 3 : 1}},
      axes: [
        {...axis, label: 'training tokens', values: (_, ticks) => ticks.map(each => (each === null ? '' : short(each)))},
        {...axis, label: 'training loss, nats per token', size: 60, values: (_, ticks) => ticks.map(each => exact(each))},
      ],
      series: [
        {},
        ...this.places.map((_, place): uPlot.Series => {
          const dash = kDashes[Math.floor(place / kColours) % kDashes.length];
          return {stroke: this.colour(place), width: 1.75, spanGaps: true, points: {show: false}, ...(dash ? {dash} : {})};
        }),
      ],
      hooks: {setCursor: [plot => this.point(plot)]},
    }, this.data(), this.chart);
  }

  private item(id: string, place: number): HTMLElement {
    const hide = element('button', {type: 'button'}, 'hide');
    const curve = this.shown.get(id);
    const name = curve ? nameOf(curve.row) : id;
    hide.setAttribute('aria-label', `hide the curve of ${name}`);
    hide.addEventListener('click', () => this.hide(id));
    const dash = ['solid', 'dashed', 'dotted'][Math.floor(place / kColours) % 3]!;
    return element('li', {'data-id': id},
                   element('span', {class: 'swatch', style: `border-top: 3px ${dash} var(--curve-${place % kColours})`}),
                   element('span', {class: 'name'}, name), element('span', {class: 'value'}), hide);
  }

  /** Values under the pointer, or the last ones. */
  private point(plot: uPlot): void {
    const at = plot.cursor.idx;
    this.places.forEach((_, place) => {
      const values = plot.data[place + 1] ?? [];
      let here = at ?? values.length - 1;
      while (here >= 0 && (values[here] === null || values[here] === undefined)) --here;
      const loss = values[here], tokens = plot.data[0][here];
      const words = typeof loss === 'number' && typeof tokens === 'number' ? `${exact(loss)} at ${short(tokens)}` : '';
      this.list.children[place]?.querySelector('.value')?.replaceChildren(words);
    });
  }

  private say(): void {
    const curves = [...this.shown.values()];
    const words = curves.length === 0
      ? 'No curve is shown. Runs that go on are shown by themselves; others by their box in the table.'
      : `Learning curves of ${curves.length} run${curves.length === 1 ? '' : 's'}: training loss against tokens.`;
    this.chart.setAttribute('aria-label', `${words} The last values stand in the list below.`);
    const thinned = curves.filter(each => each.every > 1);
    this.says.textContent = words + (thinned.length > 0
      ? ` Of long logs every ${Math.max(...thinned.map(each => each.every))}th line is drawn, so a short spike may be missing.` : '');
    if (this.plot) this.point(this.plot);
  }
}
