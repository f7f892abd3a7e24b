// Figures as data, made of answers. What each says is computed.
import {bits, bytes, count, nats} from '../amounts.ts';
import type {Contour, Drawing, Panel, Place, Series} from '../drawing.ts';
import type {Frontier, FrontierPoint, Landscape, Optimum} from './answers.ts';
import {contour} from './contours.ts';
import type {CurvePlace, LawCurve, Run} from './contenders.ts';

const kFailing = 3;  // nats above a law's least loss: training fails there

/** Places to draw, and those that a law puts so far above its least loss that they would hide the others. */
export function shown(places: readonly CurvePlace[]): {places: CurvePlace[]; failing: CurvePlace[]} {
  const least = Math.min(...places.map(place => place.loss));
  return {places: places.filter(({loss}) => loss < least + kFailing), failing: places.filter(({loss}) => !(loss < least + kFailing))};
}

interface Curves {
  id: string;
  title: string;
  x: Drawing['x'];
  curves: LawCurve[];
  from: number;  // where each law's difference is zero, if there are several laws
  same: string;  // "that of 16 bits"
  more: Series[];
}

// Losses of different laws are not comparable: each law's constants come from its own text and vocabulary. What a
// change is worth is, so several laws are drawn as differences, and the band is how far they disagree about it.
function lossCurves({id, title, x, curves, from, same, more}: Curves, says: string): Drawing {
  const several = curves.length > 1;
  const y = {label: several ? `loss less ${same}, nats` : 'loss, nats per token'};
  if (curves.every(curve => curve.places.length < 2)) return {id, group: 'plan', title, says, x, y, panels: []};
  const differences = curves.map(({law, places}) => {
    const zero = several ? lossAt(places, from) : 0;
    return {law, places: places.map(place => ({...place, y: place.loss - zero}))};
  }).filter(({places}) => places.every(place => Number.isFinite(place.y)));
  const series: Series[] = differences.map(({law, places}) => ({
    name: law, points: [],
    curve: places.map((place): Place => ({x: place.x, y: place.y, ...(several || !place.mean ? {} : {mean: place.mean}),
                                          ...(several || !place.run ? {} : {run: place.run})})),
  }));
  if (several) series.push({name: 'range of the laws', range: true, curve: rangeOfLaws(differences)});
  return {id, group: 'plan', title, says, x, y, whole: true, panels: [{series: [...series, ...(several ? [] : more)]}]};
}

function lossAt(places: readonly CurvePlace[], x: number): number {
  return places.find(place => Math.abs(place.x / x - 1) < 1e-9)?.loss ?? NaN;
}

/** Where a law has no number, it is read off its line; beyond its ends it says nothing. */
function rangeOfLaws(curves: {places: {x: number; y: number}[]}[]): Place[] {
  const valueOf = (places: {x: number; y: number}[], x: number): number[] => {
    const after = places.findIndex(place => place.x >= x);
    const [a, b] = [places[after - 1], places[after]];
    if (b?.x === x) return [b.y];
    return a && b ? [a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x)] : [];
  };
  const xs = [...new Set(curves.flatMap(({places}) => places.map(place => place.x)))].sort((a, b) => a - b);
  return xs.flatMap(x => {
    const ys = curves.flatMap(({places}) => valueOf(places, x));
    if (ys.length < 2) return [];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    return [{x, y: (low + high) / 2, mean: [low, high] as [number, number]}];
  });
}

const kFrom = 16;

export function lossByBits(curves: readonly LawCurve[], silent: readonly string[]): Drawing {
  const kept = curves.map(({law, places}) => ({law, ...shown(places)}));
  const best = kept.filter(({places}) => places.length > 0).map(({law, places}) => ({law, ...least(places)}));
  const failing = kept.flatMap(({law, failing: list}) => list.map(({x}) => `${bits(x)} bits by ${law}`));
  const says = [
    bestInWords(best),
    kept.length > 1 ? 'Drawn is what bits change against 16 at the same budget, because losses of laws fitted to different text are not comparable; the band is how far the laws disagree.' : '',
    failing.length > 0 ? `Not drawn, because the loss is more than ${kFailing} nats above the law's least: ${failing.join(', ')}.` : '',
    silent.length > 0 ? `${silent.join(', ')} ${silent.length > 1 ? 'do' : 'does'} not say what bits in training change.` : '',
  ];
  return lossCurves({id: 'loss-by-bits', title: 'Loss by bits in training, at this budget', x: {label: 'bits of weights, activations and KV', ticks: [2, 3, 4, 5, 6, 8, 10, 12, 16]},
                     curves: kept, from: kFrom, same: 'that of 16 bits', more: []}, says.filter(each => each).join(' '));
}

const least = (places: readonly CurvePlace[]): CurvePlace => places.reduce((a, b) => (b.loss < a.loss ? b : a));

function bestInWords(best: {law: string; x: number}[]): string {
  if (best.length === 0) return 'No law here says how the loss depends on bits.';
  if (best.length === 1) return `With this budget the least loss of these is at ${bits(best[0]!.x)} bits, by ${best[0]!.law}.`;
  const agree = new Set(best.map(({x}) => x)).size === 1;
  return `${agree ? 'The laws agree' : 'The laws do not agree'} on the best of these widths: ${best.map(({law, x}) => `${bits(x)} bits by ${law}`).join(', ')}.`;
}

export interface Budget {
  amount: number;
  unit: string;  // "FLOP", "hours of H100"
}

export function lossByBudget(curves: readonly LawCurve[], budget: Budget, mine: {x: number; loss: number} | undefined): Drawing {
  const gains = curves.flatMap(({law, places}) => {
    const gain = lossAt(places, budget.amount) - lossAt(places, budget.amount * 10);
    return Number.isFinite(gain) ? [{law, gain}] : [];
  });
  const words = gains.map(({law, gain}) => `${gain.toFixed(3)} nats by ${law}`).join(', ');
  const says = [
    gains.length > 0 ? `Ten times the budget lowers the loss by ${words}.` : '',
    curves.length > 1 ? 'Drawn is the difference from this budget; the band is how far the laws disagree.' : '',
  ];
  const more: Series[] = mine ? [{name: 'your run', points: [{x: mine.x, y: mine.loss}]}] : [];
  return lossCurves({id: 'loss-by-budget', title: 'The least loss by budget', x: {label: `training budget, ${budget.unit}`, log: true},
                     curves: [...curves], from: budget.amount, same: 'that of this budget', more},
                    says.filter(each => each).join(' '));
}

// ---- the frontier of bytes ----

const answered = (point: Frontier['points'][number]): point is FrontierPoint => 'loss' in point;

export function frontierOfBytes(frontier: Frontier): Drawing {
  const points = frontier.points.filter(answered).filter(point => point.loss < 3 * Math.min(...frontier.points.filter(answered).map(({loss}) => loss)));
  const choices = [...new Set(points.map(point => point.choice))];
  const series: Series[] = choices.map(choice => {
    const width = /^([0-9.]+) bits$/.exec(choice)?.[1];
    return {name: choice, ...(width ? {bits: Number(width)} : {}), points: points.filter(point => point.choice === choice).map(point => ({
      x: point.bytes, y: point.loss, ...(point.mean ? {low: point.mean[0], high: point.mean[1]} : {}),
      about: {file: bytes(point.bytes), N: count(point.N), D: count(point.D),
              ...(point.second ? {'next best': `${point.second}, ${nats(point.gap ?? NaN)} nats more`} : {}),
              ...(point.beyond.length > 0 ? {'beyond the fitted runs': point.beyond.join('; ')} : {})},
    }))};
  });
  const says = frontierSays(frontier, points);
  return {id: 'frontier-of-bytes', group: 'plan', title: 'The best model for every number of bytes', says,
          x: {label: 'bytes of the file', log: true}, y: {label: 'loss, nats per token', log: true}, panels: points.length > 1 ? [{series}] : []};
}

function frontierSays(frontier: Frontier, points: FrontierPoint[]): string {
  const first = points[0], last = points.at(-1);
  if (!first || !last) return 'No file of this range holds a model.';
  const changes = frontier.changes.map(change => `from ${bytes(change.bytes)} on ${change.to}`);
  const beyond = points.filter(point => point.beyond.length > 0).length;
  return [`By ${frontier.law}, ${first.choice} for a file of ${bytes(first.bytes)}${changes.length > 0 ? `; ${changes.slice(0, 6).join(', ')}` : ` and for all up to ${bytes(last.bytes)}`}.`,
          beyond > 0 ? `${beyond} of ${points.length} points lie beyond the runs that the constants were fitted to.` : ''].filter(each => each).join(' ');
}

// ---- landscapes ----

const kLevels = [0.003, 0.01, 0.03, 0.1, 0.3];  // nats above the least loss
const kHighest = 0.5;
const kNear = 0.01;

function heatMap(landscape: Landscape, about: (i: number) => Record<string, string>): {panel: Panel; near: number[]; least: number} {
  const [x, y] = landscape.axes.map(axis => axis.values) as [number[], number[]];
  const known = landscape.loss.filter((loss): loss is number => loss !== null);
  const lowest = Math.min(...known);
  const cells = landscape.loss.flatMap((loss, i) => (loss === null || loss > lowest + kHighest ? [] : [
    {x: x[i % x.length]!, y: y[Math.floor(i / x.length)]!, value: loss, about: {'above the least': `${(loss - lowest).toFixed(4)} nats`, ...about(i)}}]));
  const contours: Contour[] = kLevels.flatMap(level => {
    const lines = contour({x, y, value: landscape.loss, logX: true}, lowest + level);
    return lines.length > 0 ? [{label: `+${level}`, lines}] : [];
  });
  const near = landscape.loss.flatMap((loss, i) => (loss !== null && loss <= lowest + kNear ? [i] : []));
  return {panel: {cells, contours}, near, least: lowest};
}

const span = (values: readonly number[], write: (value: number) => string): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? write(low) : `${write(low)} to ${write(high)}`;
};

export interface Marks {
  best: Optimum;
  run?: Run;
  level?: string;  // which question: "at 1e21 FLOP"
}

export function overSizeAndBits(landscape: Landscape, {best, run}: Marks): Drawing {
  const [sizes, widths] = landscape.axes.map(axis => axis.values) as [number[], number[]];
  const {panel, near} = heatMap(landscape, i => {
    const D = landscape.D?.[i];
    return D ? {D: count(D)} : {};
  });
  const tied = best.P_w === best.P_a && best.P_a === best.P_kv;
  const series: Series[] = [];
  if (tied) series.push({name: 'the plan', points: [{x: best.N, y: best.P_w, about: {loss: nats(best.loss), D: count(best.D)}}]});
  if (run && run.P_w === run.P_a && run.P_a === run.P_kv) series.push({name: 'your run', points: [{x: run.N, y: run.P_w, about: {D: count(run.D)}}]});
  const says = `Within ${kNear} nats of the least loss: ${span(near.map(i => sizes[i % sizes.length]!), count)} parameters and ` +
      `${span(near.map(i => widths[Math.floor(i / sizes.length)]!), bits)} bits. Lines are nats above the least loss; beyond +${kHighest} nothing is drawn.`;
  return {id: 'loss-over-size-and-bits', group: 'plan', title: 'Loss over parameters and bits, at this budget', says,
          x: {label: 'parameters N', log: true}, y: {label: 'bits in training', ticks: [2, 4, 6, 8, 10, 12, 14, 16]},
          value: {label: 'loss, nats per token'}, panels: [{...panel, series}]};
}

export function overDataAndBits(landscape: Landscape, critical: {bits: number; tokens: number}[], {best, run}: Marks): Drawing {
  const [tokens, widths] = landscape.axes.map(axis => axis.values) as [number[], number[]];
  const {panel} = heatMap(landscape, () => ({}));
  const inside = critical.filter(each => each.tokens >= tokens[0]! && each.tokens <= tokens.at(-1)! && each.bits <= widths.at(-1)!);
  const series: Series[] = [{name: 'critical data', points: [], curve: inside.map(each => ({x: each.tokens, y: each.bits}))}];
  const lines = [{x: best.D, label: 'D of the plan'}];
  if (best.P_post !== undefined) series.push({name: 'the plan', points: [{x: best.D, y: best.P_post}]});
  if (run?.P_post !== undefined) series.push({name: 'your run', points: [{x: run.D, y: run.P_post}]});
  const hurt = critical.filter(each => each.tokens < best.D).map(each => each.bits);
  const says = (hurt.length > 0
      ? `At ${count(best.D)} tokens more training makes the model worse once its weights are rounded to ${bits(Math.max(...hurt))} bits or fewer.`
      : `At ${count(best.D)} tokens more training helps at all of these bits.`) +
      ' Past the curve of critical data, more data raises the loss. Lines are nats above the least loss.';
  return {id: 'loss-over-data-and-bits', group: 'plan', title: `Loss of ${count(best.N)} parameters, rounded after training`, says,
          x: {label: 'training tokens D', log: true}, y: {label: 'bits of the weights after training', ticks: [2, 3, 4, 5, 6, 7, 8]},
          value: {label: 'loss, nats per token'}, panels: [{...panel, series, lines}]};
}
