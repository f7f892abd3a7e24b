// From a figure as data to a figure on the page: the only code that draws. Panels side by side, a legend that switches
// series on and off, linear or logarithmic axes, a sentence, the data as a table, and everything as files.
//
//   const figure = new Figure();
//   place.append(figure.element);
//   figure.show(drawing);  // again with new data: what the reader switched stays
import {element} from './dom.ts';
import type {Drawing, Panel} from './drawing.ts';
import {csvFile, glyph, keyOf, pngOf, save, svgOf} from './draw/export.ts';
import {dataOf} from './draw/csv.ts';
import {looksOf, paletteStyle, type Look} from './draw/looks.ts';
import {allPositive, exact} from './draw/numbers.ts';
import {cellLegend, drawPanel, framesOf, startOf, stepsOf, valuesOf, type Target, type View} from './draw/panel.ts';
import style from './draw/draw.css';

export interface FigureOptions {
  /** The heading of the title; h3 without. */
  heading?: 'h2' | 'h3' | 'h4';
  /** Called with the run behind a point that is clicked, or chosen with Enter. */
  onRun?: (run: string) => void;
}

const kPanelWidth = 300,
  kWidest = 760,
  kGap = 18;
const kPanelsAtFirst = 12;
const kRowsAtFirst = 500;
const kReach = 28; // pixels from the pointer to what it means

let styled = false;

function addStyle(): void {
  if (styled) return;
  styled = true;
  document.head.append(element('style', {}, paletteStyle() + style));
}

/** Figures that wait until they come into view. */
const waiting = new Map<Element, Figure>();
let watcher: IntersectionObserver | undefined;

function whenSeen(figure: Figure): void {
  if (typeof IntersectionObserver === 'undefined') {
    figure.draw();
    return;
  }
  if (!watcher) {
    watcher = new IntersectionObserver(
      entries => {
        for (const entry of entries) if (entry.isIntersecting) waiting.get(entry.target)?.draw();
      },
      {rootMargin: '600px 0px'},
    );
    addEventListener('beforeprint', drawAll);
    matchMedia('print').addEventListener('change', event => event.matches && drawAll());
  }
  waiting.set(figure.element, figure);
  watcher.observe(figure.element);
}

/** Draws every figure now, seen or not: paper has no scrolling. */
export function drawAll(): void {
  for (const figure of [...waiting.values()]) figure.draw();
}

export class Figure {
  readonly element = element('figure', {class: 'drawing'});
  private readonly title: HTMLElement;
  private readonly legend = element('div', {
    class: 'figure-legend',
    role: 'group',
    'aria-label': 'Series: press to hide or show',
  });
  private readonly key = element('p', {class: 'figure-key'});
  private readonly panels = element('div', {class: 'figure-panels'});
  private readonly note = element('p', {class: 'figure-key', role: 'status'});
  private readonly caption = element('figcaption');
  private readonly tools = element('div', {class: 'figure-tools'});
  private readonly tip = element('div', {class: 'figure-tip', role: 'status'});
  private drawing: Drawing | undefined;
  private looks: ReadonlyMap<string, Look> = new Map();
  private view: View = {hidden: new Set(), logX: false, logY: false, whole: false, own: false};
  private chosen: {logX?: boolean; logY?: boolean} = {};
  private allPanels = false;
  private drawnWidth = 0;
  private drawn = false;

  constructor(private readonly options: FigureOptions = {}) {
    addStyle();
    this.title = element(options.heading ?? 'h3', {class: 'figure-title'});
    this.tip.hidden = true;
    this.element.append(this.title, this.legend, this.key, this.panels, this.note, this.caption, this.tools, this.tip);
    if (typeof ResizeObserver !== 'undefined') {
      new ResizeObserver(() => {
        if (this.drawn && Math.abs(this.panels.clientWidth - this.drawnWidth) > 4) this.draw();
      }).observe(this.panels);
    }
  }

  show(drawing: Drawing): void {
    this.drawing = drawing;
    this.looks = looksOf(drawing);
    this.title.textContent = drawing.title;
    this.caption.textContent = drawing.says;
    const start = startOf(drawing, this.chosen);
    this.view = {
      ...start,
      own: this.view.own,
      whole: drawing.whole ?? this.view.whole,
      hidden: new Set([...this.view.hidden].filter(name => this.looks.has(name))),
    };
    this.showLegend();
    this.showTools();
    this.key.textContent = keyOf(drawing);
    if (this.drawn) {
      this.draw();
    } else if (drawing.panels.length > 0) {
      // About the height that it will have, so that nothing jumps.
      this.panels.style.minHeight = '240px';
      whenSeen(this);
    }
  }

  /** Draws the panels, as wide as their place. */
  draw(): void {
    const {drawing} = this;
    waiting.delete(this.element);
    watcher?.unobserve(this.element);
    if (!drawing) return;
    this.drawn = true;
    this.hideTip();
    this.panels.style.minHeight = '';
    const list = this.allPanels ? drawing.panels : drawing.panels.slice(0, kPanelsAtFirst);
    const {columns, width, height} = this.sizes(list.length, drawing.equal === true);
    this.panels.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    const shared = framesOf(drawing, drawing.panels, this.view);
    let cut = shared !== undefined && (shared.x.cut || shared.y.cut);
    if (this.view.own) cut = false;
    const drawnPanels = list.map(panel => {
      const frames = this.view.own ? framesOf(drawing, [panel], this.view) : shared;
      if (!frames) return element('p', {class: 'figure-key'}, 'Everything is switched off.');
      cut ||= this.view.own && frames.y.cut;
      const made = drawPanel(drawing, panel, this.looks, this.view, frames, {width, height});
      return this.panelOf(panel, made.svg, made.targets);
    });
    const legend = cellLegend(drawing, Math.min(320, width));
    this.panels.replaceChildren(...(legend ? [element('div', {class: 'figure-cells'}, legend)] : []), ...drawnPanels);
    this.showNote(cut, list.length);
  }

  private sizes(count: number, equal: boolean): {columns: number; width: number; height: number} {
    const place = this.panels.clientWidth || this.element.clientWidth || kWidest;
    this.drawnWidth = this.panels.clientWidth;
    const most = Math.max(1, Math.min(count, Math.floor((place + kGap) / (kPanelWidth + kGap))));
    const columns = Math.ceil(count / Math.ceil(count / most)); // rows of about one length
    const width = Math.floor(
      Math.min((place - kGap * (columns - 1)) / columns, count === 1 ? (equal ? 520 : kWidest) : 480),
    );
    const surface = columns === 1 && this.drawing?.panels.some(panel => panel.cells?.length) === true;
    const share = equal ? 1 : surface ? 0.72 : columns === 1 ? (width < 520 ? 0.62 : 0.52) : columns === 2 ? 0.62 : 0.78;
    return {columns, width, height: Math.round(Math.max(230, width * share))};
  }

  // ---- around the panels ----

  private showLegend(): void {
    const {drawing} = this;
    if (!drawing) return;
    this.legend.replaceChildren(
      ...[...this.looks].map(([name, look]) => {
        const mark = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
        for (const [key, value] of Object.entries({width: '22', height: '14', 'aria-hidden': 'true'}))
          mark.setAttribute(key, value);
        mark.append(glyph(drawing, name, look));
        const button = element(
          'button',
          {type: 'button', 'aria-pressed': String(!this.view.hidden.has(name))},
          mark,
          name,
        );
        button.addEventListener('click', () => {
          const hidden = new Set(this.view.hidden);
          if (!hidden.delete(name)) hidden.add(name);
          button.setAttribute('aria-pressed', String(!hidden.has(name)));
          this.change({hidden});
        });
        return button;
      }),
    );
    this.legend.hidden = this.looks.size === 0;
  }

  private showTools(): void {
    const {drawing} = this;
    if (!drawing) return;
    if (drawing.panels.length === 0) {
      this.tools.replaceChildren();
      return;
    }
    // Axes of one range are of one kind.
    const keys = drawing.equal ? (['logX', 'logY'] as const) : undefined;
    const axis = (name: 'x' | 'y', key: 'logX' | 'logY'): HTMLElement[] => {
      const names = keys ? (['x', 'y'] as const) : [name];
      if (!names.every(each => allPositive(valuesOf(drawing, each))) && !this.view[key]) return [];
      if (stepsOf(drawing, name, this.view[key])) return [];
      const buttons = (
        [
          ['linear', false],
          ['log', true],
        ] as const
      ).map(([word, log]) => {
        const button = element('button', {type: 'button', 'aria-pressed': String(this.view[key] === log)}, word);
        button.addEventListener('click', () => {
          const changed = Object.fromEntries((keys ?? [key]).map(each => [each, log]));
          this.chosen = {...this.chosen, ...changed};
          buttons.forEach(each => each.setAttribute('aria-pressed', String(each === button)));
          this.change(changed);
        });
        return button;
      });
      return [
        element(
          'span',
          {role: 'group', 'aria-label': keys ? 'both axes' : `${name} axis`},
          element('span', {'aria-hidden': 'true'}, keys ? 'axes ' : `${name} `),
          ...buttons,
        ),
      ];
    };
    const own = element('button', {type: 'button', 'aria-pressed': String(this.view.own)}, 'own axes');
    own.addEventListener('click', () => {
      own.setAttribute('aria-pressed', String(!this.view.own));
      this.change({own: !this.view.own});
    });
    const file = (name: string, make: () => Blob | Promise<Blob>): HTMLElement => {
      const button = element('button', {type: 'button', 'aria-label': `Download ${drawing.title} as ${name}`}, name);
      button.addEventListener('click', () => {
        Promise.resolve()
          .then(make)
          .then(blob => save(`${drawing.id.replace(/[^A-Za-z0-9-]+/g, '-')}.${name.toLowerCase()}`, blob))
          .catch((error: unknown) => {
            this.note.textContent = `No ${name}: ${String(error)}.`;
          });
      });
      return button;
    };
    const svg = (): string => svgOf(this.drawing!, this.looks, this.view);
    this.tools.replaceChildren(
      ...axis('x', 'logX'),
      ...(keys ? [] : axis('y', 'logY')),
      ...(drawing.panels.length > 1 ? [own] : []),
      element(
        'span',
        {role: 'group', 'aria-label': 'Download', class: 'figure-files'},
        file('SVG', () => new Blob([svg()], {type: 'image/svg+xml'})),
        file('PNG', () => pngOf(svg())),
        file('CSV', () => new Blob([csvFile(this.drawing!)], {type: 'text/csv'})),
      ),
      this.dataTable(drawing),
    );
  }

  private dataTable(drawing: Drawing): HTMLElement {
    const out = element('details', {}, element('summary', {}, 'Data'));
    out.addEventListener('toggle', () => {
      if (!out.open || out.childElementCount > 1) return;
      const {columns, rows} = dataOf(drawing);
      const text = (cell: string | number | undefined): string =>
        cell === undefined || cell === null ? '' : typeof cell === 'number' ? exact(cell) : cell;
      out.append(
        element(
          'div',
          {class: 'figure-data', tabindex: '0', role: 'region', 'aria-label': `Data of ${drawing.title}`},
          element(
            'table',
            {},
            element('thead', {}, element('tr', {}, ...columns.map(each => element('th', {scope: 'col'}, each)))),
            element(
              'tbody',
              {},
              ...rows
                .slice(0, kRowsAtFirst)
                .map(row => element('tr', {}, ...row.map(cell => element('td', {}, text(cell))))),
            ),
          ),
        ),
      );
      if (rows.length > kRowsAtFirst)
        out.append(
          element('p', {class: 'figure-key'}, `The first ${kRowsAtFirst} of ${rows.length} rows; the CSV has all.`),
        );
    });
    return out;
  }

  private showNote(cut: boolean, shown: number): void {
    const {drawing, view} = this;
    if (!drawing) return;
    const parts: (string | Node)[] = [];
    const lost = drawing.panels
      .flatMap(panel => panel.series ?? [])
      .filter(series => !view.hidden.has(series.name))
      .flatMap(series => series.points ?? [])
      .filter(({x, y}) => (view.logX && !(x > 0)) || (view.logY && !(y > 0))).length;
    if (lost > 0)
      parts.push(`${lost} ${lost === 1 ? 'point' : 'points'} at or below zero cannot stand on a logarithmic axis. `);
    const press = (words: string, act: () => void): HTMLElement => {
      const button = element('button', {type: 'button'}, words);
      button.addEventListener('click', act);
      return button;
    };
    if (cut)
      parts.push(
        'Curves or bars leave the frame. ',
        press('Show all of them', () => this.change({whole: true})),
        ' ',
      );
    else if (view.whole && !drawing.whole)
      parts.push(
        press('Frame the points', () => this.change({whole: false})),
        ' ',
      );
    if (shown < drawing.panels.length) {
      parts.push(
        `${shown} of ${drawing.panels.length} panels. `,
        press(`Show all ${drawing.panels.length}`, () => {
          this.allPanels = true;
          this.draw();
        }),
      );
    }
    this.note.replaceChildren(...parts);
    this.note.hidden = parts.length === 0;
  }

  private change(view: Partial<View>): void {
    this.view = {...this.view, ...view};
    this.draw();
  }

  // ---- hover and keys ----

  private panelOf(panel: Panel, svg: SVGSVGElement, targets: Target[]): HTMLElement {
    const {drawing} = this;
    const label = [drawing!.title, panel.title].filter(each => each).join(': ');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', `${label}. ${drawing!.says}`);
    const place = element(
      'div',
      {
        class: 'figure-panel',
        role: 'group',
        tabindex: '0',
        'aria-label': `${label}: arrow keys go from point to point`,
      },
      svg,
    );
    const ring = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
    for (const [key, value] of Object.entries({
      r: '7',
      fill: 'none',
      stroke: 'var(--figure-ink)',
      'stroke-width': '1.5',
      visibility: 'hidden',
      class: 'figure-ring',
    }))
      ring.setAttribute(key, value);
    svg.append(ring);
    // By series, points before curves, and in each from left to right: the order of the keys.
    const rows = new Map<string, Target[]>();
    const rowOf = ({kind, series}: Target): string => `${kind} ${series}`;
    for (const target of targets) {
      const row = rows.get(rowOf(target));
      if (row) row.push(target);
      else rows.set(rowOf(target), [target]);
    }
    const order = [...rows.values()]
      .sort((a, b) => Number(a[0]!.kind === 'place') - Number(b[0]!.kind === 'place'))
      .map(row => row.sort((a, b) => a.x - b.x || a.y - b.y));
    let row = 0,
      at = 0;
    let current: Target | undefined;
    const show = (target: Target | undefined): void => {
      current = target;
      ring.setAttribute('visibility', target && target.kind !== 'cell' ? 'visible' : 'hidden');
      if (!target) {
        this.hideTip();
        return;
      }
      ring.setAttribute('cx', String(target.x));
      ring.setAttribute('cy', String(target.y));
      this.showTip(place, target);
    };
    const open = (): void => {
      if (current?.run !== undefined) this.options.onRun?.(current.run);
    };
    place.addEventListener('pointermove', event => {
      const box = svg.getBoundingClientRect();
      const scale = Number(svg.getAttribute('width')) / box.width;
      show(nearest(targets, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale));
    });
    place.addEventListener('pointerleave', () => show(undefined));
    place.addEventListener('blur', () => show(undefined));
    place.addEventListener('click', open);
    place.addEventListener('keydown', event => {
      if (order.length === 0) return;
      const many = order[row]!.length;
      if (event.key === 'Escape') return show(undefined);
      if (event.key === 'Enter') return open();
      if (current === undefined && event.key.startsWith('Arrow')) [row, at] = [Math.min(row, order.length - 1), at];
      else if (event.key === 'ArrowRight') at = Math.min(at + 1, many - 1);
      else if (event.key === 'ArrowLeft') at = Math.max(at - 1, 0);
      else if (event.key === 'ArrowDown') row = (row + 1) % order.length;
      else if (event.key === 'ArrowUp') row = (row + order.length - 1) % order.length;
      else if (event.key === 'Home') at = 0;
      else if (event.key === 'End') at = many - 1;
      else return;
      event.preventDefault();
      at = Math.min(at, order[row]!.length - 1);
      show(order[row]![at]);
    });
    return place;
  }

  private showTip(place: HTMLElement, target: Target): void {
    const [first = '', ...rest] = target.says();
    const hint =
      target.run !== undefined && this.options.onRun
        ? [element('div', {class: 'figure-hint'}, 'click or Enter: its row in the table')]
        : [];
    this.tip.replaceChildren(element('strong', {}, first), ...rest.map(line => element('div', {}, line)), ...hint);
    this.tip.hidden = false;
    const svg = place.querySelector('svg')!,
      box = svg.getBoundingClientRect(),
      figure = this.element.getBoundingClientRect();
    const scale = box.width / Number(svg.getAttribute('width'));
    const [x, y] = [box.left - figure.left + target.x * scale, box.top - figure.top + target.y * scale];
    const {offsetWidth: width, offsetHeight: height} = this.tip;
    const left = x + 14 + width <= figure.width ? x + 14 : Math.max(0, x - 14 - width);
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${Math.max(-8, y - height / 2)}px`;
  }

  private hideTip(): void {
    this.tip.hidden = true;
  }
}

/** The nearest within reach; points before places of curves. */
function nearest(targets: readonly Target[], x: number, y: number): Target | undefined {
  let best: Target | undefined,
    least = Infinity;
  for (const target of targets) {
    const distance = Math.hypot(target.x - x, target.y - y) * (target.kind === 'place' ? 1.6 : 1);
    if (distance < least && (distance <= kReach || target.kind === 'cell')) [best, least] = [target, distance];
  }
  return best;
}
