import assert from 'node:assert/strict';
import {test} from 'node:test';
import {drawingFrom} from '../src/draw/read.ts';
import {Document, unpacked, type Fields} from '../src/report/document.ts';
import {filterOf} from '../src/report/filter.ts';
import {sorted} from '../src/report/sorting.ts';

const columns = ['run', 'status', 'N', 'D', 'P_w'];
const rows: Fields[] = [
  {run: 'small one', status: 'finished', N: 1e6, D: 2e7, P_w: 16},
  {run: 'big', status: 'finished', N: 3e7, D: 3e8, P_w: 4},
  {run: 'lost', status: 'diverged', N: 3e7, D: null, P_w: 3},
];
const kept = (line: string): unknown => {
  const filter = filterOf(line, columns);
  return 'problem' in filter ? filter.problem : rows.filter(filter.keeps).map(row => row['run']);
};

test('words and conditions choose rows', () => {
  for (const [line, runs] of [
    ['', ['small one', 'big', 'lost']],
    ['BIG', ['big']],
    ['N>1e6', ['big', 'lost']],
    ['n>=1M', ['small one', 'big', 'lost']],
    ['N<30M', ['small one']],
    ['N=3e7 P_w<=3', ['lost']],
    ['D/N>15', ['small one']],
    ['D/N>=10', ['small one', 'big']],
    ['status=diverged', ['lost']],
    ['status!=finished', ['lost']],
    ['"small one"', ['small one']],
    ['run="small one"', ['small one']],
    ['P_w!=16', ['big', 'lost']],
    ['nothing of the kind', []],
  ] as const)
    assert.deepEqual(kept(line), runs, line);
});

test('a condition that cannot be read is a sentence', () => {
  assert.match(String(kept('size>3')), /"size" is not a column of this table; these are: run, status, N, D, P_w/);
  assert.match(String(kept('N>many')), /"many" is not a number/);
  assert.match(String(kept('N>')), /has no value; write N>4/);
  assert.match(String(kept('__proto__=1')), /is not a column/);
});

test('rows are sorted by numbers as numbers, and what has no value comes last', () => {
  const names = (key: string, up: boolean): unknown[] =>
    sorted(rows, row => row[key] as number | string | null, up).map(row => row['run']);
  assert.deepEqual(names('D', true), ['small one', 'big', 'lost']);
  assert.deepEqual(names('D', false), ['big', 'small one', 'lost']);
  assert.deepEqual(names('N', false), ['big', 'lost', 'small one']);
  assert.deepEqual(
    sorted(['run 10', 'run 9'], each => each, true),
    ['run 9', 'run 10'],
  );
});

test('packed lists are read back', () => {
  const packed = {
    '@rows': 3,
    columns: {
      x: [1, 2, 3],
      bits: {of: [4, 8], at: [0, 1, 0]},
      run: {texts: [1, 0, 1]},
      kind: {same: 'run'},
      about: {object: {N: {same: 1e6}, seed: [1, 2, null]}},
      mean: {
        list: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
    },
  };
  assert.deepEqual(unpacked({list: packed}, ['b', 'a']), {
    list: [
      {x: 1, bits: 4, run: 'a', kind: 'run', about: {N: 1e6, seed: 1}, mean: [1, 4]},
      {x: 2, bits: 8, run: 'b', kind: 'run', about: {N: 1e6, seed: 2}, mean: [2, 5]},
      {x: 3, bits: 4, run: 'a', kind: 'run', about: {N: 1e6, seed: null}, mean: [3, 6]},
    ],
  });
});

test('a document of other types reads as empty', () => {
  const report = Document.from('{"rows": 3, "answer": [1, "yes", null], "summary": [], "title": {}}');
  assert.deepEqual(
    [
      report.list('rows'),
      report.list('drawings'),
      report.sentences('answer'),
      report.object('summary'),
      report.text('title'),
    ],
    [[], [], ['yes'], {}, ''],
  );
  assert.throws(() => Document.from('[1]'));
  assert.throws(() => Document.from('{"a":'));
});

test('a drawing keeps what is well-formed and drops the rest', () => {
  const drawing = drawingFrom({
    id: 'a',
    title: 'T',
    says: 's',
    group: 'g',
    x: {label: 'x', log: true, ticks: [1, 'two', null]},
    y: 7,
    panels: [
      {
        title: 'p',
        series: [
          {
            name: 'one',
            bits: 4,
            points: [{x: 1, y: 2, low: null, run: 'r', about: {N: 1, bad: {}}}, {x: '1', y: 2}, {x: null, y: 1}, 5],
            curve: [{x: 1, y: 2, mean: [1, 3], run: [null, 2]}],
          },
          'no series',
        ],
        lines: [{diagonal: true}, {y: 0, label: 'zero'}],
      },
      {series: [{name: 'empty', points: []}]},
      null,
    ],
  });
  assert.deepEqual(drawing, {
    id: 'a',
    group: 'g',
    title: 'T',
    says: 's',
    x: {label: 'x', log: true, ticks: [1]},
    y: {label: ''},
    panels: [
      {
        title: 'p',
        series: [
          {name: 'one', bits: 4, points: [{x: 1, y: 2, run: 'r', about: {N: 1}}], curve: [{x: 1, y: 2, mean: [1, 3]}]},
        ],
        lines: [{diagonal: true}, {y: 0, label: 'zero'}],
      },
    ],
  });
  for (const wrong of [null, 3, 'x', [], {}, {title: 3}]) assert.equal(drawingFrom(wrong), undefined);
});
