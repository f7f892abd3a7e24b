import assert from 'node:assert/strict';
import {test} from 'node:test';
import {LiveState, bitsOf, budgetOf, lawSays, statesOf, timeLeft, type Law, type Row, type Study} from '../src/live/state.ts';

const row = (id: string, status: string): Row => ({id, study: 's', run: id, status});
const study = (cells: Record<string, number>): Study => ({
  key: 's', name: 's', directory: 's', runs: 1, cells, jobs: null, quantized: null, workers: [], failures: [],
  problems: [], problems_in_all: 0, seconds_left: null,
});

test('an event that comes before its snapshot is applied after it, one that the snapshot has is not', () => {
  const state = new LiveState();
  state.await();
  state.look({version: 4, rows: [row('a', 'old')], gone: []});
  state.look({version: 6, rows: [row('b', 'new')], gone: ['c']});
  assert.equal(state.rows.size, 0);
  state.take({version: 5, rows: [row('a', 'of the snapshot'), row('c', 'of the snapshot')]}, [study({})]);
  assert.deepEqual([...state.rows.values()].map(each => [each.id, each.status]), [['a', 'of the snapshot'], ['b', 'new']]);
});

test('after a snapshot, events count once and in order', () => {
  const state = new LiveState();
  state.take({version: 1, rows: []}, []);
  assert.deepEqual(state.look({version: 2, rows: [row('a', 'running')], gone: [], studies: [study({running: 1})]}).map(each => each.id), ['a']);
  assert.deepEqual(state.look({version: 2, rows: [row('a', 'waiting')], gone: []}), []);
  assert.equal(state.rows.get('a')?.status, 'running');
  assert.equal(state.studies.length, 1);
  state.look({version: 3, rows: [], gone: ['a']});
  assert.deepEqual(state.runsOf('s'), []);
});

test('states stand in one order, and those of no cell are left out', () => {
  assert.deepEqual(statesOf(study({waiting: 2, finished: 1, failed: 0, odd: 3})), [['finished', 1], ['waiting', 2], ['odd', 3]]);
});

test('times and bits are words', () => {
  assert.deepEqual([5, 60, 61, 3599, 3600, 12_000, 500_000].map(timeLeft),
                   ['about 1 min', 'about 1 min', 'about 2 min', 'about 60 min', 'about 60 min', 'about 3 h 20 min', 'about 6 days']);
  assert.equal(bitsOf({...row('a', ''), P_w: 4, P_a: 16, P_kv: 16}), '4/16/16');
  assert.equal(bitsOf({...row('a', ''), P_w: 16, P_a: 16, P_kv: 16}), '16');
});

test('the law says on how many runs, which constant moved most, or why there is none', () => {
  const law = (so_far: Law['so_far'], problem: string | null = null): Law => ({study: 's', read: true, so_far, problem, fitted: false});
  assert.match(lawSays(undefined), /being read/);
  assert.match(lawSays({...law(null), read: false}), /being read/);
  assert.match(lawSays(law(null)), /identify no constant/);
  assert.match(lawSays({...law(null), fitted: true}), /have the whole fit/);
  assert.equal(lawSays(law(null, 'too few rows')), 'No fit: too few rows');
  const constants = [{name: 'A', value: 100, change: 1}, {name: 'alpha', value: 0.3, change: -0.03}];
  assert.match(lawSays(law({law: 'kumar', runs: 41, constants})), /fitted to 41 finished runs.*that of alpha/);
  assert.match(lawSays(law({law: 'kumar', runs: 41, constants: [{name: 'A', value: 1, change: null}]})), /from the second fit on/);
});

test('the planner starts from ten times the largest run', () => {
  assert.equal(budgetOf([{...row('a', ''), N: 1e6, D: 2e9}, {...row('b', ''), N: null}]), '1e17');
  assert.equal(budgetOf([row('a', '')]), undefined);
});
