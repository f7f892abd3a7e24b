// The planner: what is typed becomes questions, answers become sentences, a table and figures.
import {bits, bytes, count, nats, quoted} from '../amounts.ts';
import type {FitAnswer, Frontier, LawAnswer, Plan, TableAnswer} from './answers.ts';
import {element, find, replace, table} from '../dom.ts';
import {Engine, Latest, failed} from '../engine.ts';
import {frontierOfBytes, lossByBits, shown, type LossAtBits} from './figures.ts';
import type {Json} from '../module.ts';
import {askedOf, type Options} from './question.ts';
import {kStart, linkOf, stateOf, type State} from './state.ts';

const kBits = [2, 3, 4, 5, 6, 8, 10, 12, 16];
const kLargestFile = 20e6;

/** One's own constants, from a dropped table or fit.json. */
interface OwnFit {
  name: string;
  fit: Json;
}

interface Answers {
  plans: (Plan | {name: string; error: string})[];
  byBits: LossAtBits[];
  frontier: Frontier | {error: string};
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

class Planner {
  private state: State;
  private own: OwnFit | undefined;
  private devices: string[] = [];
  private readonly latest = new Latest<Answers>(answers => this.show(answers));

  constructor(private readonly engine: Engine, private readonly fields: Record<keyof State, HTMLInputElement>) {
    const {state, problem} = stateOf(location.hash);
    this.state = state;
    if (problem) this.say(problem);
    for (const [key, field] of Object.entries(fields) as [keyof State, HTMLInputElement][]) {
      field.value = state[key];
      field.addEventListener('input', () => {
        this.state = {...this.state, [key]: field.value};
        this.ask();
      });
    }
    window.addEventListener('hashchange', () => {
      const changed = stateOf(location.hash);
      this.state = changed.state;
      for (const [key, field] of Object.entries(fields) as [keyof State, HTMLInputElement][])
        field.value = this.state[key];
      this.ask();
    });
    find('form').addEventListener('submit', event => event.preventDefault());
    this.takeFiles();
  }

  say(sentence: string): void {
    find('#status').textContent = sentence;
  }

  async start(): Promise<void> {
    const laws = await this.engine.ask({verb: 'laws'});
    if (failed(laws)) {
      this.say(laws.error);
      return;
    }
    const devices = await this.engine.ask({verb: 'devices'});
    if (!failed(devices)) this.devices = (devices as unknown as {name: string}[]).map(each => each.name.toLowerCase());
    const list = find<HTMLDataListElement>('#laws-known');
    const known = (Array.isArray(laws) ? laws : (laws as {laws: Json[]}).laws) as unknown as LawAnswer[];
    replace(list, ...known.map(law => element('option', {value: law.name}, law.title)));
    this.ask();
  }

  ask(): void {
    const asked = askedOf(this.state, this.devices);
    for (const [key, field] of Object.entries(this.fields) as [keyof State, HTMLInputElement][]) {
      const problem = asked.problems[key] ?? '';
      field.setAttribute('aria-invalid', problem ? 'true' : 'false');
      find(`#${key}-problem`).textContent = problem;
    }
    history.replaceState(null, '', linkOf(this.state) || location.pathname + location.search);
    if (Object.keys(asked.problems).length === 0) this.latest.run(() => this.answer(asked.options));
  }

  private questions(options: Options): {name: string; options: Options; fits: Json[]}[] {
    const out = this.state.laws.split(',').map(law => law.trim()).filter(law => law !== '')
        .map((law): {name: string; options: Options; fits: Json[]} => ({name: law, options: {...options, law}, fits: []}));
    if (this.own) out.unshift({name: this.own.name, options: {...options}, fits: [this.own.fit]});
    return out.length > 0 ? out : [{name: kStart.laws, options: {...options, law: kStart.laws}, fits: []}];
  }

  private async answer(options: Options): Promise<Answers> {
    const asked = this.questions(options);
    const ask = async (question: (typeof asked)[number], more: Options): Promise<Json> =>
        this.engine.ask({verb: 'plan', options: {...question.options, ...more}, fits: question.fits});
    const plans = await Promise.all(asked.map(async question => {
      const plan = await ask(question, {});
      return failed(plan) ? {name: question.name, error: plan.error}
                          : {...(plan as unknown as Plan), name: question.name};
    }));
    const byBits: LossAtBits[] = [];
    for (const question of asked) {
      for (const width of kBits) {
        const plan = await ask(question, {bits: [width]});
        if (failed(plan)) break;
        const {optimum, intervals} = plan as unknown as Plan;
        if (optimum) {
          byBits.push({law: question.name, bits: width, loss: optimum.loss,
                       low: intervals?.['loss']?.low ?? null, high: intervals?.['loss']?.high ?? null});
        }
      }
    }
    const first = asked[0]!;
    // The frontier chooses these itself.
    const chosen = ['memory_bytes', 'params', 'bits'];
    const rest = Object.fromEntries(Object.entries(first.options).filter(([name]) => !chosen.includes(name)));
    const frontier = await this.engine.ask(
        {verb: 'plan', options: {...rest, frontier: 'bytes=4e6..1e12'}, fits: first.fits});
    return {plans, byBits, frontier: failed(frontier) ? frontier : (frontier as unknown as Frontier)};
  }

  private show({plans, byBits, frontier}: Answers): void {
    const good = plans.filter((plan): plan is Plan => 'optimum' in plan && plan.optimum !== null);
    const bad = plans.filter((plan): plan is {name: string; error: string} => 'error' in plan);
    replace(find('#answer'), ...good.slice(0, 1).map(plan => element('p', {class: 'lead'}, sentenceOf(plan))),
            ...bad.map(plan => element('p', {class: 'problem'}, `${plan.name}: ${plan.error}`)));
    replace(find('#plans'), ...(good.length > 0 ? [tableOf(good)] : []));
    replace(find('#notes'), ...good.flatMap(plan => [plan.binding ?? '', plan.convention ?? '', ...plan.notes]
        .filter(note => note !== '').map(note => element('li', {}, `${plan.name}: ${note}`))));
    const width = Math.min(900, Math.max(320, find('#figures').clientWidth - 10));
    const {points, failing} = shown(byBits);
    replace(find('#by-bits'), ...(points.length > 1 ? [lossByBits(points, width)] : []));
    find('#by-bits-says').textContent = [disagreement(points), failure(failing)].filter(each => each).join(' ');
    const lost = failed(frontier);
    replace(find('#frontier'), ...(lost ? [] : [frontierOfBytes(frontier.points, width)]));
    find('#frontier-says').textContent = lost ? `No frontier: ${frontier.error}` : frontierSays(frontier);
  }

  // ---- files ----

  private takeFiles(): void {
    const input = find<HTMLInputElement>('#file');
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      if (file) void this.read(file);
    });
    document.addEventListener('dragover', event => event.preventDefault());
    document.addEventListener('drop', event => {
      event.preventDefault();
      const file = event.dataTransfer?.files[0];
      if (file) void this.read(file);
    });
  }

  private async read(file: File): Promise<void> {
    const about = find('#file-says');
    if (file.size > kLargestFile) {
      about.textContent = `${quoted(file.name)} has ${bytes(file.size)}; this page reads up to ${bytes(kLargestFile)}. Use the command line for it.`;
      return;
    }
    const content = await file.text();
    about.textContent = `Reading ${quoted(file.name)} ...`;
    const own = fitIn(content);
    if (own) {
      this.own = {name: file.name, fit: own};
      about.textContent = `${quoted(file.name)}: plans are made with this fit.`;
      this.ask();
      return;
    }
    const asked = {text: content, name: file.name};
    const judged = await this.engine.ask({verb: 'table', table: asked});
    if (failed(judged)) {
      about.textContent = judged.error;
      return;
    }
    const seen = judged as unknown as TableAnswer;
    about.textContent = `${quoted(file.name)}: ${seen.rows} rows; fitting ${seen.law} ...`;
    const fit = await this.engine.ask({verb: 'fit', table: asked});
    if (failed(fit)) {
      about.textContent = fit.error;
      return;
    }
    this.own = {name: file.name, fit};
    const result = fit as unknown as FitAnswer;
    about.textContent = `${quoted(file.name)}: ${result.law} fitted to ${result.points} points. Plans are made with this fit.`;
    replace(find('#fit'), constantsOf(result),
            element('ul', {}, ...[...seen.notes, ...result.notes].map(note => element('li', {}, text(note)))));
    this.ask();
  }
}

/** A document of `bitlaw fit --out`, or nothing. */
function fitIn(content: string): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(content);
    const is = typeof parsed === 'object' && parsed !== null && 'parameters' in parsed && 'law' in parsed;
    return is ? (parsed as Json) : undefined;
  } catch {
    return undefined;
  }
}

function constantsOf(fit: FitAnswer): HTMLTableElement {
  const number = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(4))));
  const rows = Object.entries(fit.parameters).map(([name, constant]) => {
    const said = constant.frozen ? `not fitted: ${constant.frozen}`
               : constant.identified === false ? 'not identified by these rows' : '';
    return [name, said ? '' : number(constant.value), constant.low === null || said ? '' : `${number(constant.low)} to ${number(constant.high)}`, said];
  });
  return table(`Constants of ${fit.law}, with intervals of ${100 * fit.level} %`, ['constant', 'value', 'interval', 'remark'], rows);
}

function precisionOf(plan: Plan): string {
  const best = plan.optimum!;
  if (best.precision) return best.precision;
  const parts = [best.P_w, best.P_a, best.P_kv].map(bits);
  return new Set(parts).size === 1 ? `${parts[0]} bits` : `${parts.join('/')} bits (weights, activations, KV)`;
}

function lossOf(plan: Plan): string {
  const mean = plan.run?.mean;
  return `${nats(plan.optimum!.loss)}${mean ? ` [${nats(mean[0])}, ${nats(mean[1])}]` : ''}`;
}

function sentenceOf(plan: Plan): string {
  const best = plan.optimum!;
  const file = best.memory_bytes === undefined ? '' : `, ${bytes(best.memory_bytes)} when it serves`;
  return `Train ${count(best.N)} parameters on ${count(best.D)} tokens at ${precisionOf(plan)}${file}: a loss of ${lossOf(plan)} nats per token, by ${plan.name ?? plan.law}.`;
}

function tableOf(plans: Plan[]): HTMLTableElement {
  const rows: [string, (plan: Plan) => string][] = [
    ['parameters N', plan => count(plan.optimum!.N)],
    ['tokens D', plan => count(plan.optimum!.D)],
    ['D/N', plan => String(Number(plan.optimum!.tokens_per_param.toPrecision(3)))],
    ['precision', precisionOf],
    ['loss, nats per token', lossOf],
    ['a run of it', plan => (plan.run?.run ? `${nats(plan.run.run[0])} to ${nats(plan.run.run[1])}` : 'no interval')],
    ['constants', plan => plan.source],
  ];
  return table('The best plan by each law', ['quantity', ...plans.map(plan => plan.name ?? plan.law)],
               rows.map(([name, of]) => [name, ...plans.map(of)]));
}

function disagreement(points: readonly LossAtBits[]): string {
  const laws = [...new Set(points.map(point => point.law))];
  const best = laws.map(law => points.filter(point => point.law === law).reduce((a, b) => (b.loss < a.loss ? b : a)));
  if (best.length === 0) return 'No law here says how the loss depends on bits.';
  const words = best.map(point => `${point.bits} bits by ${point.law}`);
  if (best.length === 1) return `With this budget the least loss of these is at ${words[0]}.`;
  const agree = new Set(best.map(point => point.bits)).size === 1;
  return `${agree ? 'The laws agree' : 'The laws do not agree'} on the best of these widths: ${words.join(', ')}.`;
}

function failure(points: readonly LossAtBits[]): string {
  if (points.length === 0) return '';
  return `Not drawn, because the loss is more than 3 nats above the law's least: ${points.map(point => `${point.bits} bits by ${point.law}`).join(', ')}.`;
}

function frontierSays(frontier: Frontier): string {
  const first = frontier.points[0], last = frontier.points.at(-1);
  if (!first || !last) return 'No file of this range holds a model.';
  const beyond = frontier.points.filter(point => point.beyond.length > 0).length;
  return `By ${frontier.law}: ${first.choice} at ${bytes(first.bytes)}, ${last.choice} at ${bytes(last.bytes)}. ` +
         (beyond > 0 ? `${beyond} of ${frontier.points.length} points (open dots) lie beyond the runs that the constants were fitted to.` : '');
}

export async function startPlanner(engine: Engine): Promise<Planner> {
  const fields = Object.fromEntries(Object.keys(kStart).map(key => [key, find<HTMLInputElement>(`#${key}`)])) as
      Record<keyof State, HTMLInputElement>;
  const planner = new Planner(engine, fields);
  await planner.start();
  return planner;
}
