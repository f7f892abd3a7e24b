import assert from 'node:assert/strict';
import {test} from 'node:test';
import {askedOf} from '../src/planner/question.ts';
import {kStart, linkOf, stateOf} from '../src/planner/state.ts';

const devices = ['h100', 'a100'];

test('a state becomes options of plan', () => {
  const asked = askedOf({...kStart, budget: '2 weeks of 8 H100', memory: '24 GB', serve: '1 T', bits: '4,8,16'}, devices);
  assert.deepEqual(asked.problems, {});
  assert.deepEqual(asked.options, {gpu_hours: 2688, device: 'h100', memory_bytes: 24e9, serve_tokens: 1e12, bits: [4, 8, 16]});
});

test('each field that cannot be read has its sentence, and the others count', () => {
  const asked = askedOf({...kStart, budget: 'much', memory: '3 apples', bits: '99', tokens: '2 B'}, devices);
  assert.deepEqual(Object.keys(asked.problems).sort(), ['bits', 'budget', 'memory']);
  assert.deepEqual(asked.options, {tokens: 2e9});
});

test('a link carries the whole state, and only that', () => {
  const state = {...kStart, budget: '3e22', memory: '16 MB', laws: 'kumar,quest', bits: '4'};
  assert.deepEqual(stateOf(linkOf(state)), {state});
  assert.equal(linkOf(kStart), '');
  const hostile = stateOf('#budget=1e20&__proto__=1&constructor=2&laws=' + 'x'.repeat(5000));
  assert.equal(hostile.state.budget, '1e20');
  assert.equal(hostile.state.laws, 'kumar');
  assert.ok(hostile.problem?.includes('does not know'));
});
