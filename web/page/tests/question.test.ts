import assert from 'node:assert/strict';
import {test} from 'node:test';
import type {Device} from '../src/planner/answers.ts';
import {askedOf, forPlan} from '../src/planner/question.ts';
import {kStart, linkOf, stateOf} from '../src/planner/state.ts';

const devices: Device[] = [
  {name: 'H100', source: '', flops: {16: 9e14, 8: 1.8e15}, memory_bytes: 8e10},
  {name: 'A100', source: '', flops: {16: 3e14, 8: 6e14, 4: 1.2e15}, memory_bytes: 8e10},
];

test('a state becomes options of plan', () => {
  const asked = askedOf({...kStart, budget: '2 weeks of 8 H100', memory: '24 GB', serve: '1 T', bits: '4,8,16', utilisation: '35 %'}, devices);
  assert.deepEqual(asked.problems, {});
  assert.deepEqual(asked.options, {gpu_hours: 2688, device: 'h100', utilisation: 0.35, memory_bytes: 24e9, serve_tokens: 1e12, bits: [4, 8, 16]});
  assert.equal(asked.device?.name, 'H100');
});

test('bits of the parts, and what a file holds', () => {
  const state = {...kStart, bits: 'W4A4', key_bits: '8', value_bits: '4', embedding_bits: '8', head_bits: '6', post_bits: '3',
                 embedding_format: 'q6_k', tied_head: 'yes', vocabulary: '128 k', context: '8192', device: 'A100'};
  const asked = askedOf(state, devices);
  assert.deepEqual(asked.problems, {});
  assert.deepEqual(asked.options, {compute: 1e21, precision: 'W4A4', key_bits: 8, value_bits: 4, embedding_bits: 8, head_bits: 6, post_bits: 3});
  const file = {context: 8192, vocabulary: 128e3, embedding_format: 'q6_k', tied_head: true};
  assert.deepEqual(asked.file, file);
  // A plan without a limit of memory refuses what would change nothing.
  assert.deepEqual(forPlan(asked), asked.options);
  const limited = askedOf({...state, memory: '8 GB'}, devices);
  assert.deepEqual(forPlan(limited), {...limited.options, ...file});
  assert.equal(asked.device?.name, 'A100');
});

test('the best bits after training are free beside what else is', () => {
  assert.deepEqual(askedOf({...kStart, post_bits: 'best', tokens: '1 T'}, devices).options,
                   {compute: 1e21, tokens: 1e12, free: ['P_post', 'N']});
});

test('a run of one\'s own needs parameters and tokens', () => {
  assert.deepEqual(askedOf({...kStart, run_params: '1 B', run_tokens: '20 B', run_bits: '4', run_loss: '2.9'}, devices).run,
                   {N: 1e9, D: 20e9, bits: [4], loss: 2.9});
  const half = askedOf({...kStart, run_params: '1 B'}, devices);
  assert.equal(half.run, undefined);
  assert.match(half.problems.run_tokens ?? '', /needs its parameters and its tokens/);
});

test('each field that cannot be read has its sentence, and the others count', () => {
  const asked = askedOf({...kStart, budget: 'much', memory: '3 apples', bits: '99', tokens: '2 B', key_bits: '0', utilisation: '0.4',
                         kv_share: '3', device: 'abacus', run_loss: 'low'}, devices);
  assert.deepEqual(Object.keys(asked.problems).sort(),
                   ['bits', 'budget', 'device', 'key_bits', 'kv_share', 'memory', 'run_loss', 'utilisation']);
  assert.deepEqual(asked.options, {tokens: 2e9});
});

test('a link carries the whole state, and only that', () => {
  const state = Object.fromEntries(Object.keys(kStart).map((key, i) => [key, `${i} & <b>`])) as unknown as typeof kStart;
  assert.deepEqual(stateOf(linkOf(state)), {state});
  assert.equal(linkOf(kStart), '');
  const hostile = stateOf('#budget=1e20&__proto__=1&constructor=2&laws=' + 'x'.repeat(5000));
  assert.equal(hostile.state.budget, '1e20');
  assert.equal(hostile.state.laws, 'kumar');
  assert.ok(hostile.problem?.includes('does not know'));
});

test('links of the first planner still open', () => {
  assert.deepEqual(stateOf('#budget=3e22&memory=16+MB&context=8192&serve=1+T&tokens=2+T&params=7+B&bits=4&laws=kumar%2Cquest').state,
                   {...kStart, budget: '3e22', memory: '16 MB', context: '8192', serve: '1 T', tokens: '2 T', params: '7 B', bits: '4', laws: 'kumar,quest'});
});
