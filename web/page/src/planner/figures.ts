// Figures as functions of answers. Observable Plot draws them.
import * as Plot from '@observablehq/plot';
import {bytes, count} from '../amounts.ts';
import type {FrontierPoint} from './answers.ts';

// Okabe and Ito's colours, which colour-blind people can tell apart; shapes tell them apart, too.
const kColours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

export interface LossAtBits {
  law: string;
  bits: number;
  loss: number;
  low: number | null;
  high: number | null;
}

/** A figure is one image for a screen reader; its sentence stands below it. */
function image(figure: SVGSVGElement | HTMLElement, label: string): SVGSVGElement | HTMLElement {
  for (const part of figure.querySelectorAll('[aria-label]')) part.removeAttribute('aria-label');
  for (const drawn of figure instanceof SVGSVGElement ? [figure] : figure.querySelectorAll('svg')) {
    drawn.setAttribute('role', 'img');
    drawn.setAttribute('aria-label', label);
  }
  return figure;
}

const common = {width: 720, height: 360, marginLeft: 60, style: {background: 'transparent', fontSize: '13px'}};

/** Points to draw, and those that a law puts so far above its least loss that they would hide the others. */
export function shown(points: readonly LossAtBits[]): {points: LossAtBits[]; failing: LossAtBits[]} {
  const least = new Map<string, number>();  // by law
  for (const {law, loss} of points) least.set(law, Math.min(least.get(law) ?? Infinity, loss));
  const fails = ({law, loss}: LossAtBits): boolean => !(loss < (least.get(law) ?? Infinity) + 3);
  return {points: points.filter(point => !fails(point)), failing: points.filter(fails)};
}

export function lossByBits(points: readonly LossAtBits[], width: number): SVGSVGElement | HTMLElement {
  const bands = points.filter(point => point.low !== null && point.high !== null);
  return image(Plot.plot({
    ...common, width,
    x: {label: 'bits of weights, activations and KV', ticks: [2, 3, 4, 5, 6, 8, 10, 12, 16], tickFormat: String},
    y: {label: 'loss, nats per token', grid: true},
    color: {legend: true, range: kColours, label: 'law'},
    symbol: {legend: true},
    marks: [
      Plot.areaY(bands, {x: 'bits', y1: 'low', y2: 'high', fill: 'law', fillOpacity: 0.15}),
      Plot.lineY(points, {x: 'bits', y: 'loss', stroke: 'law', strokeWidth: 2}),
      Plot.dot(points, {x: 'bits', y: 'loss', stroke: 'law', symbol: 'law', tip: true}),
    ],
  }), 'Loss by bits in training, a line for each law');
}

export function frontierOfBytes(points: readonly FrontierPoint[], width: number): SVGSVGElement | HTMLElement {
  const inside = points.filter(point => point.beyond.length === 0);
  return image(Plot.plot({
    ...common, width,
    x: {type: 'log', label: 'bytes of the file', tickFormat: (value: number) => bytes(value), ticks: 6},
    y: {label: 'loss, nats per token', grid: true},
    color: {legend: true, label: 'best bits of the weights', type: 'ordinal', scheme: 'viridis'},
    marks: [
      Plot.lineY(points, {x: 'bytes', y: 'loss', strokeOpacity: 0.4}),
      Plot.dot(points, {x: 'bytes', y: 'loss', stroke: 'choice', r: 4}),
      Plot.dot(inside, {x: 'bytes', y: 'loss', fill: 'choice', r: 4}),
      Plot.tip(points, Plot.pointerX({x: 'bytes', y: 'loss', title: (point: FrontierPoint) =>
        `${bytes(point.bytes)}: N = ${count(point.N)} at ${point.choice}, D = ${count(point.D)}, loss ${point.loss.toFixed(3)}` +
        (point.beyond.length > 0 ? `\nbeyond the fitted runs: ${point.beyond.join('; ')}` : '')})),
    ],
  }), 'The least loss by bytes of the model file');
}
