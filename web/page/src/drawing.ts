// A figure as data: what report, live view and planner draw, each figure downloadable as it is. The
// program writes drawings (src/science/report/drawing.h); pages make their own of answers.

/** How an axis starts; the reader may change between linear and log. */
export interface Axis {
  label: string;  // with its unit: "loss, nats per token"
  log?: boolean;
  ticks?: number[];
}

/** Something measured. Bars go from low to high. */
export interface Point {
  x: number;
  y: number;
  low?: number;
  high?: number;
  run?: string;  // the run behind it
  about?: Record<string, string | number>;  // said on hover: N, D, bits, seed
  flagged?: string;  // why it counts for nothing: drawn hollow
}

/** A place of a fitted curve, with the interval of the mean and the wider one of a single run. */
export interface Place {
  x: number;
  y: number;
  mean?: [number, number];
  run?: [number, number];
}

/** Series of one name have one colour in all panels, and one switch in the legend. */
export interface Series {
  name: string;
  bits?: number;  // colour by bits, few are warm; without: by order
  points?: Point[];
  curve?: Place[];
  dashed?: boolean;  // published constants, not ours
  range?: boolean;  // only a band, of `mean`: the range of the other series, not an interval
}

/** A line across the panel, or the diagonal: {diagonal: true}. */
export interface Line {
  x?: number;
  y?: number;
  diagonal?: boolean;
  label?: string;
}

/** Where the cells' value is the same. */
export interface Contour {
  label: string;
  lines: [x: number, y: number][][];
}

export interface Panel {
  title?: string;
  series?: Series[];
  lines?: Line[];
  contours?: Contour[];
  cells?: {x: number; y: number; value: number; about?: Record<string, string | number>}[];  // a heat map
}

export interface Drawing {
  id: string;  // letters, digits and hyphens: the name of its files
  group: string;  // the heading that it stands under
  title: string;
  says: string;  // computed: what the figure shows, or that it shows nothing
  x: Axis;
  y: Axis;
  value?: Axis;  // of the cells' colours
  equal?: boolean;  // both axes have the same range
  whole?: boolean;  // curves are shown to their ends, however far they lead
  panels: Panel[];  // none: nothing to draw, and `says` says why
}
