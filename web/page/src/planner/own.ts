// A table or a fit of the reader's own: read, judged and fitted beside the page, by an engine of its own, so that
// plans go on meanwhile. A new file ends the work on the one before it.
import {bits, bytes, count, quoted} from '../amounts.ts';
import {element, find, replace, table} from '../dom.ts';
import {failed, type Engine} from '../engine.ts';
import type {Json} from '../module.ts';
import type {DesignAnswer, FitAnswer, TableAnswer} from './answers.ts';
import {predictionsOf, runOf, type OwnFit} from './contenders.ts';
import {textIn} from './text.ts';

const kLargestFile = 20e6;
const kCancelled = 'cancelled';

export class Own {
  private turn = 0;
  private clock: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly engine: Engine, private readonly use: (fit: OwnFit | undefined) => void) {
    const input = find<HTMLInputElement>('#file');
    input.addEventListener('change', () => {
      const file = input.files?.[0];
      input.value = '';  // the same file may be chosen again
      if (file) void this.read(file);
    });
    document.addEventListener('dragover', event => {
      event.preventDefault();
      document.body.classList.add('dragged');
    });
    for (const end of ['dragleave', 'drop']) document.addEventListener(end, () => document.body.classList.remove('dragged'));
    document.addEventListener('drop', event => {
      event.preventDefault();
      const files = event.dataTransfer?.files;
      if (files && files.length > 1) this.say('Drop one file at a time.');
      else if (files?.[0]) void this.read(files[0]);
    });
    find('#cancel').addEventListener('click', () => {
      this.begin();
      this.say('Cancelled. Plans are made with the constants as before.');
    });
    find('#forget').addEventListener('click', () => {
      this.begin();
      this.say('');
      replace(find('#fit-judged'));
      this.take(undefined);
    });
  }

  /** A fit that the page was made with: the document, or {"name", "fit"}. */
  given(content: string): void {
    const {name, fit} = givenIn(content);
    if (!fit) {
      this.say('The fit that this page was given is not a document of `bitlaw fit`; plans are made with published constants.');
      return;
    }
    this.say(`Plans are made with ${name}.`);
    this.take({name, fit});
    const turn = this.turn;
    void this.problemOf({name, fit}).then(problem => {
      if (problem === undefined || turn !== this.turn) return;
      this.say(`The fit that this page was given cannot be used: ${problem}. Plans are made with published constants.`);
      this.take(undefined);
    });
  }

  /** Why the engine cannot predict with a fit. */
  private async problemOf({name, fit}: OwnFit): Promise<string | undefined> {
    const predicted = await predictionsOf(this.engine, {name, of: {}, fit}, [runOf({N: 1e9, D: 2e10, bits: []})]);
    if (!('error' in predicted)) return undefined;
    return predicted.error.startsWith(`${name}: `) ? predicted.error.slice(name.length + 2) : predicted.error;
  }

  private say(sentence: string): void {
    find('#file-says').textContent = sentence;
  }

  private take(fit: OwnFit | undefined): void {
    find<HTMLElement>('#forget').hidden = fit === undefined;
    this.use(fit);
  }

  /** A new turn: what was going on ends. */
  private begin(): number {
    if (this.engine.busy) this.engine.stop(kCancelled);
    this.rest();
    return ++this.turn;
  }

  private work(doing: string): void {
    const began = performance.now();
    const show = (): void => {
      const seconds = (performance.now() - began) / 1000;
      find('#doing').textContent = seconds < 1 ? `${doing} ...` : `${doing} ... ${seconds.toFixed(0)} s`;
    };
    clearInterval(this.clock);
    show();
    this.clock = setInterval(show, 500);
    find<HTMLElement>('#progress').hidden = false;
  }

  private rest(): void {
    clearInterval(this.clock);
    find<HTMLElement>('#progress').hidden = true;
  }

  private async read(file: File): Promise<void> {
    const turn = this.begin();
    const name = file.name;
    this.say('');
    this.work(`Reading ${quoted(name)}`);
    const content = await contentOf(file);
    if (turn !== this.turn) return;
    if ('problem' in content) {
      this.rest();
      this.say(content.problem);
      return;
    }
    const fit = fitIn(content.text);
    if (fit) {
      const problem = await this.problemOf({name, fit});
      if (turn !== this.turn) return;
      this.rest();
      if (problem !== undefined) {
        this.say(`${quoted(name)}: ${problem}. Plans are made with the constants as before.`);
        return;
      }
      replace(find('#fit-judged'));
      this.say(`${quoted(name)}: plans are made with this fit.`);
      this.take({name, fit});
      return;
    }
    await this.fit(turn, name, content.text);
    if (turn === this.turn) this.rest();
  }

  private async fit(turn: number, name: string, text: string): Promise<void> {
    const asked = {text, name};
    const judged = await this.engine.ask({verb: 'table', table: asked});
    if (turn !== this.turn) return;
    if (failed(judged)) {
      this.say(judged.error);
      return;
    }
    const seen = judged as unknown as TableAnswer;
    this.work(`Fitting ${seen.law} to ${seen.rows} rows of ${quoted(name)}, with 400 refits for its intervals`);
    const began = performance.now();
    const answer = await this.engine.ask({verb: 'fit', table: asked});
    if (turn !== this.turn) return;
    if (failed(answer)) {
      this.say(`${quoted(name)}: ${answer.error}`);
      return;
    }
    const fit = answer as unknown as FitAnswer;
    const seconds = (performance.now() - began) / 1000;
    find('#file-says').setAttribute('data-seconds', seconds.toFixed(3));
    this.say(`${quoted(name)}: ${fit.law} fitted to ${fit.points} points in ${seconds.toFixed(1)} s. Plans are made with this fit.`);
    replace(find('#fit-judged'), ...judgedIn(seen, fit));
    this.take({name, fit: answer as OwnFit['fit']});
    this.work('Looking for the runs that would tell most');
    const design = await this.engine.ask({verb: 'design', table: asked, options: {law: fit.law}});
    if (turn !== this.turn) return;
    find('#fit-judged').append(...designed(design));
  }
}

async function contentOf(file: File): Promise<{text: string} | {problem: string}> {
  const name = quoted(file.name);
  if (file.size > kLargestFile)
    return {problem: `${name} has ${bytes(file.size)}; this page reads up to ${bytes(kLargestFile)}. Use \`bitlaw fit\` for it.`};
  if (file.size === 0) return {problem: `${name} is empty.`};
  let content: Uint8Array;
  try {
    content = new Uint8Array(await file.arrayBuffer());
  } catch {
    return {problem: `${name} cannot be read; is it a folder?`};
  }
  if ((content[0] === 0x1f && content[1] === 0x8b) || (content[0] === 0x28 && content[1] === 0xb5))
    return {problem: `${name} is compressed; unpack it first.`};
  const text = textIn(content);
  return text === undefined ? {problem: `${name} is not text; give a table as CSV, TSV, JSON or JSONL, or a fit.json, saved as UTF-8, or as UTF-16 with its byte order mark.`}
                            : {text};
}

/** A document of `bitlaw fit --out`, or nothing. */
function fitIn(content: string): OwnFit['fit'] | undefined {
  try {
    const parsed: unknown = JSON.parse(content);
    const is = typeof parsed === 'object' && parsed !== null && 'parameters' in parsed && 'law' in parsed;
    return is ? (parsed as OwnFit['fit']) : undefined;
  } catch {
    return undefined;
  }
}

function givenIn(content: string): {name: string; fit: OwnFit['fit'] | undefined} {
  const bare = fitIn(content);
  if (bare) return {name: 'the fit that came with this page', fit: bare};
  try {
    const {name, fit} = JSON.parse(content) as {name?: unknown; fit?: unknown};
    return {name: typeof name === 'string' && name !== '' ? `the fit of ${name}` : 'the fit', fit: fitIn(JSON.stringify(fit))};
  } catch {
    return {name: '', fit: undefined};
  }
}

// ---- what a table identifies ----

const plain = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(4))));

function judgedIn(seen: TableAnswer, fit: FitAnswer): HTMLElement[] {
  const all = Object.entries(fit.parameters);
  const frozen = all.filter(([, each]) => each.frozen), open = all.filter(([, each]) => !each.frozen && each.identified === false);
  const known = all.length - frozen.length - open.length;
  const sentences = [
    `${known} of ${all.length} constants of ${fit.law} are identified by these rows.`,
    open.length > 0 ? `Not identified: ${open.map(([name]) => name).join(', ')}; an answer that depends on them is known only to its interval.` : '',
    variation(fit),
    seen.dropped + seen.diverged + seen.filtered > 0
      ? `Left out: ${[[seen.diverged, 'diverged'], [seen.dropped, 'without what the law needs'], [seen.filtered, 'filtered']].filter(([n]) => n as number > 0).map(([n, why]) => `${n} ${why}`).join(', ')}.` : '',
    ...fit.held_out.filter(each => each.part === 'training' && each.rms_log !== null && each.split !== 'kfold')
        .map(each => `Without the ${each.split.replace('largest-', 'largest ')}, its ${each.points} losses are missed by ${(100 * each.rms_log!).toFixed(2)} %.`),
  ];
  const derived = fit.derived.filter(each => each.value !== null && /^P\* |^[ab] of/.test(each.name));
  return [
    element('h2', {}, 'What these runs tell'),
    element('ul', {}, ...sentences.filter(each => each).map(each => element('li', {}, each))),
    ...(derived.length > 0 ? [table('What follows', ['quantity', 'value', `interval of ${100 * fit.level} %`],
        derived.map(each => [each.name, `${plain(each.value)} ${each.unit}`, each.low === null ? '' : `${plain(each.low)} to ${plain(each.high)}`]))] : []),
    element('details', {}, element('summary', {}, 'Constants, and what was noted'), constantsOf(fit),
            element('ul', {}, ...[...new Set([...seen.notes, ...fit.notes])].map(note => element('li', {}, String(note))))),
  ];
}

/** Which factors the rows vary, and which they do not: what does not vary, no law can be told from. */
function variation({studied}: FitAnswer): string {
  const range = (name: string): [number, number] | undefined => {
    const low = studied[`least_${name}`], high = studied[`most_${name}`];
    return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
  };
  const varies: string[] = [], fixed: string[] = [];
  for (const [name, word, write] of [['params', 'N', count], ['tokens', 'D', count], ['weights', 'bits of weights', bits],
                                     ['activations', 'bits of activations', bits], ['kv', 'bits of keys and values', bits],
                                     ['post', 'bits after training', bits]] as const) {
    const found = range(name);
    if (!found) fixed.push(word);
    else if (found[0] === found[1]) fixed.push(`${word} (${write(found[0])})`);
    else varies.push(`${word} from ${write(found[0])} to ${write(found[1])}`);
  }
  return `The rows vary ${varies.length > 0 ? varies.join(', ') : 'nothing'}${fixed.length > 0 ? `; they do not vary ${fixed.join(', ')}` : ''}.`;
}

function constantsOf(fit: FitAnswer): HTMLTableElement {
  const rows = Object.entries(fit.parameters).map(([name, constant]) => {
    const said = constant.frozen ? `not fitted: ${constant.frozen}`
               : constant.identified === false ? 'not identified by these rows' : '';
    return [name, said ? '' : plain(constant.value), constant.low === null || said ? '' : `${plain(constant.low)} to ${plain(constant.high)}`, said];
  });
  return table(`Constants of ${fit.law}, with intervals of ${100 * fit.level} %`, ['constant', 'value', 'interval', 'remark'], rows);
}

function designed(answer: Json): HTMLElement[] {
  const head = element('h2', {}, 'The runs that would tell most');
  if (failed(answer)) return [head, element('p', {}, `No proposal: ${answer.error}`)];
  const design = answer as unknown as DesignAnswer;
  const together = new Map<string, {cells: string[]; times: number}>();
  for (const run of design.runs) {
    const post = run.P_post ? `, then rounded to ${run.P_post.map(bits).join(', ')} bits` : '';
    const width = run.precision ?? [run.P_w, run.P_a, run.P_kv].map(bits).join('/');
    const cells = [count(run.N), count(run.D), `${width}${post}`, `${run.flop.toPrecision(3)}`, run.beyond.join('; ')];
    const key = cells.join('|');
    const same = together.get(key);
    if (same) ++same.times;
    else together.set(key, {cells, times: 1});
  }
  if (together.size === 0) return [head, element('p', {}, 'No affordable run would tell more.')];
  const width = ({low, high}: DesignAnswer['before']): string => (low === null || high === null ? 'unknown' : `${plain(low)} to ${plain(high)}`);
  return [head, element('p', {}, `For ${design.budget.toPrecision(3)} FLOP, a tenth of what the table cost, these runs would narrow ${design.shrink} from ${width(design.before)} to about ${width(design.after)} ${design.unit}.`),
          table('Proposed runs', ['N', 'D', 'precision', 'FLOP', 'beyond the table', 'seeds'], [...together.values()].map(({cells, times}) => [...cells, String(times)]))];
}
