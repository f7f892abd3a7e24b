// The parts of the engine's answers that the page reads.

export interface Interval {
  low: number;
  high: number;
}

export type Range = [number, number];

export interface Optimum {
  N: number;
  D: number;
  P_w: number;
  P_a: number;
  P_kv: number;
  P_post?: number;
  loss: number;
  tokens_per_param: number;
  N_total?: number;
  compute?: number;
  gpu_hours?: number;
  memory_bytes?: number;
  kv_bytes?: number;
  embedding_bytes?: number;
  precision?: string;
  delta?: number;
}

export interface Plan {
  law: string;
  name?: string;
  source: string;
  knows_bits: boolean;
  binding?: string;
  convention?: string;
  notes: string[];
  optimum: Optimum | null;
  intervals?: Record<string, Interval>;
  run?: {loss: number | null; mean: Range | null; run: Range | null};
  critical_data?: {bits: number; tokens: number | null}[];
}

export interface FrontierPoint {
  bytes: number;
  N: number;
  D: number;
  P_w: number;
  loss: number;
  choice: string;
  mean?: Range;
  second?: string;
  gap?: number;
  beyond: string[];
}

export interface Frontier {
  law: string;
  points: (FrontierPoint | {bytes: number; none: string})[];
  changes: {bytes: number; from: string; to: string}[];
  notes: string[];
}

/** Lists over the points, the first axis fastest; what is the same everywhere is left out. */
export interface Landscape {
  law: string;
  axes: {name: string; values: number[]}[];
  loss: (number | null)[];
  N?: (number | null)[];
  D?: (number | null)[];
  P_w?: (number | null)[];
  P_a?: (number | null)[];
  P_kv?: (number | null)[];
}

export interface Predictions {
  predictions: {loss: number | null; mean: Range | null; run: Range | null; residual?: number; inside?: boolean; beyond: string[]; problem?: string}[];
}

export interface Device {
  name: string;
  source: string;
  flops: Record<string, number>;
  memory_bytes: number;
}

export interface TableAnswer {
  law: string;
  rows: number;
  diverged: number;
  dropped: number;
  filtered: number;
  notes: string[];
  columns: string[];
}

export interface Constant {
  value: number | null;
  low: number | null;
  high: number | null;
  frozen?: string;
  identified?: boolean;
}

export interface FitAnswer {
  law: string;
  notes: string[];
  level: number;
  r2: number | null;
  points: number;
  parameters: Record<string, Constant>;
  derived: {name: string; value: number | null; low: number | null; high: number | null; unit: string}[];
  held_out: {part: string; split: string; points: number; rms_log: number | null}[];
  studied: Record<string, number | null>;
  draws?: {names: string[]; values: number[][]};
}

export interface DesignAnswer {
  shrink: string;
  unit: string;
  budget: number;
  before: {low: number | null; high: number | null};
  after: {low: number | null; high: number | null};
  runs: {N: number; D: number; precision?: string; P_w: number; P_a: number; P_kv: number; P_post?: number[]; flop: number; beyond: string[]}[];
}

export interface LawAnswer {
  name: string;
  title: string;
  formula: string;
  uses_bits: boolean;
  quantity: string;
  constants: {name: string; source: string}[];
}
