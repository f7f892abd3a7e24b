// The report: what was found, in sentences; every figure; the tables behind them.
import {element} from '../dom.ts';
import {Figure} from '../draw.ts';
import {csvOf, type Cell} from '../draw/csv.ts';
import {save} from '../draw/export.ts';
import {short} from '../draw/numbers.ts';
import {drawingFrom} from '../draw/read.ts';
import type {Drawing} from '../drawing.ts';
import {listOf, numberOf, textOf, type Document, type Fields, type Value} from './document.ts';
import {filterOf} from './filter.ts';
import {SortedTable, type TableColumn} from './sorting.ts';

const kNothing = '–';

function shown(value: Value | undefined): string {
  return typeof value === 'number' ? short(value) : typeof value === 'string' ? value : kNothing;
}

const fixed = (value: Value | undefined, digits: number): string => numberOf(value)?.toFixed(digits) ?? kNothing;
const percent = (value: Value | undefined, digits: number): string => {
  const number = numberOf(value);
  return number === undefined ? kNothing : (100 * number).toFixed(digits);
};

/** Sections with headings, of which the list of contents is made. */
class Sections {
  readonly contents = element('ol');
  private count = 0;

  constructor(private readonly place: HTMLElement) {}

  /** `inside`: names and places of what stands inside. */
  add(title: string, children: Node[], inside: readonly (readonly [name: string, id: string])[] = []): HTMLElement {
    const id = `part-${++this.count}`;
    const section = element('section', {id}, element('h2', {}, title), ...children);
    this.place.append(section);
    const link = (name: string, to: string): HTMLElement => element('li', {}, element('a', {href: `#${to}`}, name));
    const entry = link(title, id);
    if (inside.length > 1) entry.append(element('ol', {}, ...inside.map(([name, to]) => link(name, to))));
    this.contents.append(entry);
    return section;
  }

  /** What fails is said in its place, and the others are shown. */
  tryTo(title: string, add: () => void): void {
    try {
      add();
    } catch (error) {
      this.add(title, [element('p', {class: 'problem'}, `This part cannot be shown: ${String(error)}.`)]);
    }
  }
}

export function showReport(report: Document, place: HTMLElement): void {
  const title = report.text('title') || 'bitlaw report';
  document.title = title;
  const nav = element('nav', {'aria-label': 'Contents'}, element('h2', {class: 'contents-title'}, 'Contents'));
  const body = element('div', {class: 'body'});
  const sections = new Sections(body);
  place.append(header(report, title), nav, body);
  nav.append(sections.contents);
  const runs = new RunTable(report);
  sections.tryTo('Figures', () => addFigures(report, sections, runs));
  sections.tryTo('Fitted constants', () => addConstants(report, sections));
  sections.tryTo('Laws side by side', () => addComparison(report, sections));
  sections.tryTo('Held-out error', () => addHeldOut(report, sections));
  sections.tryTo('What fewer bits in training cost', () => addPenalties(report, sections));
  sections.tryTo('Notes', () => {
    const notes = report.sentences('notes');
    if (notes.length > 0)
      sections.add('Notes', [element('ul', {class: 'notes'}, ...notes.map(note => element('li', {}, note)))]);
  });
  sections.tryTo('Runs and quantized cells', () => void sections.add('Runs and quantized cells', [runs.element]));
}

// ---- the header -------------------------------------------------------------------------------------------------

function header(report: Document, title: string): HTMLElement {
  const summary = report.object('summary');
  const [sizes, tokens] = [valuesOf(summary['sizes']), valuesOf(summary['tokens'])];
  const facts: [string, string][] = [
    ['runs', shown(summary['runs'])],
    ['diverged', shown(summary['diverged'])],
    ['not finished', shown(summary['unfinished'])],
    ['quantized cells', shown(summary['cells'])],
    [
      'parameters N, without embeddings',
      sizes.length > 6
        ? `${shown(sizes[0])} to ${shown(sizes.at(-1))}, ${sizes.length} sizes`
        : sizes.map(shown).join(', '),
    ],
    ['training tokens D', [...new Set(tokens.map(shown))].join(' to ')],
  ];
  const version = textOf(summary['version']),
    hash = textOf(summary['data_hash']);
  const makers = valuesOf(summary['made_by'])
    .map(textOf)
    .filter(each => each !== '');
  const sources = [
    hash ? `data ${hash}` : '',
    version ? `report by bitlaw ${version}` : '',
    makers.length > 0 ? `runs by bitlaw ${makers.join(', ')}` : '',
  ].filter(each => each !== '');
  return element(
    'header',
    {},
    element('h1', {}, title),
    ...report.sentences('answer').map(sentence => element('p', {class: 'answer'}, sentence)),
    element(
      'dl',
      {class: 'facts'},
      ...facts
        .filter(([, value]) => value !== '' && value !== kNothing)
        .map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
    ),
    ...(sources.length > 0 ? [element('p', {class: 'soft sources'}, sources.join(' · '))] : []),
  );
}

const valuesOf = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

// ---- figures ----------------------------------------------------------------------------------------------------

function addFigures(report: Document, sections: Sections, runs: RunTable): void {
  const groups = new Map<string, Drawing[]>();
  for (const each of report.list('drawings')) {
    const drawing = drawingFrom(each);
    if (!drawing) continue;
    const group = groups.get(drawing.group);
    if (group) group.push(drawing);
    else groups.set(drawing.group, [drawing]);
  }
  let place = 0;
  for (const [group, drawings] of groups) {
    const figures = drawings.map(drawing => {
      const figure = new Figure({onRun: run => runs.find(run, figure.element)});
      figure.element.id = `figure-${++place}`;
      return {drawing, figure};
    });
    sections.add(
      group,
      figures.map(({figure}) => figure.element),
      figures.map(({drawing, figure}) => [drawing.title, figure.element.id] as const),
    );
    for (const {drawing, figure} of figures) figure.show(drawing);
  }
}

// ---- tables -----------------------------------------------------------------------------------------------------

function words<Row extends Fields>(name: string, show: (row: Row) => string): TableColumn<Row> {
  return {name, show, numeric: false};
}

function numbers(name: string, key: string, show: (value: Value | undefined) => string = shown): TableColumn<Fields> {
  return {name, show: row => show(row[key]), key: row => numberOf(row[key])};
}

function addConstants(report: Document, sections: Sections): void {
  const constants = report.list('constants'),
    sentence = textOf(report.object('summary')['sentence']);
  if (constants.length === 0) {
    if (sentence) sections.add('Fitted constants', [element('p', {}, sentence)]);
    return;
  }
  // What the data cannot identify gets no number.
  const open = (row: Fields): boolean => row['identified'] === false && !textOf(row['frozen']);
  const remark = (row: Fields): string =>
    textOf(row['frozen'])
      ? `not fitted: ${textOf(row['frozen'])}`
      : open(row)
        ? 'not identified'
        : row['at_edge'] === true
          ? 'ended at the edge of its range'
          : '';
  // Constants are read beside printed ones: five digits and no suffixes.
  const number = (value: Value | undefined): string => {
    const known = numberOf(value);
    return known === undefined ? kNothing : String(Number(known.toPrecision(5)));
  };
  const table = new SortedTable<Fields>(
    'Fitted constants',
    [
      words('constant', row => textOf(row['name'])),
      {
        name: 'value',
        show: row => (open(row) ? kNothing : number(row['value'])),
        key: row => (open(row) ? null : numberOf(row['value'])),
      },
      numbers('low', 'low', number),
      numbers('high', 'high', number),
      numbers('published', 'published', number),
      words('', remark),
    ],
    constants,
  );
  sections.add('Fitted constants', [
    element('p', {}, `Intervals: bootstrap over whole runs. ${sentence}`),
    table.element,
  ]);
}

function addComparison(report: Document, sections: Sections): void {
  const comparison = report.object('comparison'),
    laws = listOf(comparison['laws']);
  if (laws.length === 0) return;
  const table = new SortedTable<Fields>(
    'Laws side by side',
    [
      words('law', row => textOf(row['name'])),
      numbers('constants', 'k'),
      numbers('RMS, %', 'rms_log', value => percent(value, 3)),
      numbers('R²', 'r2', value => fixed(value, 4)),
      numbers('AICc', 'aicc', value => fixed(value, 1)),
      {
        name: 'held-out error, %',
        key: row => numberOf(row['held_out']),
        show: row =>
          percent(row['held_out'], 3) +
          (numberOf(row['held_out_error']) === undefined ? '' : ` ± ${percent(row['held_out_error'], 3)}`),
      },
      words('', row => textOf(row['note']) || (row['tied'] === true ? 'tied with the best' : '')),
    ],
    laws,
  );
  const held = textOf(comparison['hold_out']);
  sections.add('Laws side by side', [
    element('p', {}, textOf(comparison['verdict']) + (held ? ` Held out: ${held}.` : '')),
    table.element,
  ]);
}

function addHeldOut(report: Document, sections: Sections): void {
  const rows = report.list('held_out');
  if (rows.length === 0) return;
  const table = new SortedTable<Fields>(
    'Held-out error',
    [
      words('held out', row => textOf(row['split'])),
      numbers('rows fitted', 'fitted'),
      numbers('rows predicted', 'points'),
      numbers('not judged (below 5 standard errors)', 'unclear', value => shown(value ?? 0)),
      numbers('RMS of log loss', 'rms_log', value => numberOf(value)?.toPrecision(3) ?? kNothing),
      numbers('standard error', 'standard_error', value => numberOf(value)?.toPrecision(2) ?? kNothing),
    ],
    rows,
  );
  sections.add('Held-out error', [table.element]);
}

function addPenalties(report: Document, sections: Sections): void {
  const rows = report.list('penalties');
  if (rows.length === 0) return;
  const table = new SortedTable<Fields>(
    'What fewer bits in training cost',
    [
      numbers('N', 'N'),
      numbers('D', 'D'),
      words('precision', row => textOf(row['precision'])),
      numbers('runs', 'runs'),
      numbers('BF16 runs', 'references'),
      numbers('BF16 loss', 'reference', value => fixed(value, 4)),
      numbers('difference', 'difference', value => ((numberOf(value) ?? 0) < 0 ? '' : '+') + fixed(value, 4)),
      numbers('deviation', 'deviation', value => fixed(value, 4)),
      words('', row =>
        [row['noise'] === true ? 'noise' : '', row['unstable'] === true ? 'too few bits: left out of fits' : '']
          .filter(each => each)
          .join('; '),
      ),
    ],
    rows,
  );
  sections.add('What fewer bits in training cost', [
    element(
      'p',
      {},
      'Loss of the runs of a setting minus that of the BF16 runs that match it in N, D and every factor: seed by seed if both have the seeds, ' +
        `else of the means. ${textOf(report.object('summary')['noise'])}`,
    ),
    table.element,
  ]);
}

// ---- the table of runs ------------------------------------------------------------------------------------------

class RunTable {
  readonly element: HTMLElement;
  private readonly filter = element('input', {
    id: 'filter',
    type: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'filter-help filter-says',
  });
  private readonly says = element('p', {id: 'filter-says', class: 'soft', role: 'status'});
  private readonly back = element('button', {type: 'button'}, 'Back to the figure');
  private readonly rows: Fields[];
  private readonly columns: string[];
  private readonly table: SortedTable<Fields>;
  private from: HTMLElement | undefined;

  constructor(report: Document) {
    this.rows = report.list('rows');
    const isThere = (value: Value | undefined): boolean => value !== null && value !== undefined && value !== '';
    const columns = report
      .list('table_columns')
      .filter(column => this.rows.some(row => isThere(row[textOf(column['name'])])));
    this.columns = columns.map(column => textOf(column['name']));
    this.table = new SortedTable<Fields>(
      'Runs and quantized cells',
      columns.map((column): TableColumn<Fields> => {
        const name = textOf(column['name']),
          isNumber = this.rows.some(row => typeof row[name] === 'number');
        return {
          name,
          numeric: isNumber,
          key: row => row[name] as number | string | null,
          show: row =>
            row[name] === null || row[name] === undefined
              ? ''
              : column['exact'] === true
                ? fixed(row[name], 4)
                : shown(row[name]),
        };
      }),
      this.rows,
    );
    const csv = element('button', {type: 'button'}, 'These rows as CSV');
    csv.addEventListener('click', () =>
      save(
        'runs.csv',
        new Blob(
          [
            csvOf({
              columns: this.columns,
              rows: this.table.list().map(row => this.columns.map(name => (row[name] ?? undefined) as Cell)),
            }),
          ],
          {type: 'text/csv'},
        ),
      ),
    );
    this.back.hidden = true;
    this.back.addEventListener('click', () => {
      const target = this.from?.querySelector<HTMLElement>('.figure-panel');
      target?.focus();
      this.from?.scrollIntoView({block: 'center'});
    });
    this.filter.addEventListener('input', () => this.narrow());
    this.element = element(
      'div',
      {},
      element('div', {class: 'filter'}, element('label', {for: 'filter'}, 'Filter'), this.filter, csv, this.back),
      element(
        'p',
        {id: 'filter-help', class: 'soft'},
        'Words, and conditions such as N>1e6, P_w<=4, D/N>20 or status!=finished. Headings sort. bitlaw runs writes all columns as CSV.',
      ),
      this.says,
      this.table.element,
    );
    this.narrow();
  }

  /** Shows the rows of a run: where a figure's point leads. */
  find(run: string, from: HTMLElement): void {
    this.from = from;
    this.back.hidden = false;
    this.filter.value = /["<>=!]/.test(run) ? run : `run="${run}"`;
    this.narrow(row => row['run'] === run);
    this.element.closest('section')?.scrollIntoView();
    this.filter.focus({preventScroll: true});
  }

  private narrow(exactly?: (row: Fields) => boolean): void {
    const filter = exactly ? {keeps: exactly} : filterOf(this.filter.value, this.columns);
    const wrong = 'problem' in filter;
    this.filter.setAttribute('aria-invalid', String(wrong));
    this.says.className = wrong ? 'problem' : 'soft';
    if (wrong) {
      this.says.textContent = filter.problem;
      return;
    }
    const kept = this.rows.filter(row => filter.keeps(row));
    this.says.textContent =
      this.rows.length === 0 ? 'The table has no rows.' : `${kept.length} of ${this.rows.length} rows.`;
    this.table.show(kept);
  }
}
