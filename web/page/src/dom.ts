// Elements without markup: text from tables and files is only ever text.

type Child = Node | string;

export function element<K extends keyof HTMLElementTagNameMap>(
    tag: K, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
  out.append(...children);
  return out;
}

export function find<T extends Element>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

export function replace(place: Element, ...children: Child[]): void {
  place.replaceChildren(...children);
}

/** A table with a caption; the first column are the names of rows. */
export function table(caption: string, columns: string[], rows: Child[][]): HTMLTableElement {
  const body = rows.map(([first = '', ...rest]) => element('tr', {}, element('th', {scope: 'row'}, first),
                                                          ...rest.map(each => element('td', {}, each))));
  return element('table', {}, element('caption', {}, caption),
                 element('thead', {}, element('tr', {}, ...columns.map(each => element('th', {scope: 'col'}, each)))),
                 element('tbody', {}, ...body));
}
