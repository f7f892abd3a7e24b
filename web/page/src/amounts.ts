// Numbers as people type them, and as people read them.

/** One number with a unit, or a sentence on what is wrong. */
export type Parsed<T> = {value: T} | {problem: string};

const kSuffixes: Record<string, number> = {
  k: 1e3, thousand: 1e3, m: 1e6, million: 1e6, b: 1e9, g: 1e9, billion: 1e9, t: 1e12,
  trillion: 1e12, p: 1e15, e: 1e18, z: 1e21, y: 1e24,
};

/** "300 B", "1.5e9", "20M", "1,000,000": a count of parameters, tokens or FLOP. */
export function parseCount(text: string): Parsed<number> {
  const found = /^\s*([0-9][0-9,_ ]*(?:\.[0-9]+)?|\.[0-9]+)(?:e([+-]?[0-9]+))?\s*([a-z]*?)\s*(?:flops?|tokens?|params?|parameters?)?\s*$/i.exec(text);
  const wrong = {problem: `${quoted(text)} is not a number; write 1e21, 300 B or 1.5 trillion`};
  if (!found) return wrong;
  const [, digits = '', exponent = '', unit = ''] = found;
  const word = unit.toLowerCase();
  const factor = word === '' ? 1 : kSuffixes[word];
  if (factor === undefined)
    return {problem: `${quoted(unit)} is not a unit; use k, M, B, T, or a number such as 1e21`};
  const value = Number(digits.replace(/[,_ ]/g, '') + (exponent ? `e${exponent}` : '')) * factor;
  return Number.isFinite(value) && value > 0 ? {value} : wrong;
}

const kBytes: Record<string, number> = {
  '': 1, b: 1, byte: 1, bytes: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, k: 1e3, m: 1e6, g: 1e9, t: 1e12,
  kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40,
};

/** "16 MB", "24 GiB", "8e9": bytes; MB is a million, MiB is 2^20. */
export function parseBytes(text: string): Parsed<number> {
  const found = /^\s*([0-9][0-9,_ ]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\.[0-9]+)\s*([a-z]*)\s*$/i.exec(text);
  const factor = found ? kBytes[(found[2] ?? '').toLowerCase()] : undefined;
  const value = found && factor !== undefined ? Number(found[1]?.replace(/[,_ ]/g, '')) * factor : NaN;
  return Number.isFinite(value) && value > 0
    ? {value}
    : {problem: `${quoted(text)} is not an amount of memory; write 16 MB, 24 GB or 8 GiB`};
}

export interface DeviceTime {
  hours: number;  // of all devices together
  device: string;
}

const kHours: Record<string, number> = {hour: 1, h: 1, day: 24, d: 24, week: 168, month: 730, year: 8760};

/** "2 weeks of 8 H100", "1000 h100 hours": time of devices. */
export function parseDeviceTime(text: string, devices: readonly string[]): Parsed<DeviceTime> {
  const example = 'write 2 weeks of 8 H100, or 1000 hours of A100';
  const found = /^\s*([0-9.]+(?:e[0-9]+)?)\s*([a-z]+?)s?\s+(?:of|on|x|with)\s+(?:([0-9]+)\s*x?\s*)?([a-z][a-z0-9-]*)\s*$/i.exec(text);
  if (!found) return {problem: `${quoted(text)} is not a time of devices; ${example}`};
  const [, amount = '', unit = '', many = '1', name = ''] = found;
  const hours = kHours[unit.toLowerCase()];
  if (hours === undefined)
    return {problem: `${quoted(unit)} is not a time; use hours, days, weeks, months or years`};
  const known = [name, name.replace(/s$/i, '')].map(each => each.toLowerCase()).find(each => devices.includes(each));
  if (known === undefined)
    return {problem: `${quoted(name)} is not a device that is known here; these are: ${devices.join(', ')}`};
  const value = Number(amount) * hours * Number(many);
  return value > 0 && Number.isFinite(value) ? {value: {hours: value, device: known}}
                                             : {problem: `${quoted(text)} is no time; ${example}`};
}

/** "2.91" or "40 %": a positive number. */
export function parsePlain(text: string, example: string): Parsed<number> {
  const found = /^\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*(%?)\s*$/i.exec(text);
  const value = found ? Number(found[1]) / (found[2] ? 100 : 1) : NaN;
  return Number.isFinite(value) && value > 0 ? {value} : {problem: `${quoted(text)} is not a number; write ${example}`};
}

export function quoted(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  return `"${short}"`;
}

const kNames: readonly [number, string][] = [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'k']];

/** 4.83e9 as "4.83 B". */
export function count(value: number): string {
  if (!Number.isFinite(value)) return 'unknown';
  for (const [size, name] of kNames) {
    if (value >= 0.9995 * size) return value >= 1000 * size ? power(value) : `${three(value / size)} ${name}`;
  }
  return three(value);
}

/** 9.27e8 as "927 MB". */
export function bytes(value: number): string {
  for (const [size, name] of [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']] as const) {
    if (value >= 0.9995 * size) return `${three(value / size)} ${name}`;
  }
  return `${three(value)} bytes`;
}

/** 3.2e21 as "3.2e21". */
export function power(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential(2).split('e');
  return `${Number(digits)}e${Number(exponent)}`;
}

const kWords: readonly [number, string][] = [[1e12, 'trillion'], [1e9, 'billion'], [1e6, 'million'], [1e3, 'thousand']];

/** 3e11 as "300 billion", 3.2e21 as "3.2 times 10 to the 21": for a screen reader. */
export function countInWords(value: number): string {
  for (const [size, name] of kWords) {
    if (value >= 1000 * 1e12) break;
    if (value >= 0.9995 * size) return `${three(value / size)} ${name}`;
  }
  if (value < 1000) return three(value);
  const [digits, exponent] = power(value).split('e');
  return `${digits} times 10 to the ${exponent}`;
}

export function bytesInWords(value: number): string {
  for (const [size, name] of [[1e12, 'terabytes'], [1e9, 'gigabytes'], [1e6, 'megabytes'], [1e3, 'kilobytes']] as const) {
    if (value >= 0.9995 * size) return `${three(value / size)} ${name}`;
  }
  return `${three(value)} bytes`;
}

function three(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export const bits = (value: number): string => `${Number(value.toFixed(2))}`;
export const nats = (value: number): string => value.toFixed(4);
