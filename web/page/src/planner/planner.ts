// The planner: what is typed becomes questions, answers become sentences, a table and figures. The answer is
// shown first; figures follow, and give way to the next question.
import {element, find, replace} from '../dom.ts';
import {Figure} from '../draw.ts';
import type {Drawing} from '../drawing.ts';
import {failed, Latest, type Engine} from '../engine.ts';
import type {Device, Landscape, LawAnswer, Optimum, Plan} from './answers.ts';
import {
  along, contendersOf, curveOf, dataLandscape, formatsOf, frontierOf, planned, planOf, predictionsOf, runOf, sizeLandscape, without,
  type Contender, type Failed, type LawCurve, type OwnFit,
} from './contenders.ts';
import {frontierOfBytes, lossByBits, lossByBudget, overDataAndBits, overSizeAndBits, type Budget} from './drawings.ts';
import {linesOf, startLaws, withAll, type LawLine} from './laws.ts';
import {Own} from './own.ts';
import {askedOf, forPlan, type Asked, type Options} from './question.ts';
import {cautionsOf, formatsTable, numbersOf, plansTable, questionOf, runSays, sentenceOf} from './sentences.ts';
import {startSharing, type Picture} from './share.ts';
import {bitsScale, budgetScale, countScale, memoryScale, Slider} from './sliders.ts';
import {kKeys, linkOf, stateOf, type State} from './state.ts';

const kBits = [2, 3, 4, 5, 6, 7, 8, 10, 12, 16];
const kUsualDevice = 'B200';  // it has 16, 8 and 4 bits

type Good = Plan & {optimum: Optimum; name: string};
type Field = HTMLInputElement | HTMLSelectElement;

const isBox = (field: Field): field is HTMLInputElement => field instanceof HTMLInputElement && field.type === 'checkbox';

class Planner {
  private state: State;
  private own: OwnFit | undefined;
  private devices: Device[] = [];
  private sliders: Partial<Record<keyof State, Slider>> = {};
  private showLaws: (() => void) | undefined;
  private lines: LawLine[] = [];
  private answered: {state: State; plan: Good} | undefined;
  private main: Drawing | undefined;  // the figure of a picture to share
  private readonly figures = new Map<string, Figure>();
  private readonly latest = new Latest<void>(() => find('main').setAttribute('data-drawn', 'true'), error => this.warn(`This page failed on this question, and may show figures of an earlier one: ${String(error)}.`));
  private warned = false;  // the status is of the last question

  constructor(private readonly engine: Engine, fits: Engine, private readonly fields: Record<keyof State, Field>) {
    const {state, problem} = stateOf(location.hash);
    this.state = state;
    this.say(problem ?? '');
    for (const key of kKeys) {
      fields[key].addEventListener('input', () => {
        const field = fields[key];
        this.state = {...this.state, [key]: isBox(field) ? (field.checked ? 'yes' : '') : field.value};
        this.ask();
      });
    }
    window.addEventListener('hashchange', () => {
      if (linkOf(this.state) === location.hash) return;
      const changed = stateOf(location.hash);
      this.state = changed.state;
      this.say(changed.problem ?? '');
      this.fill();
      this.ask();
    });
    find('form').addEventListener('submit', event => event.preventDefault());
    const own = new Own(fits, fit => {
      this.own = fit;
      this.ask();
    });
    // Written into the page by `bitlaw planner --fit`, or by `bitlaw serve`.
    for (const place of ['#fit', '#given-fit']) {
      const given = document.querySelector(place)?.textContent?.trim();
      if (given) own.given(given);
    }
    startSharing(() => this.picture(), () => this.own?.name);
  }

  say(sentence: string): void {
    find('#status').textContent = sentence;
  }

  private warn(sentence: string): void {
    if (sentence !== '' || this.warned) this.say(sentence);
    this.warned = sentence !== '';
  }

  async start(): Promise<void> {
    const devices = await this.engine.ask({verb: 'devices'});
    if (failed(devices)) {
      this.say(devices.error);
      return;
    }
    this.devices = devices as unknown as Device[];
    const device = find<HTMLSelectElement>('#device');
    for (const {name} of this.devices) device.append(element('option', {value: name}, name));
    this.addSliders();
    this.fill();
    this.ask();
    const laws = await this.engine.ask({verb: 'laws'});
    if (!failed(laws))
      this.showLaws = startLaws(linesOf((laws as unknown as {laws: LawAnswer[]}).laws), this.fields.laws as HTMLInputElement).show;
  }

  private addSliders(): void {
    const names = this.devices.map(each => each.name.toLowerCase());
    const chosen = 'chosen by the plan';
    for (const [key, scale, name, free] of [
      ['budget', budgetScale(names), 'Training budget', 'not given'], ['memory', memoryScale, 'Memory', 'no limit'],
      ['serve', countScale(1e8, 1e16, 'tokens'), 'Tokens served', 'none'], ['tokens', countScale(1e8, 1e15, 'tokens'), 'Training tokens', chosen],
      ['params', countScale(1e6, 1e13, 'parameters'), 'Parameters', chosen], ['bits', bitsScale, 'Bits in training', chosen],
    ] as const) {
      const field = this.fields[key] as HTMLInputElement;
      const slider = new Slider(field, scale, name, free);
      field.after(slider.element);
      this.sliders[key] = slider;
    }
  }

  private fill(): void {
    for (const key of kKeys) {
      const field = this.fields[key];
      if (isBox(field)) field.checked = this.state[key] === 'yes';
      else field.value = this.state[key];
      // A link may name what is not in a list.
      if (field instanceof HTMLSelectElement && field.value !== this.state[key]) this.state = {...this.state, [key]: field.value};
    }
    const more = find<HTMLDetailsElement>('#more');
    more.open ||= [...more.querySelectorAll<Field>('input, select')].some(field => (isBox(field) ? field.checked : field.value !== ''));
  }

  ask(): void {
    const asked = askedOf(this.state, this.devices);
    for (const key of kKeys) {
      const problem = asked.problems[key] ?? '';
      const place = document.querySelector(`#${key}-problem`);
      if (!place) continue;
      this.fields[key].setAttribute('aria-invalid', problem ? 'true' : 'false');
      place.textContent = problem;
    }
    this.showLaws?.();
    for (const slider of Object.values(this.sliders)) slider.follow(undefined);
    history.replaceState(null, '', linkOf(this.state) || location.pathname + location.search);
    find('main').removeAttribute('data-drawn');
    const wrong = Object.keys(asked.problems).length > 0;
    this.warn(wrong && find('#answer').textContent ? 'What stands here is of an earlier question: a field below cannot be read.' : '');
    if (!wrong) {
      const state = this.state;
      this.latest.run(() => this.answer(asked, state));
    }
  }

  /** The lines of all laws, where "all" is among the names. */
  private async linesFor(names: string): Promise<LawLine[]> {
    if (!/\ball\b/.test(names)) return [];
    if (this.lines.length === 0) {
      const laws = await this.engine.ask({verb: 'laws'});
      if (!failed(laws)) this.lines = linesOf((laws as unknown as {laws: LawAnswer[]}).laws);
    }
    return this.lines;
  }

  // ---- the answer, then the figures ----

  private async answer(asked: Asked, state: State): Promise<void> {
    const began = performance.now();
    const who = contendersOf(withAll(state.laws, await this.linesFor(state.laws)), this.own);
    const options = forPlan(asked);
    const plans: (Plan | Failed)[] = [];
    for (const each of who) plans.push(await planOf(this.engine, each, options));
    const good = plans.filter(planned);
    this.show(plans, good, state);
    find('#answer').setAttribute('data-ms', (performance.now() - began).toFixed(1));
    if (this.latest.stale) return;
    const drawing = performance.now();
    await this.draw(asked, options, who, plans, good);
    find('#figures').setAttribute('data-ms', (performance.now() - drawing).toFixed(1));
  }

  private show(plans: readonly (Plan | Failed)[], good: readonly Good[], state: State): void {
    const bad = plans.filter((plan): plan is Failed => 'error' in plan);
    const silent = plans.filter((plan): plan is Plan => !('error' in plan) && !planned(plan));
    const first = good[0];
    this.answered = first ? {state, plan: first} : undefined;
    replace(find('#answer'), ...(first ? [
              element('dl', {class: 'numbers'}, ...numbersOf(first).map(([name, value]) =>
                  element('div', {}, element('dt', {}, name), element('dd', {}, value)))),
              element('p', {class: 'lead'}, sentenceOf(first)),
              ...cautionsOf(first).strong.map(note => element('p', {class: 'problem'}, note)),
            ] : []),
            ...bad.map(plan => element('p', {class: 'problem'}, `${plan.name}: ${plan.error}`)),
            ...silent.map(plan => element('p', {class: 'problem'}, `${plan.name ?? plan.law} answers with no loss here.`)));
    replace(find('#cautions'), ...(first ? cautionsOf(first).quiet.map(note => element('p', {class: 'help'}, note)) : []));
    replace(find('#plans'), ...(good.length > 0 ? [plansTable(good)] : []));
    replace(find('#notes'), ...good.flatMap(plan => [plan.binding ?? '', plan.convention ?? '', ...plan.notes]
        .filter(note => note !== '').map(note => element('li', {}, `${plan.name}: ${note}`))));
    if (!first) return;
    const {N, D, P_w, P_a, P_kv, memory_bytes: memory, compute} = first.optimum;
    this.sliders.params?.follow(N);
    this.sliders.tokens?.follow(D);
    if (P_w === P_a && P_a === P_kv) this.sliders.bits?.follow(P_w);
    if (memory !== undefined) this.sliders.memory?.follow(memory);
    if (compute !== undefined) this.sliders.budget?.follow(compute);
  }

  private async draw(asked: Asked, options: Options, who: Contender[], plans: (Plan | Failed)[], good: Good[]): Promise<void> {
    const firstAt = plans.findIndex(planned);
    const first = who[firstAt], plan = good[0];
    if (!first || !plan) {
      for (const figure of this.figures.values()) figure.element.hidden = true;
      for (const place of ['#formats', '#run-says']) replace(find(place));
      return;
    }
    const best = plan.optimum;
    const run = asked.run ? runOf(asked.run) : undefined;
    const marks = {best, ...(run ? {run} : {})};
    const steps: (() => Promise<void>)[] = [
      () => this.drawRun(asked, who),
      async () => {
        const made = plan.knows_bits ? await sizeLandscape(this.engine, first, asked, best)
                                     : {name: plan.name, error: `${plan.name} does not say what bits in training change`};
        this.place('size', 'loss' in made && enough(made) ? overSizeAndBits(made, marks)
                           : nothing('loss-over-size-and-bits', 'Loss over parameters and bits, at this budget', 'error' in made ? made.error : few(first)));
        this.main = this.drawn.get('size');
      },
      async () => {
        const made = await dataLandscape(this.engine, first, best);
        this.place('data', 'landscape' in made ? overDataAndBits(made.landscape, made.critical, marks)
                           : nothing('loss-over-data-and-bits', 'Loss of this model, rounded after training', (made as Failed).error));
      },
      () => this.drawByBits(options, who, plans),
      () => this.drawByBudget(asked, options, who, plans, run ? {N: run.N, D: run.D, P: [run.P_w, run.P_a, run.P_kv], ...(run.loss === undefined ? {} : {loss: run.loss})} : undefined, first),
      async () => {
        const device = asked.device ?? this.devices.find(({name}) => name === kUsualDevice);
        const limited = options['compute'] !== undefined || options['gpu_hours'] !== undefined;
        if (device && limited) replace(find('#formats'), ...formatsTable(await formatsOf(this.engine, first, asked, device), device.name, plan.name));
        else replace(find('#formats'), element('p', {}, 'A training budget says what formats are worth; none is given.'));
      },
      async () => {
        const made = await frontierOf(this.engine, first, asked);
        this.place('frontier', 'points' in made ? frontierOfBytes({...made, law: plan.name})
                               : nothing('frontier-of-bytes', 'The best model for every number of bytes', made.error));
      },
    ];
    for (const step of steps) {
      await step();
      if (this.latest.stale) return;
    }
  }

  private async drawRun({run}: Asked, who: Contender[]): Promise<void> {
    if (!run) {
      replace(find('#run-says'));
      return;
    }
    const by = [];
    for (const each of who) by.push({name: each.name, made: await predictionsOf(this.engine, each, [runOf(run)])});
    replace(find('#run-says'), ...runSays(run, by).map(each => element('p', {}, each)));
  }

  private async drawByBits(options: Options, who: Contender[], plans: (Plan | Failed)[]): Promise<void> {
    const free = without(options, 'bits', 'precision', 'free');
    const curves: LawCurve[] = [], silent: string[] = [];
    for (const [i, each] of who.entries()) {
      const plan = plans[i]!;
      if (!planned(plan)) continue;
      if (!plan.knows_bits) {
        silent.push(each.name);
        continue;
      }
      const curve = await curveOf(this.engine, each, free, {name: 'P', values: kBits}, plan.optimum);
      if ('places' in curve) curves.push(curve);
    }
    this.place('bits', lossByBits(curves, silent));
  }

  private async drawByBudget(asked: Asked, options: Options, who: Contender[], plans: (Plan | Failed)[],
                             mine: {N: number; D: number; P: number[]; loss?: number} | undefined, first: Contender): Promise<void> {
    const name = options['gpu_hours'] === undefined ? 'compute' : 'gpu_hours';
    const amount = options[name];
    const title = 'The least loss by budget';
    if (typeof amount !== 'number') {
      this.place('budget', nothing('loss-by-budget', title, 'no training budget is given'));
      return;
    }
    const budget: Budget = {amount, unit: name === 'compute' ? 'FLOP' : `hours of ${asked.device?.name ?? String(options['device'])}`};
    // A fixed model has no use for more.
    if (options['params'] !== undefined && options['tokens'] !== undefined) {
      this.place('budget', nothing('loss-by-budget', title, 'parameters and tokens are both given, so more budget changes nothing'));
      return;
    }
    const curves: LawCurve[] = [];
    for (const [i, each] of who.entries()) {
      const plan = plans[i]!;
      if (!planned(plan)) continue;
      const curve = await curveOf(this.engine, each, options, {name, values: along(amount / 1e3, amount * 1e3, 13)}, plan.optimum);
      if ('places' in curve) curves.push(curve);
    }
    let marker: {x: number; loss: number} | undefined;
    if (mine && name === 'compute') {
      const plan = await planOf(this.engine, first, {params: mine.N, tokens: mine.D, bits: mine.P}, false);
      if (planned(plan) && plan.optimum.compute) marker = {x: plan.optimum.compute, loss: mine.loss ?? plan.optimum.loss};
    }
    this.place('budget', lossByBudget(curves, budget, marker));
  }

  private readonly drawn = new Map<string, Drawing>();

  private place(name: string, drawing: Drawing): void {
    let figure = this.figures.get(name);
    if (!figure) {
      figure = new Figure({heading: 'h2'});
      this.figures.set(name, figure);
      find(`#${name}-figure`).append(figure.element);
    }
    figure.element.hidden = false;
    this.drawn.set(name, drawing);
    figure.show(drawing);
  }

  private picture(): Picture | undefined {
    if (!this.answered) return undefined;
    const {state, plan} = this.answered;
    const figure = this.main && this.main.panels.length > 0 ? this.main : this.drawn.get('bits');
    return {question: questionOf(state, plan.name), numbers: numbersOf(plan), answer: sentenceOf(plan), figure};
  }
}

const nothing = (id: string, title: string, why: string): Drawing =>
    ({id, group: 'plan', title, says: `Nothing to draw: ${why.replace(/^(plan|landscape): /, '').replace(/\.$/, '')}.`, x: {label: ''}, y: {label: ''}, panels: []});

/** A law with constants for some precisions alone has no surface. */
const enough = (made: Landscape): boolean =>
    new Set(made.loss.flatMap((loss, i) => (loss === null ? [] : [Math.floor(i / made.axes[0]!.values.length)]))).size > 8;
const few = (who: Contender): string => `${who.name} has constants for a few precisions, and says nothing between them`;

export async function startPlanner(engine: Engine, fits: Engine): Promise<Planner> {
  const fields = Object.fromEntries(kKeys.map(key => [key, find<Field>(`#${key}`)])) as Record<keyof State, Field>;
  const planner = new Planner(engine, fits, fields);
  await planner.start();
  return planner;
}
