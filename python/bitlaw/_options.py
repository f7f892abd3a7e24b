"""Keyword arguments of the verbs. Made by python/make_options.py of the program's own options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

# A list, or its text with commas; or names with their values.
Words = str | float | Sequence[str] | Sequence[float]
Assignments = str | Sequence[str] | Mapping[str, Any]


class TableKeywords(TypedDict, total=False):
    format: str
    "auto, csv, tsv, json, jsonl or quest [auto]"
    columns: Assignments
    "names of your columns: N=params,D=tokens,loss=val_loss; P_w=- for none"
    scale: Assignments
    "units of columns: N=1e6,D=1e9 for millions and billions"
    set: Assignments
    "a computed column: 'N=params-50304*width', 'loss=val_bpb*log(2)*4.5'; repeatable"
    where: Words
    "rows to use: dataset=c4, P_w=3,4, P_w!=16, N=1e6..3e8, D/N>20; repeatable"
    cluster: str
    "columns that define clusters, resampled as a whole: size,seed; or inputs, or row [run]"
    pool: Words
    "factors in which rows may differ: lr,batch,extra_norm, or all (docs/tables.md#factors)"
    reference: str
    "the precision class that is not quantized, if its name does not say so: baseline"
    gaussian_error: str
    "what rates a number format for panferov: least (its best scale), block (its own, from each block's largest entry) or printed (arXiv 2510.25602) [least]"
    gap_to: str
    "fit gaps: losses minus those of this class at the same N, D and seed (bf16)"
    replicates: str
    "runs of equal N, D and precision: all, best (the least loss) or mean [all]"
    last_row_per_run: bool
    "keep only the last row of each run or learning curve [false]"
    drop_duplicates: bool
    "keep only the first of identical rows [false]"
    keep_3bit: bool
    "use runs with 3 bits or fewer of activations or KV, which fits leave out [false]"


class FormulaKeywords(TypedDict, total=False):
    formula: str
    "a law of your own in N, D, C, U, P_w, P_a, P_kv, G and columns of the table: 'E + A/N^alpha + B/D^beta*exp(-k*experts)'"
    delta_formula: str
    "its loss difference of quantization after training, with P_post"
    constants: Assignments
    "ranges of the formula's constants, 'k=0..5,q=-1..1', or a number that stays fixed, k=0.5; E, A, B, alpha, beta and others have usual ones"
    inputs: Assignments
    "columns of the table in the formula: experts=num_experts; a column's own name needs no --inputs"


class FitKeywords(TableKeywords, FormulaKeywords, total=False):
    objective: str
    "huber, lad (least absolute deviations) or least-squares [huber]"
    residual: str
    "log (of the loss) or linear [log]"
    weights: str
    "weights of runs: none, or standard-error (inverse square of the loss's standard error) [none]"
    huber_delta: float
    "Huber's threshold, in log loss; 0 = 1.345 deviations of the residuals [0.0]"
    params: str
    "what N counts: non-embedding, total, or flops: C / (6 D) [non-embedding]"
    method: str
    "quantization method whose deltas are fitted; empty = gptq, or the only one"
    tie: Assignments
    "ties such as beta=alpha"
    freeze: Assignments
    "constants to keep fixed: b=1.1277, or b for its published value"
    range: Assignments
    "hard limits of constants: alpha=0.1..1,E=0..3"
    post_threshold: float
    "Huber's threshold for delta, in standard errors; 0 = squares [1.345]"
    post_floor: float
    "smallest relative error of a delta [0.1]"
    joint: bool
    "fit the constants of training and of delta together, starting from the staged fit [false]"
    profile: Words
    "profile likelihood of these constants, of all, or of derived"
    starts: int | float
    "starting points [64]"
    draws: int | float
    "bootstrap refits for the intervals; 0 = none [400]"
    level: float
    "level of the intervals [0.9]"
    seed: int | float
    "seed of starts and bootstrap [1]"
    hold_out: bool
    "also measure the error on held-out rows [true]"


class CompareKeywords(TableKeywords, FormulaKeywords, total=False):
    hold_out: str
    "rows to hold out and predict: largest-N, largest-D, kfold, bits, class, bits=3, P_w<=4, class=W4A4, N>3e8 [kfold]"
    folds: int | float
    "number of folds [5]"
    objective: str
    "huber, lad (least absolute deviations) or least-squares [huber]"
    huber_delta: float
    "Huber's threshold, in log loss; 0 = 1.345 deviations of each law's residuals [0.0]"
    params: str
    "what N counts: non-embedding, total, or flops: C / (6 D) [non-embedding]"
    method: str
    "quantization method whose deltas are compared"
    starts: int | float
    "maximum number of starts of each fit [64]"
    seed: int | float
    "seed of starts and folds [1]"


class DesignKeywords(TableKeywords, FormulaKeywords, total=False):
    shrink: str
    "quantity whose interval to shrink: a constant, P*, P*_w, N_eff:4, D_crit:4@N=1e9, loss@N=1e9,D=2e10,P_w=4; or all constants [P*]"
    budget: float
    "training FLOP of all proposed runs; 0 = a tenth of the table's [0.0]"
    runs: int | float
    "maximum number of runs [8]"
    params: str
    "what N counts: non-embedding, total, or flops: C / (6 D) [non-embedding]"
    method: str
    "quantization method whose deltas are fitted"
    tie: Assignments
    "ties such as beta=alpha"
    freeze: Assignments
    "constants to keep fixed: b=1.1277, or b for its published value"
    level: float
    "level of the intervals [0.9]"
    starts: int | float
    "maximum number of starts of the fit [64]"
    seed: int | float
    "seed of the starts and of the random choice to compare with [1]"


class SimulateKeywords(TypedDict, total=False):
    params: Words
    "sizes N [30000000.0,60000000.0,110000000.0,220000000.0]"
    tokens: Words
    "training tokens D; empty = 1.5e9,3.3e9,6.5e9,13.1e9,26.2e9 [1500000000.0,3300000000.0,6500000000.0,13100000000.0,26200000000.0]"
    ratios: Words
    "ratios D/N, in addition to the token counts"
    weights: Words
    "weight bits, other parts at 16 [3.0,4.0,5.0,6.0,7.0,8.0,12.0]"
    activations: Words
    "activation bits, other parts at 16 [4.0,5.0,6.0,7.0,8.0,12.0]"
    kv: Words
    "KV bits, other parts at 16 [3.0,4.0,5.0,6.0,7.0,8.0,12.0]"
    keys: Words
    "key bits, other parts at 16, for a law that has them"
    values: Words
    "value bits, other parts at 16"
    embedding: Words
    "bits of the embeddings, other parts at 16"
    head: Words
    "bits of the output head, other parts at 16"
    tied: Words
    "bits of all parts together"
    classes: Words
    "precision classes, such as W4A4 or MXFP4"
    inputs: Assignments
    "values of the inputs of a formula, every combination: experts=1,8,64"
    post: Words
    "weight bits after training, of the runs at 16 bits [3.0,4.0,5.0,6.0]"
    replicates: int | float
    "seeds per run [1]"
    noise: float
    "standard deviation of log loss [0.001]"
    delta_noise: float
    "standard deviation of delta, nats [0.0002]"
    shared: float
    "share of the variance common to the runs of one trunk [0.0]"
    trunk: str
    "run: each run is its own trunk; size: runs of one N and precision share a trunk [run]"
    diverged: float
    "a run with a loss above this, in nats, has diverged [12.0]"
    seed: int | float
    "seed of the noise [1]"


class ApproachKeywords(TypedDict, total=False):
    compute: Words
    "approaches: budgets to give N_opt and D_opt for; empty = the largest of the table, and ten times it"
    budget_tolerance: float
    "isoflop: runs whose C differs by at most this share are one budget [0.1]"


class PlanKeywords(TypedDict, total=False):
    law: str
    "law to plan with [kumar]"
    laws: Words
    "several laws whose answers are compared, or all"
    constants: str
    "published set of constants; empty = the law's first set"
    free: Words
    "variables to optimize: N, D, P (or P_w, P_a, P_kv), P_post; empty = N, D and P where not given"
    compute: float
    "training budget in FLOP at 16 bits, C = 6 N D cost(P) [0.0]"
    gpu_hours: float
    "budget in hours of a device [0.0]"
    device: str
    "the device of gpu_hours, such as h100"
    utilisation: float
    "share of the device's peak rate that is reached [0.4]"
    memory_bytes: float
    "memory for weights and KV cache when serving [0.0]"
    context: float
    "tokens in the KV cache of one sequence [0.0]"
    batch: float
    "sequences served at a time [1.0]"
    layers: float
    "layers of the model, for its KV cache; 0 = estimated from N [0.0]"
    kv_width: float
    "width of the keys of a layer; 0 = estimated from N [0.0]"
    kv_share: float
    "key heads per query head, if the shape is estimated [1.0]"
    memory_counts: str
    "what memory_bytes holds: file (embeddings, head and scales, too) or weights (N P / 8) [file]"
    vocabulary: float
    "rows of the embedding table; 0 = 32,000 [0.0]"
    width: float
    "width of the model, for its embeddings; 0 = estimated from N [0.0]"
    tied_head: bool
    "the output head is the embedding table [false]"
    embedding_format: str
    "embeddings in the file: a format, a number of bits or a type of GGUF (q6_k) [BF16]"
    head_format: str
    "output head in the file; empty = as the embeddings"
    scale_group: float
    "weights that share a scale in the file, if no format says so; 0 = a row [0.0]"
    scale_bits: float
    "bits of such a scale [16.0]"
    zero_bits: float
    "bits of its zero point; 0 = none [0.0]"
    storage: Assignments
    "what a weight of P bits takes in the file: 4:q4_k,3:3.4375"
    entropy_coded: Words
    "codes take their entropy: gaussian, or measured as 4:3.1,3:2.4 (or a file of counts)"
    serve_tokens: float
    "tokens served over the model's life, 2 N T cost(P) [0.0]"
    params: float
    "parameters N; 0 = not given [0.0]"
    tokens: float
    "tokens D; 0 = not given [0.0]"
    tokens_per_param: float
    "tokens per parameter D / N; 0 = not given [0.0]"
    unique_tokens: float
    "distinct tokens available, for laws of repeated data [0.0]"
    inputs: Assignments
    "values of the inputs of a law made from a formula: experts=8"
    group: float
    "entries that share a scale, for laws that ask for it [0.0]"
    bits: Words
    "precision P: one number, or weights, activations, KV; with critical_data the list of P_post"
    key_bits: float
    "bits of keys, apart from values; 0 = as bits says [0.0]"
    value_bits: float
    "bits of values, apart from keys; 0 = as bits says [0.0]"
    embedding_bits: float
    "bits of embeddings in training, for laws that have them; 0 = 16 [0.0]"
    head_bits: float
    "bits of the output head in training, for laws that have them; 0 = 16 [0.0]"
    precision: str
    "precision P by name: W4A4, W3A16g128, mxfp4"
    post_bits: float
    "bits of the weights after post-training quantization; 0 = none [0.0]"
    tied: bool
    "one precision for weights, activations and KV if P is free [true]"
    available_bits: Words
    "precisions the hardware has; empty = any"
    integer_bits: bool
    "whole bits only, 1 to 16 [false]"
    formats: Words
    "precisions to choose from, by name: W4A4, e4m3, mxfp4, BF16"
    cost: str
    "cost of P bits: linear, or speed-ups such as 16:1,8:2,4:4 [linear]"
    critical_data: bool
    "report the tokens beyond which more training makes the quantized model worse [false]"
    inference_budget: float
    "bits of weights to serve, N P_post [0.0]"


TABLE = frozenset(TableKeywords.__annotations__)
FORMULA = frozenset(FormulaKeywords.__annotations__)
APPROACH = frozenset(ApproachKeywords.__annotations__)
# Of each verb, those that are lists.
LISTS = {
    "table": frozenset(["pool", "set", "where"]),
    "formula": frozenset([]),
    "fit": frozenset(["freeze", "profile", "range", "tie"]),
    "compare": frozenset([]),
    "design": frozenset(["freeze", "tie"]),
    "simulate": frozenset(["activations", "classes", "embedding", "head", "inputs", "keys", "kv", "params", "post", "ratios", "tied", "tokens", "values", "weights"]),
    "approach": frozenset(["compute"]),
    "plan": frozenset(["available_bits", "bits", "entropy_coded", "formats", "free", "inputs", "laws", "storage"]),
}
