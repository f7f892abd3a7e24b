// The parts of the engine's answers that the page reads.

export interface Interval {
  low: number;
  high: number;
}

export interface Optimum {
  N: number;
  D: number;
  P_w: number;
  P_a: number;
  P_kv: number;
  loss: number;
  tokens_per_param: number;
  N_total?: number;
  compute?: number;
  memory_bytes?: number;
  precision?: string;
}

export interface Plan {
  law: string;
  name?: string;
  source: string;
  binding?: string;
  convention?: string;
  notes: string[];
  optimum: Optimum | null;
  intervals?: Record<string, Interval>;
  run?: {loss: number | null; mean: [number, number] | null; run: [number, number] | null};
}

export interface FrontierPoint {
  bytes: number;
  N: number;
  D: number;
  P_w: number;
  loss: number;
  choice: string;
  beyond: string[];
}

export interface Frontier {
  law: string;
  points: FrontierPoint[];
  notes: string[];
}

export interface TableAnswer {
  law: string;
  rows: number;
  diverged: number;
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
}

export interface LawAnswer {
  name: string;
  title: string;
  formula: string;
  uses_bits?: boolean;
}
