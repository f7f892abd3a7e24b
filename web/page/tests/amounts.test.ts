import assert from 'node:assert/strict';
import {test} from 'node:test';
import {bytes, count, parseBytes, parseCount, parseDeviceTime, power} from '../src/amounts.ts';

const value = (parsed: {value: unknown} | {problem: string}): unknown =>
  'value' in parsed ? parsed.value : parsed.problem;

test('counts are what people mean by them', () => {
  for (const [text, number] of [
    ['1e21', 1e21], ['300 B', 300e9], ['300b', 300e9], ['1.5 trillion', 1.5e12], ['20M tokens', 20e6],
    ['1,000,000', 1e6], ['7 billion parameters', 7e9], ['.5B', 0.5e9], ['2e3k', 2e6], ['1e21 FLOP', 1e21],
  ] as const) {
    assert.equal(value(parseCount(text)), number, text);
  }
});

test('what is no count is a sentence that says what to write', () => {
  for (const text of ['', 'many', '-3', '0', '1e999', '1 x', '1..2', '<b>1</b>', '1e21 sheep']) {
    const parsed = parseCount(text);
    assert.ok('problem' in parsed && /write|use/.test(parsed.problem), text);
  }
});

test('memory is decimal, or binary if it says so', () => {
  assert.equal(value(parseBytes('16 MB')), 16e6);
  assert.equal(value(parseBytes('24GiB')), 24 * 2 ** 30);
  assert.equal(value(parseBytes('8e9')), 8e9);
  assert.ok('problem' in parseBytes('16 parsecs'));
});

test('time of devices', () => {
  const devices = ['h100', 'a100'];
  assert.deepEqual(value(parseDeviceTime('2 weeks of 8 H100', devices)), {hours: 2 * 168 * 8, device: 'h100'});
  assert.deepEqual(value(parseDeviceTime('1000 hours of A100s', devices)), {hours: 1000, device: 'a100'});
  for (const text of ['2 weeks', '2 fortnights of H100', '2 weeks of 8 abacus', '0 days of H100'])
    assert.ok('problem' in parseDeviceTime(text, devices), text);
});

test('numbers are read back as they are shown', () => {
  for (const number of [1e3, 4.83e9, 999.4e6, 27e12, 5.1e18, 12]) {
    const shown = parseCount(count(number));
    assert.ok('value' in shown && Math.abs(shown.value / number - 1) < 0.005, count(number));
  }
  assert.equal(count(999_999_999), '1 B');
  assert.equal(bytes(926638747), '927 MB');
  assert.equal(power(3.2e21), '3.2e21');
});
