import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Drawing} from '../src/drawing.ts';
import {csvOf, dataOf} from '../src/draw/csv.ts';
import {shortened, wrapped} from '../src/draw/export.ts';
import {bitsColour, inLight, kShapes, looksOf, outline, paletteStyle} from '../src/draw/looks.ts';
import {allPositive, bounds, exact, frameOf, short, steps, ticksOf, withLines} from '../src/draw/numbers.ts';

const drawing = (panels: Drawing['panels']): Drawing => ({
  id: 'one',
  group: 'g',
  title: 't',
  says: 's',
  x: {label: 'bits'},
  y: {label: 'loss, nats'},
  panels,
});

test('numbers are short, and losses keep five digits', () => {
  for (const [value, text] of [
    [12_345_678, '12.35 M'],
    [1e9, '1 B'],
    [999_999, '1 M'],
    [0, '0'],
    [3.14159, '3.142'],
    [-2e6, '-2 M'],
    [3.2e-7, '3.2e-7'],
    [5e17, '5e17'],
    [NaN, '–'],
  ] as const)
    assert.equal(short(value), text);
  assert.equal(exact(2.764812), '2.7648');
  assert.equal(exact(1.5e9), '1.5 B');
});

test('ticks lie inside the range, are few, rise, and are round', () => {
  for (const [range, log] of [
    [[0, 1], false],
    [[3.2012, 3.2019], false],
    [[-4, 11], false],
    [[1e3, 2e9], true],
    [[3.1, 3.4], true],
    [[2, 16], true],
    [[1e-12, 1e12], true],
    [[-1e-9, 1e-9], false],
  ] as const) {
    for (const most of [3, 5, 8]) {
      const ticks = ticksOf(range, log, most);
      assert.ok(ticks.length >= 1 && ticks.length <= most + 1, `${range} ${log} ${most}: ${ticks}`);
      const slack = 1e-9 * (range[1] - range[0]);
      for (const [i, tick] of ticks.entries()) {
        assert.ok(tick >= range[0] - slack && tick <= range[1] + slack, `${tick} in ${range}`);
        assert.ok(i === 0 || tick > ticks[i - 1]!);
        assert.equal(tick, Number(tick.toPrecision(6)));
      }
    }
  }
  assert.deepEqual(ticksOf([1e6, 1e9], true, 5), [1e6, 1e7, 1e8, 1e9]);
  assert.deepEqual(ticksOf([2, 2], false, 5), [2]);
});

test('a frame holds every point, and no curve that dwarfs them', () => {
  const points = [3, 3.1, 3.2],
    steep = [...Array.from({length: 30}, (_, i) => 3 + i / 200), 3.4, 7, 40];
  const frame = frameOf(points, steep, false, false)!;
  assert.ok(frame.range[0] < 3 && frame.range[1] > 3.2 && frame.range[1] < 4 && frame.cut);
  const whole = frameOf(points, steep, false, true)!;
  assert.ok(whole.range[1] > 40 && !whole.cut);
  const gentle = frameOf(points, [2.95, 3.25], false, false)!;
  assert.ok(gentle.range[0] < 2.95 && gentle.range[1] > 3.25 && !gentle.cut);
  // Of curves alone, the few that are far above the others leave the frame.
  const curves = [...Array.from({length: 50}, (_, i) => 2 + i / 100), 90];
  const alone = frameOf([], curves, false, false)!;
  assert.ok(alone.cut && alone.range[1] < 10 && alone.range[0] < 2);
  assert.equal(frameOf([], [], false, false), undefined);
  assert.equal(frameOf([-1, 0], [], true, false), undefined);
  const one = frameOf([5], [], false, false)!;
  assert.ok(one.range[0] < 5 && one.range[1] > 5);
  const log = frameOf([1e-3, 1e3, -4], [], true, false)!;
  assert.ok(log.range[0] > 0 && log.range[0] < 1e-3 && log.range[1] > 1e3);
});

test('a line of reference is in the frame where it is near, and does not decide it', () => {
  // A profile: no points, and a line at 2.7 that crosses the curve.
  const frame = frameOf(
    [],
    Array.from({length: 21}, (_, i) => (i - 10) ** 2 / 10),
    false,
    false,
  )!;
  const held = withLines(frame, [2.7], false);
  assert.ok(held.range[0] <= 0 && held.range[1] > 8, `${held.range}`);
  const near = withLines({range: [2, 3], cut: false}, [3.4], false).range;
  assert.ok(near[0] === 2 && near[1] > 3.4 && near[1] < 3.6);
  assert.deepEqual(withLines({range: [2, 3], cut: false}, [900], false).range, [2, 3]);
  const log = withLines({range: [1, 10], cut: false}, [20, -1], true).range;
  assert.ok(Math.abs(log[0] - 1) < 1e-12 && log[1] > 20 && log[1] < 30);
});

test('cells touch their neighbours', () => {
  for (const log of [false, true]) {
    const made = bounds([2, 3, 4, 8, 3], log);
    assert.deepEqual([...made.keys()], [2, 3, 4, 8]);
    const list = [...made.values()];
    for (let i = 1; i < list.length; ++i) assert.ok(Math.abs(list[i - 1]![1] - list[i]![0]) < 1e-12, `${log} ${i}`);
    for (const [middle, [low, high]] of made) assert.ok(low < middle && middle < high);
  }
  assert.deepEqual([...bounds([7], false).values()], [[6.5, 7.5]]);
});

test('cells whose values are unevenly spaced stand in steps', () => {
  assert.deepEqual(steps([16, 3, 4, 8, 3], false), [3, 4, 8, 16]);
  assert.equal(steps([3, 4, 5, 6], false), undefined);
  assert.equal(steps([2, 4, 8, 16], true), undefined);
  assert.deepEqual(steps([2, 4, 8, 16], false), [2, 4, 8, 16]);
});

test('an axis may be logarithmic where all of its values are positive', () => {
  assert.ok(allPositive([1, 2]));
  assert.ok(!allPositive([1, 0]));
  assert.ok(!allPositive([]));
});

test('the data of a figure are rows, without columns that are empty', () => {
  const data = dataOf(
    drawing([
      {
        title: 'N = 1 M',
        series: [
          {
            name: '4 bits',
            points: [{x: 4, y: 3.5, low: 3.4, high: 3.6, run: 'r1', about: {N: 1e6, x: 'other'}}],
            curve: [{x: 4, y: 3.51, mean: [3.5, 3.52]}],
          },
        ],
        lines: [{y: 1, label: 'one'}],
        cells: [{x: 1, y: 2, value: 3}],
      },
    ]),
  );
  assert.deepEqual(data.columns, [
    'panel',
    'series',
    'what',
    'bits',
    'loss, nats',
    'low',
    'high',
    'mean low',
    'mean high',
    'value',
    'run',
    'label',
    'N',
    'x (about)',
  ]);
  assert.deepEqual(data.rows[0], [
    'N = 1 M',
    '4 bits',
    'point',
    4,
    3.5,
    3.4,
    3.6,
    undefined,
    undefined,
    undefined,
    'r1',
    undefined,
    1e6,
    'other',
  ]);
  assert.deepEqual(
    data.rows.map(row => row[2]),
    ['point', 'curve', 'cell', 'line'],
  );
});

test('no text of a CSV is a formula, and numbers stay numbers', () => {
  const text = csvOf({
    columns: ['=1+1', 'b'],
    rows: [
      ['+cmd', -3.5],
      ['-x', 1e-7],
      ['@sum', NaN],
      ['\tq', undefined],
      ['say "no", twice', 'two\nlines'],
      ['r-1', 'a=b'],
    ],
  });
  assert.equal(
    text,
    '\'=1+1,b\r\n\'+cmd,-3.5\r\n\'-x,1e-7\r\n\'@sum,\r\n\'\tq,\r\n"say ""no"", twice","two\nlines"\r\nr-1,a=b\r\n',
  );
});

test('series of one name look the same in all panels, and differ from the others', () => {
  const looks = looksOf(
    drawing([
      {
        series: [
          {name: '8 bits', bits: 8},
          {name: '3 bits', bits: 3},
        ],
      },
      {
        series: [
          {name: '4 bits', bits: 4},
          {name: '3 bits', bits: 3},
        ],
      },
    ]),
  );
  assert.deepEqual([...looks.keys()], ['3 bits', '4 bits', '8 bits']);
  assert.equal(new Set([...looks.values()].map(look => look.colour)).size, 3);
  assert.equal(new Set([...looks.values()].map(look => look.shape)).size, 3);
  const plain = looksOf(drawing([{series: Array.from({length: 20}, (_, i) => ({name: `s${i}`}))}]));
  assert.equal(new Set([...plain.values()].map(look => `${look.colour} ${look.shape}`)).size, 20);
  assert.equal(new Set(kShapes.map((_, i) => outline(i, 3))).size, kShapes.length);
});

// Relative luminance, and the contrast of two colours, as WCAG 2 has them.
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map(at => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(each => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

test('bits are ordered in lightness, and every colour can be seen on its paper', () => {
  const [light = '', dark = ''] = paletteStyle().split('@media');
  for (const css of [light, dark]) {
    const colours = new Map(
      [...css.matchAll(/--figure-([a-z0-9-]+):(#[0-9a-f]{6})/g)].map(([, name = '', colour = '']) => [name, colour]),
    );
    const paper = colours.get('paper')!;
    for (const [name, colour] of colours) {
      const least = name === 'ink' || name === 'quiet' ? 4.5 : /^(series|bits)/.test(name) ? 2.4 : 0;
      assert.ok(contrast(colour, paper) >= least, `${name} ${colour} on ${paper}: ${contrast(colour, paper)}`);
    }
    const ramp = Array.from({length: 16}, (_, i) => luminance(colours.get(`bits-${i}`)!));
    for (let i = 1; i < ramp.length; ++i)
      assert.ok(ramp[i]! < ramp[i - 1]!, `step ${i} of ${css === light ? 'light' : 'dark'}`);
  }
  assert.equal(new Set([2, 3, 4, 5, 6, 8, 12, 16].map(bitsColour)).size, 8);
});

test('a downloaded figure names no variable', () => {
  assert.equal(
    inLight('<a fill="var(--figure-paper)" stroke="var(--unknown)" color="currentColor"/>'),
    '<a fill="#ffffff" stroke="#1c2430" color="#1c2430"/>',
  );
  assert.equal(shortened('<path d="M1.23456,-0.0049L2,3.999" a="1.23456"/>1.23456'), '<path d="M1.23,0L2,4" a="1.23456"/>1.23456');
  assert.deepEqual(wrapped('one two three', 7), ['one two', 'three']);
});
