// What is typed above the table of runs: words, and conditions such as N>1e6, P_w<=4, status!=finished, D/N>20.
import {parseCount, quoted} from '../amounts.ts';
import type {Fields, Value} from './document.ts';

export type Filter = {keeps: (row: Fields) => boolean} | {problem: string};

const kCondition = /^([^<>=!]+?)(<=|>=|!=|=|<|>)(.*)$/;

function numberIn(text: string): number {
  const plain = text.trim() === '' ? NaN : Number(text);
  if (!Number.isNaN(plain)) return plain;
  const parsed = parseCount(text);
  return 'value' in parsed ? parsed.value : NaN;
}

function valueOf(row: Fields, name: string): Value | undefined {
  const [above, below] = name.split('/');
  if (below === undefined) return row[name];
  const [a, b] = [row[above!], row[below]];
  return typeof a === 'number' && typeof b === 'number' && b !== 0 ? a / b : null;
}

/** Words of a line; "two words" stay together. */
function partsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)].map(([part]) => part.replaceAll('"', ''));
}

export function filterOf(line: string, columns: readonly string[]): Filter {
  const tests: ((row: Fields) => boolean)[] = [];
  for (const part of partsOf(line)) {
    const found = kCondition.exec(part);
    if (!found) {
      const word = part.toLowerCase();
      if (word !== '')
        tests.push(row =>
          columns.some(column =>
            String(row[column] ?? '')
              .toLowerCase()
              .includes(word),
          ),
        );
      continue;
    }
    const [, name = '', sign = '', wanted = ''] = found;
    const column = name.split('/').map(each => columns.find(known => known.toLowerCase() === each.toLowerCase()));
    if (column.length > 2 || column.some(each => each === undefined))
      return {problem: `${quoted(name)} is not a column of this table; these are: ${columns.join(', ')}`};
    if (wanted === '') return {problem: `${quoted(part)} has no value; write ${name}${sign}4`};
    const number = numberIn(wanted),
      key = column.join('/');
    const ordered = sign !== '=' && sign !== '!=';
    if (ordered && Number.isNaN(number)) return {problem: `${quoted(wanted)} is not a number; write ${name}${sign}1e6`};
    tests.push(row => {
      const value = valueOf(row, key);
      if (typeof value === 'number') {
        // What the table shows has fewer digits than what it holds.
        const equal = value === number || Math.abs(value - number) <= 1e-9 * Math.abs(number);
        return sign === '='
          ? equal
          : sign === '!='
            ? !equal
            : sign === '<'
              ? value < number && !equal
              : sign === '>'
                ? value > number && !equal
                : sign === '<='
                  ? value <= number || equal
                  : value >= number || equal;
      }
      if (ordered || typeof value !== 'string') return sign === '!=' && (value === null || value === undefined);
      return (value.toLowerCase() === wanted.toLowerCase()) === (sign === '=');
    });
  }
  return {keeps: row => tests.every(test => test(row))};
}
