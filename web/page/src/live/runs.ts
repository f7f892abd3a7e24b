// The table of runs, which changes while it is read: rows stay the same elements, and only texts that differ are
// written, so focus, selection and the place on the page stay.
import {element} from '../dom.ts';
import {count} from '../amounts.ts';
import {exact} from '../draw/numbers.ts';
import {filterOf} from '../report/filter.ts';
import {sorted} from '../report/sorting.ts';
import {bitsOf, nameOf, type Row} from './state.ts';

interface Column {
  name: string;
  show: (row: Row) => string;
  key: (row: Row) => number | string | null | undefined;
  words?: boolean;
}

const number = (value: number | null | undefined, show: (value: number) => string): string =>
  typeof value === 'number' ? show(value) : '';

const kColumns: Column[] = [
  {name: 'run', show: nameOf, key: nameOf, words: true},
  {name: 'state', show: row => row.status, key: row => row.status, words: true},
  {name: 'done', show: row => number(row.share, value => `${Math.floor(100 * value)} %`), key: row => row.share},
  {name: 'N', show: row => number(row.N, count), key: row => row.N},
  {name: 'D', show: row => number(row.D, count), key: row => row.D},
  {name: 'bits', show: bitsOf, key: row => row.P_w},
  {name: 'training loss', show: row => number(row.train_loss, exact), key: row => row.train_loss},
  {name: 'validation loss', show: row => number(row.loss, exact), key: row => row.loss},
  {name: 'tokens/s', show: row => number(row.tokens_per_second, count), key: row => row.tokens_per_second},
  {name: 'cells', show: row => number(row.cells, String), key: row => row.cells},
  {name: 'remark', show: row => row.detail ?? '', key: row => row.detail, words: true},
];

const kFilterColumns = ['run', 'label', 'status', 'N', 'D', 'P_w', 'P_a', 'P_kv', 'seed', 'lr', 'loss', 'train_loss'];
const kFirst = 500;

interface Line {
  element: HTMLTableRowElement;
  cells: HTMLTableCellElement[];
  box: HTMLInputElement;
}

export class RunTable {
  readonly element: HTMLElement;
  private readonly body = element('tbody');
  private readonly says = element('p', {class: 'soft', role: 'status'});
  private readonly problem = element('span', {class: 'problem', role: 'alert', id: 'filter-problem'});
  private readonly filter = element('input', {id: 'filter', autocomplete: 'off', 'aria-describedby': 'filter-help filter-problem'});
  private readonly lines = new Map<string, Line>();
  private order: {column: number; up: boolean} = {column: 1, up: false};
  private rows: Row[] = [];
  private limit = kFirst;

  /** `choose`: the box of a run was pressed. */
  constructor(private readonly choose: (id: string, on: boolean) => void) {
    const heads = kColumns.map((column, place) => {
      const button = element('button', {type: 'button'}, column.name);
      const head = element('th', {scope: 'col', ...(column.words ? {class: 'words'} : {})}, button);
      button.addEventListener('click', () => {
        this.order = {column: place, up: this.order.column === place ? !this.order.up : true};
        heads.forEach(each => each.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', this.order.up ? 'ascending' : 'descending');
        this.draw();
      });
      return head;
    });
    this.filter.addEventListener('input', () => this.draw());
    const more = element('button', {type: 'button'}, 'Show all');
    more.addEventListener('click', () => {
      this.limit = Infinity;
      this.draw();
    });
    this.more = more;
    this.element = element('div', {},
      element('label', {}, 'Which runs', this.filter,
              element('span', {class: 'help', id: 'filter-help'}, 'words, or P_w=4 N>1e6 status!=finished'), this.problem),
      this.says,
      element('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Table of runs'},
        element('table', {}, element('caption', {class: 'unseen'}, 'Runs'),
                element('thead', {}, element('tr', {}, element('th', {scope: 'col'}, 'curve'), ...heads)), this.body)),
      more);
  }
  private readonly more: HTMLElement;

  show(rows: Row[], chosen: ReadonlySet<string>): void {
    this.rows = rows;
    const there = new Set(rows.map(row => row.id));
    for (const [id, line] of this.lines) {
      if (there.has(id)) continue;
      line.element.remove();
      this.lines.delete(id);
    }
    for (const row of rows) this.write(row, chosen.has(row.id));
    this.draw();
  }

  private write(row: Row, chosen: boolean): void {
    let line = this.lines.get(row.id);
    if (!line) {
      const box = element('input', {type: 'checkbox'});
      box.addEventListener('change', () => this.choose(row.id, box.checked));
      const cells = kColumns.map(column => element('td', column.words ? {class: 'words'} : {}));
      line = {element: element('tr', {'data-id': row.id}, element('td', {}, box), ...cells), cells, box};
      this.lines.set(row.id, line);
    }
    const {cells, box} = line;
    kColumns.forEach((column, place) => {
      const text = column.show(row);
      if (cells[place]!.textContent !== text) cells[place]!.textContent = text;
    });
    const name = `curve of ${nameOf(row)}`;
    if (box.getAttribute('aria-label') !== name) box.setAttribute('aria-label', name);
    if (box.checked !== chosen) box.checked = chosen;
  }

  private draw(): void {
    const filter = filterOf(this.filter.value, kFilterColumns);
    const wrong = 'problem' in filter;
    const problem = wrong ? filter.problem : '';
    if (this.problem.textContent !== problem) this.problem.textContent = problem;
    this.filter.setAttribute('aria-invalid', wrong ? 'true' : 'false');
    const kept = wrong ? this.rows : this.rows.filter(row => filter.keeps(row as unknown as Parameters<typeof filter.keeps>[0]));
    const list = sorted(kept, kColumns[this.order.column]!.key, this.order.up).slice(0, this.limit);
    const wanted = list.map(row => this.lines.get(row.id)!.element);
    const same = wanted.length === this.body.children.length && wanted.every((each, i) => each === this.body.children[i]);
    if (!same) {
      const focused = document.activeElement;
      this.body.replaceChildren(...wanted);
      if (focused instanceof HTMLElement && this.body.contains(focused)) focused.focus({preventScroll: true});
    }
    const words = kept.length === this.rows.length ? `${kept.length} runs.` : `${kept.length} of ${this.rows.length} runs.`;
    const text = kept.length > list.length ? `${words} The first ${list.length} are shown.` : words;
    if (this.says.textContent !== text) this.says.textContent = text;
    this.more.hidden = kept.length <= list.length;
  }
}
