// Who answers: the laws that are named, with published constants, and one's own fit before them. And the
// questions that the page asks of each.
import type {Engine} from '../engine.ts';
import {failed} from '../engine.ts';
import type {Json} from '../module.ts';
import type {Device, Frontier, Landscape, Optimum, Plan, Predictions, Range} from './answers.ts';
import {forPlan, type Asked, type Options, type OwnRun} from './question.ts';

export interface OwnFit {
  name: string;
  fit: {[key: string]: Json};
}

export interface Contender {
  name: string;
  of: Options;  // law, and its set of constants
  fit?: OwnFit['fit'];
  light?: OwnFit['fit'];  // the fit without its draws, for questions without intervals
}

export interface Failed {
  name: string;
  error: string;
}

export const kUsualLaw = 'kumar';

/** "kumar, chinchilla:besiroglu": names, each with a set of constants if that is not the first. */
export function contendersOf(laws: string, own: OwnFit | undefined): Contender[] {
  const names = [...new Set(laws.split(',').map(law => law.trim()).filter(law => law !== ''))];
  if (names.length === 0 && !own) names.push(kUsualLaw);
  const out = names.map((name): Contender => {
    const [law = '', set] = name.split(':').map(part => part.trim());
    return {name, of: set ? {law, constants: set} : {law}};
  });
  if (own) {
    const {draws: _, ...light} = own.fit;
    out.unshift({name: own.name, of: {}, fit: own.fit, light});
  }
  return out;
}

/** The sentence without the name of the question, which the reader did not ask by name. */
const whyOf = (error: string): string => error.replace(/^(plan|landscape|predict): /, '');

const fitsOf = (fit: OwnFit['fit'] | undefined): Json[] => (fit ? [fit] : []);

export async function planOf(engine: Engine, who: Contender, options: Options, draws = true): Promise<Plan | Failed> {
  const answer = await engine.ask({verb: 'plan', options: {...options, ...who.of}, fits: fitsOf(draws ? who.fit : who.light)});
  return failed(answer) ? {name: who.name, error: whyOf(answer.error)} : {...(answer as unknown as Plan), name: who.name};
}

export const planned = (plan: Plan | Failed): plan is Plan & {optimum: Optimum; name: string} =>
    'optimum' in plan && plan.optimum !== null && Number.isFinite(plan.optimum.loss);

export async function landscapeOf(engine: Engine, who: Contender, options: Options,
                                  axes: {name: string; values: number[]}[]): Promise<Landscape | Failed> {
  const answer = await engine.ask({verb: 'landscape', options: {...options, ...who.of}, axes, fits: fitsOf(who.light)});
  return failed(answer) ? {name: who.name, error: whyOf(answer.error)} : (answer as unknown as Landscape);
}

export async function frontierOf(engine: Engine, who: Contender, asked: Asked): Promise<Frontier | Failed> {
  const rest = without(asked.options, 'memory_bytes', 'params', 'bits', 'precision', 'key_bits', 'value_bits', 'free');
  if (asked.options['free']) rest['free'] = ['N', 'P_post', ...(rest['tokens'] === undefined ? ['D'] : [])];
  const answer = await engine.ask({verb: 'plan', options: {...rest, ...asked.file, ...who.of, frontier: 'bytes=4e6..1e12'},
                                   fits: fitsOf(who.light)});
  return failed(answer) ? {name: who.name, error: whyOf(answer.error)} : (answer as unknown as Frontier);
}

export interface Run {
  N: number;
  D: number;
  P_w: number;
  P_a: number;
  P_kv: number;
  P_post?: number;
  loss?: number;
}

export function runOf(run: OwnRun): Run {
  const [w = 16, a = w, kv = w] = run.bits;
  return {N: run.N, D: run.D, P_w: w, P_a: a, P_kv: kv, ...(run.post === undefined ? {} : {P_post: run.post}),
          ...(run.loss === undefined ? {} : {loss: run.loss})};
}

export async function predictionsOf(engine: Engine, who: Contender, runs: Run[]): Promise<Predictions['predictions'] | Failed> {
  const {law, constants} = who.of;
  const by: {[key: string]: Json} = who.fit ? {fits: [{name: who.name, fit: who.fit}]}
                                            : {laws: [law ?? kUsualLaw], ...(constants ? {constants} : {})};
  const answer = await engine.ask({verb: 'predict', runs: runs as unknown as Json, ...by});
  return failed(answer) ? {name: who.name, error: whyOf(answer.error)} : (answer as unknown as Predictions).predictions;
}

// ---- along bits and along the budget ----

export interface CurvePlace {
  x: number;
  loss: number;
  mean?: Range;
  run?: Range;
}

export interface LawCurve {
  law: string;
  places: CurvePlace[];
}

/** The least loss along one quantity, with intervals where the constants have them. */
export async function curveOf(engine: Engine, who: Contender, options: Options, axis: {name: string; values: number[]},
                              best: Optimum): Promise<LawCurve | Failed> {
  const made = await landscapeOf(engine, who, options, [axis]);
  if (!('loss' in made)) return made;
  const at = (list: (number | null)[] | undefined, i: number, same: number): number => list?.[i] ?? same;
  const known = axis.values.flatMap((x, i) => (made.loss[i] === null || made.loss[i] === undefined ? [] : [{x, i, loss: made.loss[i]}]));
  const bits = (x: number, list: (number | null)[] | undefined, i: number, same: number): number =>
      axis.name === 'P' ? x : at(list, i, same);
  const runs = known.map(({x, i}): Run => ({
    N: at(made.N, i, best.N), D: at(made.D, i, best.D), P_w: bits(x, made.P_w, i, best.P_w), P_a: bits(x, made.P_a, i, best.P_a),
    P_kv: bits(x, made.P_kv, i, best.P_kv), ...(best.P_post === undefined ? {} : {P_post: best.P_post})}));
  const predicted = who.fit?.['draws'] && known.length > 0 ? await predictionsOf(engine, who, runs) : undefined;
  return {law: who.name, places: known.map(({x, loss}, k) => {
    const of = Array.isArray(predicted) ? predicted[k] : undefined;
    // A prediction of another model would be an interval of something else.
    const same = of && of.loss !== null && Math.abs(of.loss - loss) < 1e-6 * loss;
    return {x, loss, ...(same && of.mean ? {mean: of.mean} : {}), ...(same && of.run ? {run: of.run} : {})};
  })};
}

export const along = (low: number, high: number, count: number): number[] =>
    Array.from({length: count}, (_, i) => low * (high / low) ** (i / (count - 1)));

// ---- landscapes ----

/** Options with a quantity given or free as an axis wants it. */
export function without(options: Options, ...names: string[]): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !names.includes(name)));
}

/** Over (N, P) at the budget; D is what the budget leaves, or what is given. */
export async function sizeLandscape(engine: Engine, who: Contender, asked: Asked, best: Optimum): Promise<Landscape | Failed> {
  const options = without(forPlan(asked), 'params', 'bits', 'precision', 'free', 'key_bits', 'value_bits');
  const bits = Array.from({length: 29}, (_, i) => 2 + i / 2);
  return landscapeOf(engine, who, options,
                     [{name: 'N', values: along(best.N / 40, best.N * 40, 41)}, {name: 'P', values: bits}]);
}

/** Over (D, P_post) of the plan's model, trained at 16 bits; and its critical data. */
export async function dataLandscape(engine: Engine, who: Contender, best: Optimum):
    Promise<{landscape: Landscape; critical: {bits: number; tokens: number}[]} | Failed> {
  const post = Array.from({length: 25}, (_, i) => 2 + i / 4);
  const landscape = await landscapeOf(engine, who, {params: best.N, bits: [16]},
                                      [{name: 'D', values: along(best.D / 100, best.D * 100, 41)}, {name: 'P_post', values: post}]);
  if (!('loss' in landscape)) return landscape;
  const answer = await engine.ask({verb: 'plan', options: {...who.of, params: best.N, critical_data: true, bits: post}, fits: fitsOf(who.light)});
  const rows = failed(answer) ? [] : ((answer as unknown as Plan).critical_data ?? []);
  return {landscape, critical: rows.flatMap(({bits, tokens}) => (tokens === null ? [] : [{bits, tokens}]))};
}

// ---- what hardware changes ----

export interface FormatRow {
  widths: number[];  // that products run at; none = any number of bits, at a cost linear in them
  plan: Plan | Failed;
}

/** The best plan with 16 bits alone, with 8 besides, with 4 besides: what each format of the device is worth. */
export async function formatsOf(engine: Engine, who: Contender, asked: Asked, device: Device): Promise<FormatRow[]> {
  const options = without(forPlan(asked), 'bits', 'precision', 'key_bits', 'value_bits', 'free');
  const has = Object.keys(device.flops).map(Number).sort((a, b) => b - a);
  const out: FormatRow[] = [];
  if (options['compute'] !== undefined) out.push({widths: [], plan: await planOf(engine, who, options, false)});
  for (let i = 1; i <= has.length; ++i) {
    const widths = has.slice(0, i);
    const costs = options['compute'] === undefined ? {} : {
      cost: widths.map(bits => `${bits}:${device.flops[String(bits)]! / device.flops['16']!}`).join(',')};
    out.push({widths, plan: await planOf(engine, who, {...options, ...costs, available_bits: widths}, false)});
  }
  return out;
}
