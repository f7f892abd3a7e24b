import assert from 'node:assert/strict';
import {test} from 'node:test';
import {Latest} from '../src/engine.ts';

test('an answer that fails is told, and the next question is answered', async () => {
  const told: string[] = [];
  const latest = new Latest<number>(value => told.push(String(value)), error => told.push(String(error)));
  latest.run(async () => { throw new Error('no number'); });
  await new Promise(resolve => setTimeout(resolve, 0));
  latest.run(async () => 7);
  await new Promise(resolve => setTimeout(resolve, 0));
  assert.deepEqual(told, ['Error: no number', '7']);
});
