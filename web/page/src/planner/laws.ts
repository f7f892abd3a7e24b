// The laws to choose from, each set of constants a line; kept in step with the names that are typed.
import {element, find, replace} from '../dom.ts';
import type {LawAnswer} from './answers.ts';

export interface LawLine {
  name: string;  // "chinchilla", "chinchilla:besiroglu"
  title: string;
  published: boolean;
}

/** What a plan can be made with; a law's first set has the law's name. */
export function linesOf(laws: readonly LawAnswer[]): LawLine[] {
  return laws.filter(law => law.quantity === 'loss').flatMap(law => law.constants.map(({name, source}, i) => ({
    name: i === 0 ? law.name : `${law.name}:${name}`,
    title: i === 0 ? law.title : source,
    published: !/starting point/.test(source),
  })));
}

const namesIn = (text: string): string[] => text.split(',').map(name => name.trim()).filter(name => name !== '');

/** With "all" written out: every law with published constants, by its first set, as of `bitlaw plan --laws all`. */
export function withAll(text: string, lines: readonly LawLine[]): string {
  const all = lines.filter(({name, published}) => published && !name.includes(':')).map(({name}) => name);
  return namesIn(text).flatMap(name => (name === 'all' ? all : [name])).join(',');
}

export function startLaws(lines: readonly LawLine[], field: HTMLInputElement): {show: () => void} {
  const boxes = new Map<string, HTMLInputElement>();
  const line = ({name, title}: LawLine): HTMLElement => {
    const box = element('input', {type: 'checkbox', value: name});
    boxes.set(name, box);
    box.addEventListener('change', () => {
      const names = namesIn(withAll(field.value, lines)).filter(each => each !== name);
      if (box.checked) names.push(name);
      field.value = names.join(',');
      field.dispatchEvent(new Event('input'));
    });
    return element('label', {class: 'law'}, box, element('span', {}, element('strong', {}, name), ` ${title}`));
  };
  const group = (title: string, of: LawLine[]): HTMLElement =>
      element('fieldset', {}, element('legend', {}, title), ...of.map(line));
  replace(find('#law-list'), group('Published constants', lines.filter(each => each.published)),
          group('Starting values only: not to be relied on without a fit', lines.filter(each => !each.published)));
  replace(find('#laws-known'), ...lines.map(({name, title: words}) => element('option', {value: name}, words)));
  const show = (): void => {
    const chosen = new Set(namesIn(withAll(field.value, lines)));
    for (const [name, box] of boxes) box.checked = chosen.has(name);
  };
  show();
  return {show};
}
