// From what is typed to a question for the engine.
import {parseBytes, parseCount, parseDeviceTime, parsePlain, quoted, type Parsed} from '../amounts.ts';
import type {Json} from '../module.ts';
import type {Device} from './answers.ts';
import type {State} from './state.ts';

export type Options = {[key: string]: Json};

/** A run that the reader has made, or thinks of. */
export interface OwnRun {
  N: number;
  D: number;
  bits: number[];  // one for all parts, or three; none = 16
  post?: number;
  loss?: number;
}

/** Options of `bitlaw plan`, and a sentence for each field that cannot be read. */
export interface Asked {
  options: Options;
  file: Options;  // what the model's file holds: for plans with memory, and for the frontier of bytes
  device?: Device;  // whose formats are compared
  run?: OwnRun;
  problems: Partial<Record<keyof State, string>>;
}

const kIsTime = /[a-z]{2}.* (of|on|x|with) /i;

export function askedOf(state: State, devices: readonly Device[]): Asked {
  const options: Options = {}, file: Options = {};
  const out: Asked = {options, file, problems: {}};
  const names = devices.map(each => each.name.toLowerCase());
  const deviceNamed = (name: string): Device | undefined => devices.find(each => each.name.toLowerCase() === name.toLowerCase());
  const take = <T>(key: keyof State, parse: (text: string) => Parsed<T>, use: (value: T) => void): void => {
    if (state[key].trim() === '') return;
    const parsed = parse(state[key]);
    if ('value' in parsed) use(parsed.value);
    else out.problems[key] = parsed.problem;
  };
  const into = (where: Options, key: keyof State, parse: (text: string) => Parsed<Json>, name: string = key): void =>
      take(key, parse, value => (where[name] = value));

  if (kIsTime.test(state.budget)) {
    take('budget', text => parseDeviceTime(text, names), time => {
      options['gpu_hours'] = time.hours;
      options['device'] = time.device;
      const device = deviceNamed(time.device);
      if (device) out.device = device;
    });
    into(options, 'utilisation', parseShare);
  } else {
    into(options, 'budget', parseCount, 'compute');
    if (state.utilisation.trim() !== '')
      out.problems.utilisation = 'this counts with a time of devices as the budget, such as 2 weeks of 8 H100';
  }
  take('device', text => {
    const device = deviceNamed(text.trim());
    return device ? {value: device} : {problem: `${quoted(text)} is not a device that is known here`};
  }, device => (out.device = device));
  into(options, 'memory', parseBytes, 'memory_bytes');
  into(options, 'serve', parseCount, 'serve_tokens');
  into(options, 'tokens', parseCount);
  into(options, 'params', parseCount);
  take('bits', parsePrecision, value => (options[typeof value === 'string' ? 'precision' : 'bits'] = value));
  for (const key of ['key_bits', 'value_bits', 'embedding_bits', 'head_bits'] as const) into(options, key, parseOneWidth);
  if (state.post_bits.trim() === 'best') options['free'] = ['P_post'];
  else into(options, 'post_bits', parseOneWidth);
  for (const key of ['context', 'batch', 'vocabulary', 'scale_group'] as const) into(file, key, parseCount);
  into(file, 'kv_share', parseShare);
  for (const key of ['embedding_format', 'head_format'] as const)
    if (state[key].trim() !== '') file[key] = state[key].trim();
  if (state.tied_head === 'yes') file['tied_head'] = true;
  out.options = withFree(options);
  takeRun(state, out);
  return out;
}

/** Where P_post is free, the others that are not given are, too. */
function withFree(options: Options): Options {
  if (!options['free']) return options;
  const free = ['P_post'];
  if (options['params'] === undefined) free.push('N');
  if (options['tokens'] === undefined) free.push('D');
  return {...options, free};
}

function takeRun(state: State, out: Asked): void {
  const read = <T>(key: keyof State, parse: (text: string) => Parsed<T>): T | undefined => {
    if (state[key].trim() === '') return undefined;
    const parsed = parse(state[key]);
    if ('value' in parsed) return parsed.value;
    out.problems[key] = parsed.problem;
    return undefined;
  };
  const N = read('run_params', parseCount), D = read('run_tokens', parseCount);
  const bits = read('run_bits', parseWidths), post = read('run_post', parseOneWidth);
  const loss = read('run_loss', text => parsePlain(text, 'a loss in nats per token, such as 2.91'));
  if (N !== undefined && D !== undefined) {
    out.run = {N, D, bits: bits ?? [], ...(post === undefined ? {} : {post}), ...(loss === undefined ? {} : {loss})};
  } else if ([N, D, bits, post, loss].some(each => each !== undefined)) {
    const lacks = N === undefined ? 'run_params' : 'run_tokens';
    out.problems[lacks] ??= 'your run needs its parameters and its tokens';
  }
}

/** A plan's own options: what a file holds counts where memory is limited, and is refused where it is not. */
export const forPlan = ({options, file}: Asked): Options =>
    options['memory_bytes'] === undefined ? options : {...options, ...file};

function parseShare(text: string): Parsed<number> {
  const parsed = parsePlain(text, 'a share such as 0.4 or 40 %');
  if (!('value' in parsed)) return parsed;
  return parsed.value <= 1 ? parsed : {problem: `${quoted(text)} is more than all; write a share such as 0.4 or 40 %`};
}

function parseOneWidth(text: string): Parsed<number> {
  const value = Number(text);
  return text.trim() !== '' && value >= 1 && value <= 16 ? {value} : {problem: 'bits are one number from 1 to 16'};
}

function parseWidths(text: string): Parsed<number[]> {
  const parts = text.split(/[,/ ]+/).filter(part => part !== '').map(Number);
  const known = parts.every(part => part >= 1 && part <= 16) && (parts.length === 1 || parts.length === 3);
  return known ? {value: parts}
               : {problem: 'bits are one number from 1 to 16, or three: weights, activations, KV, as in 4,8,16'};
}

/** Bits, or the name of a precision, which the engine knows. */
function parsePrecision(text: string): Parsed<number[] | string> {
  return /^\s*[a-z]/i.test(text) ? {value: text.trim()} : parseWidths(text);
}
