// The live page: one study at a time, with what becomes of it.
import {element, find, replace, table} from '../dom.ts';
import {exact} from '../draw/numbers.ts';
import {Connection} from './connection.ts';
import {Curves, kMostCurves} from './curves.ts';
import {RunTable} from './runs.ts';
import {LiveState, budgetOf, lawSays, statesOf, timeLeft, type Law, type Row, type Study} from './state.ts';

const kFewCurves = 6; // of runs that nobody chose
const kRedraw = 200; // milliseconds between two drawings

export class LivePage {
  private readonly state = new LiveState();
  private readonly curves = new Curves(id => this.choose(id, false));
  private readonly runs = new RunTable((id, on) => this.choose(id, on));
  private key = new URLSearchParams(location.hash.slice(1)).get('study') ?? '';
  /** Of the reader's own; before the first, runs that go on are chosen. */
  private chosen: Set<string> | undefined;
  private since = '';
  private due: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    find('#curves').append(this.curves.element);
    find('#runs').append(this.runs.element);
    const select = find<HTMLSelectElement>('#study');
    select.addEventListener('change', () => {
      this.key = select.value;
      this.chosen = undefined;
      history.replaceState(null, '', `#study=${encodeURIComponent(this.key)}`);
      this.draw();
    });
    const connection = new Connection(this.state, {
      connected: () => {
        this.since = '';
        this.say('Live: this page changes as results arrive.', false);
        this.draw();
        this.curves.again([...this.state.rows.values()]);
        find('main').setAttribute('data-ready', 'true');
      },
      changed: rows => {
        this.curves.changed(rows);
        this.due ??= setTimeout(() => {
          this.due = undefined;
          this.draw();
        }, kRedraw);
      },
      lost: why => {
        this.since ||= new Date().toLocaleTimeString();
        const reason = why ? ` (${why})` : '';
        this.say(`The program that serves this page does not answer${reason}: what stands here is as it was at ${this.since}. This page tries again by itself.`, true);
      },
    });
    connection.open();
  }

  private say(sentence: string, wrong: boolean): void {
    const status = find('#status');
    if (status.textContent !== sentence) status.textContent = sentence;
    status.className = wrong ? 'lost' : 'soft';
  }

  private choose(id: string, on: boolean): void {
    this.chosen ??= new Set(this.shownBySelf());
    if (on) this.chosen.add(id);
    else this.chosen.delete(id);
    this.draw();
  }

  private study(): Study | undefined {
    return this.state.studies.find(each => each.key === this.key) ?? this.state.studies.find(each => each.runs > 0) ?? this.state.studies[0];
  }

  /** Runs that go on; where none does, some with the most tokens. */
  private shownBySelf(): string[] {
    const study = this.study();
    if (!study) return [];
    const rows = this.state.runsOf(study.key);
    const going = rows.filter(row => row.status === 'running').slice(0, kMostCurves);
    if (going.length > 0) return going.map(row => row.id);
    return rows.filter(row => row.status === 'finished').sort((a, b) => (b.D ?? 0) - (a.D ?? 0)).slice(0, kFewCurves).map(row => row.id);
  }

  private draw(): void {
    const study = this.study();
    this.drawStudies(study);
    find<HTMLElement>('#content').hidden = !study;
    if (!study) {
      find('#title').textContent = 'No study yet';
      return;
    }
    const title = `${study.name}, live`;
    if (document.title !== title) document.title = title;
    setText('#title', study.name);
    this.drawCells(study);
    drawWorkers(study);
    drawTroubles(study);
    const rows = this.state.runsOf(study.key);
    drawLaw(study, this.state.laws.get(study.key), budgetOf(rows));
    const shown = this.chosen ?? new Set(this.shownBySelf());
    this.runs.show(rows, shown);
    this.curves.show(rows.filter(row => shown.has(row.id)));
  }

  private drawStudies(now: Study | undefined): void {
    const {studies} = this.state;
    find<HTMLElement>('#choose').hidden = studies.length < 2;
    const select = find<HTMLSelectElement>('#study');
    const names = studies.map(each => `${each.name} (${each.directory})`);
    if ([...select.options].map(each => each.text).join('\n') !== names.join('\n'))
      replace(select, ...studies.map((each, i) => element('option', {value: each.key}, names[i]!)));
    if (now && select.value !== now.key) select.value = now.key;
  }

  private drawCells(study: Study): void {
    const states = statesOf(study);
    const total = states.reduce((sum, [, count]) => sum + count, 0);
    const signature = JSON.stringify([states, study.jobs, study.quantized, study.seconds_left]);
    const place = find<HTMLElement>('#cells');
    if (place.dataset['of'] === signature) return;
    place.dataset['of'] = signature;
    const facts: [string, string][] = states.map(([name, count]) => [name, String(count)]);
    if (study.jobs) facts.push(['jobs done', `${study.jobs.done} of ${study.jobs.total}`]);
    if (study.quantized) facts.push(['quantized', `${study.quantized.done} of ${study.quantized.total}`]);
    if (study.seconds_left !== null) facts.push(['left', timeLeft(study.seconds_left)]);
    replace(place,
      element('div', {class: 'bar', 'aria-hidden': 'true'},
              ...states.map(([name, count]) => element('span', {class: `state ${name}`, style: `flex-grow: ${count}`}))),
      element('dl', {class: 'facts'}, ...facts.map(([name, value], i) =>
        element('div', {}, element('dt', {}, ...(i < states.length ? [element('span', {class: `mark state ${name}`})] : []), name), element('dd', {}, value)))),
      ...(total === 0 ? [element('p', {class: 'soft'}, 'No run has begun.')] : []));
  }
}

function setText(selector: string, text: string): void {
  const place = find(selector);
  if (place.textContent !== text) place.textContent = text;
}

/** Drawn again only where `of` is something else. */
function drawOnce(selector: string, of: unknown, children: () => (Node | string)[]): void {
  const place = find<HTMLElement>(selector), signature = JSON.stringify(of);
  if (place.dataset['of'] === signature) return;
  place.dataset['of'] = signature;
  place.replaceChildren(...children());
}

function drawWorkers(study: Study): void {
  drawOnce('#workers', study.workers, () => study.workers.length === 0
    ? [element('p', {class: 'soft'}, 'No worker has a job of this study now.')]
    : [element('div', {class: 'wide'}, table('Workers', ['machine', 'process', 'since', 'jobs'],
        study.workers.map(each => [each.host, String(each.process), each.since.replace('T', ' ').replace('Z', ' UTC'), each.jobs.join(', ')])))]);
}

function drawTroubles(study: Study): void {
  const {failures, problems} = study;
  const trouble = failures.length + problems.length > 0;
  find<HTMLElement>('#troubles').hidden = !trouble;
  drawOnce('#troubles-list', [failures, problems, study.problems_in_all], () => [
    ...failures.map(each => element('li', {}, `${each.job}: ${each.message}`)),
    ...problems.map(each => element('li', {}, each)),
    ...(study.problems_in_all > problems.length ? [element('li', {}, `and ${study.problems_in_all - problems.length} more that cannot be read`)] : []),
  ]);
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${exact(value)}`;

function drawLaw(study: Study, law: Law | undefined, budget: string | undefined): void {
  setText('#law-says', lawSays(law));
  const constants = law?.so_far?.constants ?? [];
  drawOnce('#law', constants, () => constants.length === 0 ? [] : [element('div', {class: 'wide'},
    table('Constants that the runs identify', ['constant', 'value', 'change'],
          constants.map(each => [each.name === 'P*' ? 'best bits of the weights' : each.name, exact(each.value),
                                 each.change === null ? '' : signed(each.change)])))]);
  const start = law?.fitted && budget ? `#budget=${budget}` : '';
  drawOnce('#links', [study.key, law?.fitted ?? false, start], () => [
    element('a', {href: `/planner?study=${encodeURIComponent(study.key)}${start}`},
            law?.fitted ? 'Plan with this fit' : 'The planner (published constants: there is no fit yet)'),
    ' · ',
    element('a', {href: `/report?study=${encodeURIComponent(study.key)}`}, 'Report on these runs'),
  ]);
}

export type {Row};
