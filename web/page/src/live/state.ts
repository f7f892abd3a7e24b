// What the page knows of the studies: one snapshot, then what has changed since. Events and snapshots cross on
// their way, so each has a version, and an event that a snapshot already has is left out.

export interface Row {
  id: string;
  study: string;
  run: string;
  status: string;
  label?: string;
  detail?: string;
  N?: number | null;
  D?: number | null;
  P_w?: number | null;
  P_a?: number | null;
  P_kv?: number | null;
  seed?: number | null;
  lr?: number | null;
  loss?: number | null;
  train_loss?: number | null;
  tokens_per_second?: number | null;
  cells?: number;
  share?: number | null; // done, 0 to 1
}

export interface Worker {
  host: string;
  process: number;
  since: string;
  jobs: string[];
}

export interface Study {
  key: string;
  name: string;
  directory: string;
  runs: number;
  cells: Record<string, number>;
  jobs: {done: number; failed: number; total: number} | null;
  quantized: {done: number; total: number} | null;
  workers: Worker[];
  failures: {job: string; message: string}[];
  problems: string[];
  problems_in_all: number;
  seconds_left: number | null;
}

export interface Law {
  study: string;
  read: boolean; // the rows so far
  so_far: {law: string; runs: number; constants: {name: string; value: number; change: number | null}[]} | null;
  problem: string | null;
  fitted: boolean;
}

export interface Look {
  version: number;
  studies?: Study[];
  rows: Row[];
  gone: string[];
}

export interface Snapshot {
  version: number;
  rows: Row[];
}

export class LiveState {
  readonly rows = new Map<string, Row>();
  readonly laws = new Map<string, Law>();
  studies: Study[] = [];
  private version = -1;
  private waiting: Look[] | undefined = [];

  /** A snapshot is on its way: events wait for it. */
  await(): void {
    this.waiting = [];
  }

  /** The studies of the same moment, or a later one. */
  take(snapshot: Snapshot, studies: Study[]): void {
    this.rows.clear();
    for (const row of snapshot.rows) this.rows.set(row.id, row);
    this.studies = studies;
    this.version = snapshot.version;
    const waiting = this.waiting ?? [];
    this.waiting = undefined;
    for (const look of waiting) this.look(look);
  }

  /** The rows that have changed. */
  look(look: Look): Row[] {
    if (this.waiting) {
      this.waiting.push(look);
      return [];
    }
    if (look.version <= this.version) return [];
    this.version = look.version;
    for (const id of look.gone) this.rows.delete(id);
    for (const row of look.rows) this.rows.set(row.id, row);
    if (look.studies) this.studies = look.studies;
    return look.rows;
  }

  law(law: Law): void {
    this.laws.set(law.study, law);
  }

  runsOf(study: string): Row[] {
    return [...this.rows.values()].filter(row => row.study === study);
  }
}

const kStates = ['finished', 'running', 'waiting', 'interrupted', 'diverged', 'failed', 'damaged'] as const;

/** States in the order in which they are shown, with their counts; those of no cell are left out. */
export function statesOf(study: Study): [name: string, count: number][] {
  const others = Object.keys(study.cells).filter(name => !(kStates as readonly string[]).includes(name));
  return [...kStates, ...others.sort()].map((name): [string, number] => [name, study.cells[name] ?? 0]).filter(([, count]) => count > 0);
}

/** "about 12 min", "about 3 h 20 min". */
export function timeLeft(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  if (minutes <= 60) return `about ${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `about ${hours} h ${minutes % 60} min` : `about ${Math.round(hours / 24)} days`;
}

/** The sentence above the law's constants. */
export function lawSays(law: Law | undefined): string {
  if (!law?.read) return 'No fit yet: the results are being read.';
  if (law.so_far) {
    const {so_far: fit} = law;
    const changes = fit.constants.filter(each => each.change !== null && each.change !== 0);
    const since = changes.length > 0
      ? `The largest change since the fit before, relative to the constant, is that of ${largest(changes)}.`
      : 'Changes are shown from the second fit on.';
    return `${fit.law}, fitted to ${fit.runs} finished runs without intervals. ${since}`;
  }
  if (law.problem) return `No fit: ${law.problem}`;
  return law.fitted
    ? 'No constants to show here: the runs so far leave open what the others depend on. The planner and the report have the whole fit, and say what it does not identify.'
    : 'No fit yet: the runs so far identify no constant of the law.';
}

function largest(constants: {name: string; value: number; change: number | null}[]): string {
  const relative = (each: {value: number; change: number | null}): number =>
    Math.abs((each.change ?? 0) / (each.value || 1));
  return constants.reduce((a, b) => (relative(b) > relative(a) ? b : a)).name;
}

/** Ten times the training FLOP (6 N D) of the largest run: a budget that the fit can say something about. */
export function budgetOf(rows: readonly Row[]): string | undefined {
  const most = Math.max(0, ...rows.map(row => 6 * (row.N ?? 0) * (row.D ?? 0)));
  return most > 0 ? (10 * most).toExponential(0).replace('+', '') : undefined;
}

/** The name of a run that people gave, or that of its directory. */
export const nameOf = (row: Row): string => row.label ?? row.run;

/** "4", or "4/16/16" for weights, activations, KV. */
export function bitsOf(row: Row): string {
  const parts = [row.P_w, row.P_a, row.P_kv].map(each => (each === null || each === undefined ? '?' : String(each)));
  return new Set(parts).size === 1 ? (parts[0] ?? '') : parts.join('/');
}
