"""Scaling laws for precision: how loss depends on parameters, tokens and bits.

    import bitlaw

    fit = bitlaw.fit(df, law="kumar")            # a data frame, dict of arrays, or path of a CSV
    fit.parameters["alpha"].value, fit.interval("alpha")
    fit.predict({"N": 13e9, "D": 5e12, "P_w": 4})
    bitlaw.plan(fit, compute=1e21).optimum       # best parameters, tokens and bits
    bitlaw.quantize(weights, "mxfp4").codes      # rounded arrays; gptq, awq and rtn as well

Every function answers what the command line answers for the same request, to the bit, and raises
`bitlaw.Error` with the same sentence. Laws and sources: `bitlaw.laws()`.
"""

from ._ask import Error  # first: it says where the package cannot be used
from ._answer import Answer
from ._compare import Comparison, compare
from ._core import version as __version__
from ._design import Design, design
from ._figures import Drawing, Report, report
from ._fit import Fit, Interval, Parameter, Predictions, Quantity, fit, load
from ._frame import Frame
from ._laws import Law, LawParameter, Published, laws, published
from ._numbers import (
    Calibration,
    Format,
    Quantized,
    awq,
    error,
    formats,
    gptq,
    hadamard,
    quantize,
    rtn,
)
from ._plan import Budget, Frontier, Optimum, Plan, frontier, plan
from ._predict import predict
from ._runs import Run, run, runs
from ._studies import Approaches, approach, simulate
from ._task import Progress, StudyProgress, Task, TrainingProgress
from ._train import prepare, quantize_runs, reproduce, sweep, train, tune

__all__ = [
    "Answer",
    "Approaches",
    "Budget",
    "Calibration",
    "Comparison",
    "Design",
    "Drawing",
    "Error",
    "Fit",
    "Format",
    "Frame",
    "Frontier",
    "Interval",
    "Law",
    "LawParameter",
    "Optimum",
    "Parameter",
    "Plan",
    "Predictions",
    "Progress",
    "Published",
    "Quantity",
    "Quantized",
    "Report",
    "Run",
    "StudyProgress",
    "Task",
    "TrainingProgress",
    "__version__",
    "approach",
    "awq",
    "compare",
    "design",
    "error",
    "fit",
    "formats",
    "frontier",
    "gptq",
    "hadamard",
    "laws",
    "load",
    "plan",
    "predict",
    "prepare",
    "published",
    "quantize",
    "quantize_runs",
    "report",
    "reproduce",
    "rtn",
    "run",
    "runs",
    "simulate",
    "sweep",
    "train",
    "tune",
]
