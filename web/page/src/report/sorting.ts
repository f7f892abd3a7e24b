// Tables whose headings sort, and that begin with their first rows.
import {element} from '../dom.ts';

export interface TableColumn<Row> {
  name: string;
  show: (row: Row) => string;
  /** What sorts; the shown text without. */
  key?: (row: Row) => number | string | null | undefined;
  numeric?: boolean;
}

const isNothing = (key: unknown): boolean =>
  key === null || key === undefined || key === '' || (typeof key === 'number' && Number.isNaN(key));

/** In order of a key; what has none comes last both ways. */
export function sorted<Row>(
  rows: readonly Row[],
  key: (row: Row) => number | string | null | undefined,
  up: boolean,
): Row[] {
  return rows
    .map((row, place) => ({row, place, key: key(row)}))
    .sort((a, b) => {
      if (isNothing(a.key) || isNothing(b.key))
        return Number(isNothing(a.key)) - Number(isNothing(b.key)) || a.place - b.place;
      const order =
        typeof a.key === 'number' && typeof b.key === 'number'
          ? a.key - b.key
          : String(a.key).localeCompare(String(b.key), 'en', {numeric: true});
      return (up ? order : -order) || a.place - b.place;
    })
    .map(each => each.row);
}

const kFirst = 500;

export class SortedTable<Row> {
  readonly element: HTMLElement;
  private readonly body = element('tbody');
  private readonly more = element('p', {class: 'soft'});
  private order: {column: number; up: boolean} | undefined;
  private limit = kFirst;
  private rows: readonly Row[] = [];

  constructor(
    caption: string,
    private readonly columns: readonly TableColumn<Row>[],
    rows: readonly Row[],
  ) {
    const heads = columns.map((column, i) => {
      const head = element('th', {scope: 'col', ...(column.numeric === false ? {class: 'words'} : {})});
      if (column.name === '') {
        head.append(element('span', {class: 'unseen'}, 'remarks'));
        return head;
      }
      const button = element('button', {type: 'button'}, column.name);
      button.addEventListener('click', () => {
        this.order = {column: i, up: this.order?.column === i ? !this.order.up : true};
        heads.forEach(each => each.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', this.order.up ? 'ascending' : 'descending');
        this.draw();
      });
      head.append(button);
      return head;
    });
    this.element = element(
      'div',
      {},
      element(
        'div',
        {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption},
        element(
          'table',
          {},
          element('caption', {class: 'unseen'}, caption),
          element('thead', {}, element('tr', {}, ...heads)),
          this.body,
        ),
      ),
      this.more,
    );
    this.show(rows);
  }

  show(rows: readonly Row[]): void {
    this.rows = rows;
    this.limit = kFirst;
    this.draw();
  }

  /** The rows in the order shown. */
  list(): Row[] {
    const {order} = this;
    const column = order && this.columns[order.column];
    return column ? sorted(this.rows, column.key ?? column.show, order.up) : [...this.rows];
  }

  private draw(): void {
    const list = this.list();
    this.body.replaceChildren(
      ...list
        .slice(0, this.limit)
        .map(row =>
          element(
            'tr',
            {},
            ...this.columns.map(column =>
              element('td', column.numeric === false ? {class: 'words'} : {}, column.show(row)),
            ),
          ),
        ),
    );
    this.more.replaceChildren();
    if (list.length <= this.limit) return;
    const press = (words: string, limit: number): HTMLElement => {
      const button = element('button', {type: 'button'}, words);
      button.addEventListener('click', () => {
        this.limit = limit;
        this.draw();
      });
      return button;
    };
    this.more.append(
      `The first ${this.limit} of ${list.length} rows. `,
      press(`Show ${Math.min(kFirst, list.length - this.limit)} more`, this.limit + kFirst),
      ' ',
      press(`Show all ${list.length}`, list.length),
    );
  }
}
