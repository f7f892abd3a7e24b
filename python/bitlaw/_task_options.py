"""Keyword arguments of train, quantize and the like. Made by python/make_task_options.py of the program's help."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypedDict

Path = str | os.PathLike[str]
Words = str | int | float | Sequence[str] | Sequence[int] | Sequence[float]


class ModelSettings(TypedDict, total=False):
    width: int | float
    "width of the residual stream, d"
    layers: int | float
    "number of layers, L"
    heads: int | float
    "attention heads, H; width / heads must be even"
    kv_heads: int | float
    "heads of keys and values (grouped-query attention); 0: as many as heads"
    hidden: int | float
    "width of the SwiGLU hidden layer; 0: 8/3 width, rounded up to a multiple of 32 if width is one, else of 16"
    vocabulary: int | float
    "vocabulary size; 0: that of the data set"
    sequence: int | float
    "tokens per sequence, T"
    tied_head: bool
    "use the embedding table as the output head"
    extra_norm: bool
    "one more norm before the attention output and down projections, as in Kumar et al."
    rope_theta: float
    "base of the rotary frequencies"
    norm_epsilon: float
    "added to the mean square in norms"


class RecipeSettings(TypedDict, total=False):
    named: str | int | float
    "a recipe known from a paper, which gives the keys of weights and activations: quest-w4a4, quartet-forward-mxfp4 or nvfp4-forward (docs/formats.md says what each contains)"
    weights: str | int | float
    "precision of the weights: bits (2..16; 16: BF16) or a format: e2m1, int4-e8m0, mxfp4, nvfp4"
    activations: str | int | float
    "precision of the inputs of the linear layers"
    kv: str | int | float
    "precision of keys and values"
    queries: str | int | float
    "precision of queries, rounded after RoPE; kv: that of keys and values"
    weights_granularity: str | int | float
    "what shares a scale: tensor (the matrix), channel or group32"
    activations_granularity: str | int | float
    "what shares a scale: sequence, channel, token, group32 or batch"
    kv_granularity: str | int | float
    "sequence, channel, token, group32 or batch (queries too)"


class OptimizerSettings(TypedDict, total=False):
    beta1: float
    "decay of the first moment"
    beta2: float
    "decay of the second moment"
    epsilon: float
    "added to the root of the second moment"
    weight_decay: float
    "decoupled weight decay, of matrices only"
    clip: float
    "largest gradient norm of a step; 0: no clipping"
    width_power: float
    "a in rate = lr (64 / width)^a (2 / layers)^b min(2, (batch / default)^c)"
    depth_power: float
    "b, the exponent of the layers"
    batch_power: float
    "c, the exponent of the batch over the default batch for as many tokens"


class ScheduleSettings(TypedDict, total=False):
    kind: str
    "learning rate over the run: cosine, wsd (warm-up, stable, decay) or linear"
    warmup: float
    "share of the steps in the warm-up"
    decay: float
    "share of the steps in the final decay (wsd only)"
    final: float
    "final rate as a share of the peak"
    warmup_steps: int | float
    "steps in the warm-up, whatever the length; 0: schedule.warmup"
    decay_shape: str
    "shape of the final decay (wsd only): linear or 1-sqrt"


class DataSettings(TypedDict, total=False):
    path: Path
    "directory of the prepared data set"


class TrainSettings(TypedDict, total=False):
    tokens: int | float
    "training tokens, D; rounded to whole steps"
    batch_tokens: int | float
    "tokens per step, a multiple of model.sequence; 0: about 8 (D / 2 M)^0.6 sequences"
    lr: float
    "base learning rate: the peak at width 64, 2 layers and the default batch"
    seed: int | float
    "seed of the initial weights and of the order of the data"
    lanes: int | float
    "partial sums of the gradient; at most this many threads share a step"
    backward: str
    "precision of gradient operands in products: bf16 or fp32"
    validation_tokens: int | float
    "largest number of validation tokens, a sample of all; 0: all"


class TrainKeywords(TypedDict, total=False):
    model: ModelSettings
    recipe: RecipeSettings
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    data: DataSettings
    train: TrainSettings
    directory: Path
    "directory that holds the runs"
    threads: int | float
    "threads; 0 for all"
    checkpoint_seconds: float
    "seconds between two saved states; 0: only by steps"
    checkpoint_steps: int | float
    "steps between two saved states; 0: only by time"
    checkpoints: int | float
    "models kept along the run, at D/2, D/4, ..."
    checkpoint_tokens: Words
    "numbers of tokens after which a model is kept"
    share: bool
    "begin where a run of another length and the same beginning was (wsd only)"
    share_steps: Words
    "steps after which a state is left for runs of other lengths"
    other_engine: bool
    "resume a run that another engine began, whose bits differ; the result records both"
    log_steps: int | float
    "steps per line of metrics.jsonl"
    validation_steps: int | float
    "steps between validations; 0: only at the end"
    tensorboard: bool
    "also write the metrics as an event file, for `tensorboard --logdir`"


class QuantizeKeywords(TypedDict, total=False):
    methods: Words
    "none (weights as they are), rtn (round-to-nearest), gptq, awq, with options: gptq+act-order, rtn+asymmetric, awq+clip, gptq+hadamard"
    bits: Words
    "bits of the weights as integers, 2..8"
    formats: Words
    "more formats of the weights: e2m1, mxfp4, mxfp6-e2m3, mxfp8-e4m3, nvfp4, ..."
    groups: Words
    "weights that share a scale; 0: per output channel"
    activations: Words
    "precision of activations in use: trained (as in training), bits, or a format"
    kv: Words
    "precision of keys and values in use"
    activations_granularity: str
    "what shares a scale: sequence, channel, token, group32 or batch"
    kv_granularity: str
    "sequence, channel, token, group32 or batch"
    calibration_tokens: int | float
    "tokens of training text per calibration"
    calibration_seeds: Words
    "calibration seeds; each draws its own sample, and the spread is reported"
    evaluation_tokens: int | float
    "largest number of validation tokens, a sample of all; 0: all"
    damping: float
    "gptq: initial damping, as a share of the Hessian's mean diagonal"
    data: Path
    "directory of the data set; empty: the one the run was trained on"
    along: bool
    "also the models kept along each run (bitlaw train --checkpoints)"
    text: Words
    "Hugging Face checkpoints: files and folders of text to calibrate and evaluate on"
    text_key: str
    "key of the text in JSON, with dots into objects and lists: turns.content"
    worse_than_chance: bool
    "Hugging Face checkpoints: measure also one whose loss on the text is above that of a uniform guess"
    sequence: int
    "Hugging Face checkpoints: tokens per window (default: their context, at most 1024)"
    trained_tokens: float
    "Hugging Face checkpoints: tokens they were trained on, D in the table"
    records: Path
    "where results for Hugging Face checkpoints are recorded (default: runs)"
    write: Path
    "Hugging Face checkpoints: write the checkpoint with rounded weights to this new directory, for a single cell (its first calibration seed)"
    write_type: str
    "type of the weights in that directory"
    memory: float
    "Hugging Face checkpoints: gigabytes for hidden states; layers are loaded one at a time"
    threads: int
    "threads"


class SweepKeywords(TypedDict, total=False):
    runs: Path
    "directory of the runs (default: runs/NAME of the study)"
    jobs: int
    "processes at a time, one thread each; of each task with other launchers"
    for_: str
    "end after this time, such as 2h or 30m; all can be resumed"
    memory: str
    "of all processes together, such as 8GB (default: no limit)"
    nice: int
    "of the processes: 19 leaves the machine to others"
    order: str
    "which jobs start first: longest (least time in all), cheapest (many results early), trunks (what others branch off, then the longest), study (as the file has them), informative (what tells most about the law per FLOP)"
    lease: str
    "a worker that is silent for this time loses its jobs to others"
    tensorboard: bool
    "runs also write event files, for `tensorboard --logdir RUNS`"
    retry: bool
    "try the jobs again that have failed"
    minutes: float
    "measure the speed and shrink all token counts to fit"
    only: Words
    "cells to make: P_w=3,4, N=1e6..3e8, D/N>20, size=small, train.lr<0.01; repeatable"
    budget: str
    "make the first cells that this pays for: \"1e16 FLOP\", \"20 core-hours\", \"2 h\""
    have: Words
    "a table of `bitlaw runs --csv`; cells that stand in it are not run; repeatable"
    calibrate: bool
    "measure the speed of this machine, for at most 20 s, and keep it with the runs"


class TuneKeywords(TypedDict, total=False):
    runs: Path
    "directory of the runs (default: runs/NAME of the study)"
    have: Words
    "tables of `bitlaw publish`: runs that have ended there are not made again"
    jobs: int
    "processes at a time, one thread each"
    halvings: int
    "rounds in which half of the configurations are given up: 2 is D/4, D/2, D"
    replicates: int
    "other seeds of the best three configurations"
    tolerance: float
    "nats that the best of a tuned size may lose to the best possible"
    for_: str
    "end after this time, such as 2h or 30m; all can be resumed"
    memory: str
    "of all processes together, such as 8GB (default: no limit)"
    nice: int
    "of the processes: 19 leaves the machine to others"
    order: str
    "which jobs start first: longest (least time in all), cheapest (many results early), trunks (what others branch off, then the longest), study (as the file has them), informative (what tells most about the law per FLOP)"
    lease: str
    "a worker that is silent for this time loses its jobs to others"
    tensorboard: bool
    "runs also write event files, for `tensorboard --logdir RUNS`"
    retry: bool
    "try the jobs again that have failed"


class ReproduceKeywords(TypedDict, total=False):
    runs: Path
    "for TABLE.csv:ROW: directory of its runs; empty = where the table is"
    data: Path
    "directory of the data set; empty = where the run found it"
    directory: Path
    "keep the new run below this directory; empty = it is removed"
    within: float
    "bound in nats on the validation loss where bits cannot agree; 0 = .08, or .01 from 16 bits on"
    threads: int | float
    "threads; 0 for all"


class PrepareKeywords(TypedDict, total=False):
    text_key: str
    "key of the text in JSON, with dots into objects and lists: turns.content"
    tokenizer: str
    "byte, bpe (trained here), or the path of a tokenizer.model"
    vocabulary: int | float
    "vocabulary size of the trained bpe"
    validation_fraction: float
    "share of the text kept for validation, by bytes"
    near_duplicate_tokens: int | float
    "validation text that stands in training in strings of so many tokens (four bytes count as one) is dropped; 0 = kept"
    sample_bytes: int | float
    "bytes of training text that the bpe is trained on"
    shard_tokens: int | float
    "largest number of tokens in one shard"
    threads: int | float
    "threads; 0 for all"
    overwrite: bool
    "replace another data set in the directory"


SECTIONS = ('model', 'recipe', 'optimizer', 'schedule', 'data', 'train')
REPEATED: dict[str, list[str]] = {
    'train': [],
    'quantize': ['methods', 'text'],
    'sweep': ['only', 'have'],
    'tune': ['have'],
    'reproduce': [],
    'data prepare': [],
}
COMMAND_LINE_ONLY = ('at_once', 'condor_option', 'dry_run', 'help', 'json', 'launcher', 'margin', 'measure', 'mpirun', 'price', 'print_config', 'prune', 'quiet', 'ranks', 'rate', 'slurm_option', 'status', 'tasks', 'time_limit', 'why', 'worker', 'yes')
