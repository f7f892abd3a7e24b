// From what is typed to a question for the engine.
import {parseBytes, parseCount, parseDeviceTime, type Parsed} from '../amounts.ts';
import type {Json} from '../module.ts';
import type {State} from './state.ts';

export type Options = {[key: string]: Json};

/** Options of `bitlaw plan`, and a sentence for each field that cannot be read. */
export interface Asked {
  options: Options;
  problems: Partial<Record<keyof State, string>>;
}

export function askedOf(state: State, devices: readonly string[]): Asked {
  const options: Options = {};
  const problems: Asked['problems'] = {};
  const take = <T>(key: keyof State, parse: (text: string) => Parsed<T>, use: (value: T) => void): void => {
    if (state[key].trim() === '') return;
    const parsed = parse(state[key]);
    if ('value' in parsed) use(parsed.value);
    else problems[key] = parsed.problem;
  };
  if (/[a-z]{2}.* (of|on|x|with) /i.test(state.budget)) {
    take('budget', text => parseDeviceTime(text, devices), time => {
      options['gpu_hours'] = time.hours;
      options['device'] = time.device;
    });
  } else {
    take('budget', parseCount, value => (options['compute'] = value));
  }
  take('memory', parseBytes, value => (options['memory_bytes'] = value));
  take('context', parseCount, value => (options['context'] = value));
  take('serve', parseCount, value => (options['serve_tokens'] = value));
  take('tokens', parseCount, value => (options['tokens'] = value));
  take('params', parseCount, value => (options['params'] = value));
  take('bits', parseBits, value => (options['bits'] = value));
  return {options, problems};
}

function parseBits(text: string): Parsed<number[]> {
  const parts = text.split(/[,/ ]+/).filter(part => part !== '').map(Number);
  const known = parts.every(part => part >= 1 && part <= 16) && (parts.length === 1 || parts.length === 3);
  return known ? {value: parts}
               : {problem: 'bits are one number from 1 to 16, or three: weights, activations, KV, as in 4,8,16'};
}
