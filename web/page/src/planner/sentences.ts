// Answers in words, and in tables.
import {bits, bytes, count, nats, power} from '../amounts.ts';
import {element, table} from '../dom.ts';
import type {Optimum, Plan, Predictions} from './answers.ts';
import {planned, type Failed, type FormatRow} from './contenders.ts';
import type {OwnRun} from './question.ts';
import type {State} from './state.ts';

type Good = Plan & {optimum: Optimum; name: string};

export function precisionOf({optimum: best}: Good): string {
  const parts = [best.P_w, best.P_a, best.P_kv].map(bits);
  const trained = best.precision ?? (new Set(parts).size === 1 ? `${parts[0]} bits` : `${parts.join('/')} bits (weights, activations, KV)`);
  return best.P_post === undefined ? trained : `${trained}, weights rounded to ${bits(best.P_post)} bits afterwards`;
}

export function shortPrecisionOf({optimum: best}: Good): string {
  const parts = [best.P_w, best.P_a, best.P_kv].map(bits);
  const trained = best.precision ?? (new Set(parts).size === 1 ? `${parts[0]} bits` : `${parts.join('/')} bits`);
  return best.P_post === undefined ? trained : `${trained}, then ${bits(best.P_post)}`;
}

export function lossOf(plan: Good): string {
  const mean = plan.run?.mean;
  return `${nats(plan.optimum.loss)}${mean ? ` [${nats(mean[0])}, ${nats(mean[1])}]` : ''}`;
}

export function sentenceOf(plan: Good): string {
  const best = plan.optimum;
  const file = best.memory_bytes === undefined ? '' : `, ${bytes(best.memory_bytes)} when it serves`;
  return `Train ${count(best.N)} parameters on ${count(best.D)} tokens at ${precisionOf(plan)}${file}: a loss of ${lossOf(plan)} nats per token, by ${plan.name}.`;
}

export function numbersOf(plan: Good): [string, string][] {
  const best = plan.optimum;
  const mean = plan.run?.mean;
  return [['parameters', count(best.N)], ['training tokens', count(best.D)], ['precision', shortPrecisionOf(plan)],
          [`loss, nats per token${mean ? ', 90 % interval' : ''}`, nats(best.loss) + (mean ? ` ±${((mean[1] - mean[0]) / 2).toFixed(4)}` : '')]];
}

export function questionOf(state: State, of: string): string {
  const has = [state.budget && (/^\s*[0-9.,_e+ ]+\s*$/i.test(state.budget) ? `${state.budget.trim()} FLOP` : state.budget),
               state.memory && `${state.memory} to serve in`, state.serve && `${state.serve} tokens to serve`,
               state.params && `${state.params} parameters`, state.tokens && `${state.tokens} training tokens`,
               state.bits && (/^[0-9.]+$/.test(state.bits.trim()) ? `${state.bits} bits` : state.bits)].filter(each => each);
  return `${has.join(', ') || 'No limits'}: how many parameters, tokens and bits, by ${of}?`;
}

/** What a reader must know before the number is used: notes of the first kind stand with it, of the second below. */
export function cautionsOf(plan: Good): {strong: string[]; quiet: string[]} {
  const start = (words: RegExp): string[] => plan.notes.filter(note => words.test(note));
  return {strong: start(/^(Do not rely on this|Under this law training fails)/), quiet: start(/^Extrapolates beyond/)};
}

export function plansTable(plans: readonly Good[]): HTMLTableElement {
  const has = (name: keyof Optimum): boolean => plans.some(plan => plan.optimum[name] !== undefined);
  const rows: [string, (plan: Good) => string][] = [
    ['parameters N', plan => count(plan.optimum.N)],
    ['tokens D', plan => count(plan.optimum.D)],
    ['D/N', plan => String(Number(plan.optimum.tokens_per_param.toPrecision(3)))],
    ['precision', precisionOf],
    ...(has('memory_bytes') ? [['memory when it serves', (plan: Good) => plan.optimum.memory_bytes === undefined ? '' : bytes(plan.optimum.memory_bytes)] as [string, (plan: Good) => string]] : []),
    ...(has('kv_bytes') ? [['of it KV cache', (plan: Good) => plan.optimum.kv_bytes === undefined ? '' : bytes(plan.optimum.kv_bytes)] as [string, (plan: Good) => string]] : []),
    ['training cost', plan => plan.optimum.compute === undefined ? '' : `${power(plan.optimum.compute)} FLOP`],
    ['loss, nats per token', lossOf],
    ['a run of it', plan => (plan.run?.run ? `${nats(plan.run.run[0])} to ${nats(plan.run.run[1])}` : 'no interval')],
    ['constants', plan => plan.source],
  ];
  return table('The best plan by each law', ['quantity', ...plans.map(plan => plan.name)],
               rows.map(([name, of]) => [name, ...plans.map(of)]));
}

/** One law's plan with the formats that a device has. */
export function formatsTable(rows: readonly FormatRow[], device: string, law: string): HTMLElement[] {
  const good = rows.flatMap(({widths, plan}) => (planned(plan) ? [{widths, plan}] : []));
  const base = good.find(({widths}) => widths.length === 1);
  if (!base) {
    const why = rows.map(({plan}) => plan).find((plan): plan is Failed => 'error' in plan);
    return [element('p', {}, `No comparison of formats: ${why?.error ?? 'the law has no answer at 16 bits'}.`)];
  }
  const name = (widths: number[]): string => widths.length === 0 ? 'any bits, at a cost linear in bits' : widths.length === 1 ? '16 bits only' : `and ${widths.at(-1)} bits`;
  const last = good.at(-1)!;
  const gain = base.plan.optimum.loss - last.plan.optimum.loss;
  const says = last === base ? `${device} has no format below 16 bits.`
      : gain < 5e-5 ? `By ${law}, the narrower formats of ${device} lower the loss by nothing at this budget.`
      : `By ${law}, the formats of ${device} below 16 bits lower the loss by ${gain.toFixed(4)} nats at this budget.`;
  return [element('p', {}, says),
          table(`The plan with the formats of ${device}, by ${law}`, ['products at', 'precision chosen', 'N', 'D', 'loss', 'against 16 bits'],
                good.map(({widths, plan}) => [name(widths), shortPrecisionOf(plan), count(plan.optimum.N), count(plan.optimum.D), nats(plan.optimum.loss),
                                              widths.length === 1 ? '' : signed(plan.optimum.loss - base.plan.optimum.loss)]))];
}

const signed = (value: number): string => (value > 0 ? '+' : '−') + Math.abs(value).toFixed(4);

/** What the laws say of a run of the reader's own. */
export function runSays(run: OwnRun, by: {name: string; made: Predictions['predictions'] | Failed}[]): string[] {
  const bitsOf = run.bits.length === 0 ? '16 bits' : run.bits.length === 1 ? `${bits(run.bits[0]!)} bits` : `${run.bits.map(bits).join('/')} bits`;
  const head = `Your run: ${count(run.N)} parameters on ${count(run.D)} tokens at ${bitsOf}${run.post === undefined ? '' : `, rounded to ${bits(run.post)} bits afterwards`}.`;
  return [head, ...by.map(({name, made}) => {
    if (!Array.isArray(made)) return `${name}: ${made.error}`;
    const it = made[0];
    if (!it || it.loss === null) return `${name} gives no loss for it${it?.problem ? `: ${it.problem}` : ''}.`;
    const interval = it.run ? `, a run of it between ${nats(it.run[0])} and ${nats(it.run[1])}` : '';
    const measured = it.residual === undefined ? '' :
        `; measured ${nats(it.loss + it.residual)}, ${Math.abs(it.residual).toFixed(4)} ${it.residual > 0 ? 'more' : 'less'}` +
        (it.inside === undefined ? '' : it.inside ? ', inside the interval' : ', outside the interval');
    return `${name} predicts ${nats(it.loss)}${interval}${measured}.`;
  })];
}
