import assert from 'node:assert/strict';
import {test} from 'node:test';
import {contendersOf} from '../src/planner/contenders.ts';
import {contour} from '../src/planner/contours.ts';
import {lossByBits, lossByBudget, shown} from '../src/planner/drawings.ts';
import {linesOf, withAll} from '../src/planner/laws.ts';
import {textIn} from '../src/planner/text.ts';
import {bitsScale, budgetScale, countScale, memoryScale, positionOf, valueAt, type Scale} from '../src/planner/sliders.ts';

const devices = ['h100'];

test('every place of a slider writes a value that puts it there again', () => {
  for (const [scale, old] of [[budgetScale(devices), '1e21'], [budgetScale(devices), '2 weeks of 8 H100'], [memoryScale, ''],
                              [countScale(1e6, 1e13, 'parameters'), ''], [bitsScale, '']] as [Scale, string][]) {
    const places = Math.round(scale.steps * (scale.linear ? scale.high - scale.low : Math.log10(scale.high / scale.low)));
    const written = new Set<string>();
    for (let place = 0; place <= places; ++place) {
      const text = scale.write(valueAt(scale, place), old);
      const back = scale.read(text);
      assert.ok(back !== undefined, text);
      assert.ok(Math.abs(positionOf(scale, back) - place) <= (old.includes('weeks') ? 1 : 0), `${place}: ${text}`);
      written.add(text);
    }
    if (!old.includes('weeks')) assert.equal(written.size, places + 1);
  }
});

test('a slider says its value in words', () => {
  assert.equal(memoryScale.words(24e9, ''), '24 gigabytes');
  assert.equal(countScale(1, 10, 'tokens').words(3e11, ''), '300 billion tokens');
  assert.equal(budgetScale(devices).words(3.2e21, '1e21'), '3.2 times 10 to the 21 FLOP');
  assert.match(budgetScale(devices).words(1.4e21, '2 days of H100'), /^1 thousand hours of h100$/);
});

test('contours of a plane are straight, and those of a bowl are closed', () => {
  const x = [1, 10, 100], y = [0, 1, 2];
  // In log10 x + y the level 1.5 is one line from edge to edge.
  const plane = contour({x, y, value: y.flatMap(b => x.map(a => Math.log10(a) + b)), logX: true}, 1.5);
  assert.equal(plane.length, 1);
  for (const [a, b] of plane[0]!) assert.ok(Math.abs(Math.log10(a) + b - 1.5) < 1e-12);
  const grid = Array.from({length: 21}, (_, i) => i - 10);
  const bowl = contour({x: grid, y: grid, value: grid.flatMap(b => grid.map(a => a * a + b * b))}, 30);
  assert.equal(bowl.length, 1);
  assert.deepEqual(bowl[0]![0], bowl[0]!.at(-1));
  for (const [a, b] of bowl[0]!) assert.ok(Math.abs(Math.hypot(a, b) - Math.sqrt(30)) < 0.05);
  // Where nothing is known, nothing is drawn.
  assert.deepEqual(contour({x, y, value: [0, null, 0, null, 3, null, 0, null, 0]}, 1), []);
});

const curve = (law: string, losses: [number, number][]) => ({law, places: losses.map(([x, loss]) => ({x, loss}))});

test('several laws are drawn as differences, and the band is their range', () => {
  const made = lossByBits([curve('a', [[4, 3.1], [8, 2.9], [16, 3]]), curve('b', [[4, 1.8], [16, 2]])], ['c']);
  const series = made.panels[0]!.series!;
  assert.deepEqual(series.map(each => each.name), ['a', 'b', 'range of the laws']);
  assert.deepEqual(series[0]!.curve!.map(place => Number(place.y.toFixed(9))), [0.1, -0.1, 0]);
  const range = Object.fromEntries(series[2]!.curve!.map(place => [place.x, place.mean!.map(value => Number(value.toFixed(6)))]));
  // At 8 bits b has no number of its own: its line is read off between 4 and 16.
  assert.deepEqual(range, {4: [-0.2, 0.1], 8: [-0.133333, -0.1], 16: [0, 0]});
  assert.match(made.says, /do not agree on the best of these widths: 8 bits by a, 4 bits by b/);
  assert.match(made.says, /c does not say/);
});

test('one law is drawn with its losses and intervals', () => {
  const made = lossByBudget([{law: 'mine', places: [{x: 1e20, loss: 3.2}, {x: 1e21, loss: 3, mean: [2.9, 3.1], run: [2.8, 3.2]}, {x: 1e22, loss: 2.9}]}],
                            {amount: 1e21, unit: 'FLOP'}, {x: 3e20, loss: 3.3});
  const [mine, run] = made.panels[0]!.series!;
  assert.deepEqual(mine!.curve![1], {x: 1e21, y: 3, mean: [2.9, 3.1], run: [2.8, 3.2]});
  assert.deepEqual(run, {name: 'your run', points: [{x: 3e20, y: 3.3}]});
  assert.match(made.says, /Ten times the budget lowers the loss by 0.100 nats by mine/);
});

test('losses where training fails are not drawn, and said', () => {
  const {places, failing} = shown([{x: 2, loss: 12}, {x: 4, loss: 3}, {x: 16, loss: 2.9}]);
  assert.deepEqual([places.map(each => each.x), failing.map(each => each.x)], [[4, 16], [2]]);
});

test('names of laws may name a set of constants, and one\'s own fit comes first', () => {
  assert.deepEqual(contendersOf('kumar, chinchilla:besiroglu,kumar', undefined).map(each => each.of),
                   [{law: 'kumar'}, {law: 'chinchilla', constants: 'besiroglu'}]);
  const [own, other] = contendersOf('kumar', {name: 'mine', fit: {law: 'kumar', draws: {names: [], values: []}}});
  assert.deepEqual([own!.name, own!.light, other!.name], ['mine', {law: 'kumar'}, 'kumar']);
  assert.deepEqual(contendersOf(' , ', undefined).map(each => each.name), ['kumar']);
});

test('the list of laws has a line for each set of constants of a loss', () => {
  const base = {title: 'T', formula: 'L', uses_bits: true};
  const lines = linesOf([
    {...base, name: 'chinchilla', quantity: 'loss', constants: [{name: 'hoffmann', source: 'H'}, {name: 'besiroglu', source: 'B'}]},
    {...base, name: 'gap', quantity: 'gap', constants: [{name: 'start', source: 'starting point'}]},
    {...base, name: 'own', quantity: 'loss', constants: [{name: 'start', source: 'starting point, nothing published'}]},
  ]);
  assert.deepEqual(lines.map(({name, published}) => [name, published]), [['chinchilla', true], ['chinchilla:besiroglu', true], ['own', false]]);
});

test('all is every law with published constants, once', () => {
  const lines = [{name: 'a', title: '', published: true}, {name: 'a:second', title: '', published: true}, {name: 'b', title: '', published: false},
                 {name: 'c', title: '', published: true}];
  assert.equal(withAll('all', lines), 'a,c');
  assert.equal(withAll('b, all', lines), 'b,a,c');
  assert.equal(withAll('allx,a:second', lines), 'allx,a:second');
});

test('text is UTF-8, or UTF-16 by its byte order mark', () => {
  const text = 'N,D,loss\n1e7,1e9,3\nä,€,2\n';
  const swapped = (bytes: Uint8Array): Uint8Array => bytes.map((_, i) => bytes[i ^ 1]!);
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`), little, swapped(little)]) assert.equal(textIn(bytes), text);
  for (const bytes of [Buffer.from(text, 'utf16le'), Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from('a\0b'), Buffer.from([0xff, 0xfe, 0x41])])
    assert.equal(textIn(bytes), undefined);
  assert.equal(textIn(new Uint8Array([0x61])), 'a');
});
