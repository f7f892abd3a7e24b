// A slider beside a typed value. The value that is typed wins: the slider follows it, and writes into the same
// field. While nothing is typed, the slider stands where the plan's own choice is.
import {bytes, bytesInWords, count, countInWords, parseBytes, parseCount, parseDeviceTime, power} from '../amounts.ts';
import {element} from '../dom.ts';

export interface Scale {
  low: number;
  high: number;
  steps: number;  // per decade, or per unit of a linear scale
  linear?: boolean;
  read: (text: string) => number | undefined;
  write: (value: number, old: string) => string;  // `old`: what stood there, whose form is kept
  words: (value: number, old: string) => string;  // for a screen reader
}

const valueOf = (parsed: {value: number} | {problem: string}): number | undefined => ('value' in parsed ? parsed.value : undefined);
const twoDigits = (value: number): number => Number(value.toPrecision(2));
const kTime = /^\s*\S+\s+\S+\s+((?:of|on|x|with)\s+.*)$/i;

/** FLOP, or hours of the devices that are typed. */
export function budgetScale(devices: readonly string[]): Scale {
  const hours = (text: string): {hours: number; device: string} | undefined => {
    const parsed = parseDeviceTime(text, devices);
    return 'value' in parsed ? parsed.value : undefined;
  };
  // The position of hours is that of about their FLOP on a fast device.
  const kFlopPerHour = 1.4e18;
  return {
    low: 1e15, high: 1e27, steps: 20,
    read: text => {
      const time = hours(text);
      return time ? time.hours * kFlopPerHour : valueOf(parseCount(text));
    },
    write: (value, old) => {
      const time = hours(old);
      return time ? `${plain(twoDigits(value / kFlopPerHour))} hours of ${kTime.test(old) ? time.device.toUpperCase() : time.device}`
                  : power(twoDigits(value));
    },
    words: (value, old) => {
      const time = hours(old);
      return time ? `${countInWords(twoDigits(value / kFlopPerHour))} hours of ${time.device}` : `${countInWords(value)} FLOP`;
    },
  };
}

const plain = (value: number): string => (value >= 1e6 ? power(value) : String(value));

export const countScale = (low: number, high: number, noun: string): Scale => ({
  low, high, steps: 20, read: text => valueOf(parseCount(text)), write: value => count(twoDigits(value)),
  words: value => `${countInWords(value)} ${noun}`,
});

export const memoryScale: Scale = {
  low: 1e6, high: 1e13, steps: 20, read: text => valueOf(parseBytes(text)), write: value => bytes(twoDigits(value)), words: bytesInWords,
};

export const bitsScale: Scale = {
  low: 2, high: 16, steps: 1, linear: true,
  read: text => (/^\s*[0-9.]+\s*$/.test(text) ? Number(text) : undefined), write: value => String(Math.round(value)),
  words: value => `${value} bits`,
};

const positions = (scale: Scale): number =>
    Math.round(scale.steps * (scale.linear ? scale.high - scale.low : Math.log10(scale.high / scale.low)));

export function positionOf(scale: Scale, value: number): number {
  const share = scale.linear ? (value - scale.low) / (scale.high - scale.low)
                             : Math.log(value / scale.low) / Math.log(scale.high / scale.low);
  return Math.round(Math.min(1, Math.max(0, share)) * positions(scale));
}

export function valueAt(scale: Scale, position: number): number {
  const share = position / positions(scale);
  return scale.linear ? scale.low + share * (scale.high - scale.low) : scale.low * (scale.high / scale.low) ** share;
}

export class Slider {
  readonly element: HTMLInputElement;
  private chosen: number | undefined;

  constructor(private readonly field: HTMLInputElement, private readonly scale: Scale, name: string, private readonly free: string) {
    this.element = element('input', {type: 'range', min: '0', max: String(positions(scale)), step: '1', id: `${field.id}-slider`,
                                     'aria-label': `${name}, slider`, autocomplete: 'off'});
    this.element.addEventListener('input', () => {
      const position = Number(this.element.value);
      field.value = scale.write(valueAt(scale, position), field.value);
      field.dispatchEvent(new Event('input'));
      // The rounded value may round to a neighbour, where the slider would stick.
      this.element.value = String(position);
    });
    this.follow(undefined);
  }

  /** `chosen`: what the plan chose where nothing is typed. */
  follow(chosen: number | undefined): void {
    this.chosen = chosen ?? this.chosen;
    const typed = this.scale.read(this.field.value);
    const given = this.field.value.trim() !== '';
    const value = typed ?? (given ? undefined : this.chosen);
    if (document.activeElement !== this.element || !given)
      this.element.value = String(value === undefined ? positions(this.scale) : positionOf(this.scale, value));
    this.element.classList.toggle('free', !given);
    const words = value === undefined ? '' : this.scale.words(value, this.field.value);
    this.element.setAttribute('aria-valuetext', given ? words || 'as typed' : [this.free, words].filter(each => each).join(', '));
  }
}
