#!/usr/bin/env python3
"""Fits the training law of Kumar et al. (arXiv 2411.04330), nine constants, with SciPy, as a notebook
would.

  tools/scipy_fit.py FILE        fits from every start in FILE and prints one JSON document
  tools/scipy_fit.py --serve     the same in pieces: the first line of standard input is the document
                                 of FILE; each further line "FIRST COUNT" names starts and is
                                 answered by one line of JSON

The document: log_params, log_tokens, bits_weights, bits_activations, log_loss (a number per run),
huber (threshold), low, high (the box, null = infinite) and starts (points), all in the coordinates

  x = E, log A, log B, alpha, beta, gamma_w, gamma_w n_w, gamma_a, gamma_a n_a.

The answer to a line: seconds (processor time, one thread), objectives (a sum of Huber's function, one
per start), residual_evaluations, jacobian_evaluations. bench/run fit starts this program and compares.
"""
import json
import sys
import time

try:
    import numpy as np
    import scipy
    from scipy.optimize import least_squares
except ImportError:  # bench/run fit says what to do
    sys.exit(3)

np.seterr(over="ignore")  # far from a minimum
SMALLEST = 1e-3  # below this share log f is continued as a straight line


def log_capacity(bits, gamma, offset):
    """log(1 - exp(-(bits - offset) / gamma)) and its derivatives by gamma and offset."""
    z = (bits - offset) / gamma
    rest = np.exp(-z)
    f = -np.expm1(-z)
    low = f < SMALLEST
    safe = np.where(low, SMALLEST, f)
    value = np.where(low, np.log(SMALLEST) + (f - SMALLEST) / SMALLEST, np.log(safe))
    slope = rest / safe  # d value / d z
    return value, -slope * z / gamma, -slope / gamma


class Problem:
    def __init__(self, document):
        for name in ("log_params", "log_tokens", "bits_weights", "bits_activations", "log_loss", "starts"):
            setattr(self, name, np.array(document[name]))
        self.huber = document["huber"]
        self.bounds = tuple(np.array([sign * np.inf if v is None else v for v in document[name]], dtype=float)
                            for name, sign in (("low", -1), ("high", 1)))
        self.last = None

    def terms(self, x):
        """What the residuals and their derivatives share, kept for the second of the two."""
        if self.last is None or not np.array_equal(self.last[0], x):
            w = log_capacity(self.bits_weights, x[5], x[6])
            a = log_capacity(self.bits_activations, x[7], x[8])
            log_effective = self.log_params + w[0] + a[0]
            size = np.exp(x[1] - x[3] * log_effective)
            data = np.exp(x[2] - x[4] * self.log_tokens)
            self.last = (x.copy(), w, a, log_effective, size, data, x[0] + size + data)
        return self.last[1:]

    def residuals(self, x):
        return np.log(self.terms(x)[-1]) - self.log_loss

    def jacobian(self, x):
        w, a, log_effective, size, data, loss = self.terms(x)
        by_log_effective = -x[3] * size
        columns = (np.ones_like(loss), size, data, -size * log_effective, -data * self.log_tokens,
                   by_log_effective * w[1], by_log_effective * w[2],
                   by_log_effective * a[1], by_log_effective * a[2])
        return np.stack(columns, axis=1) / loss[:, None]

    def objective(self, x):
        size = np.abs(self.residuals(x))
        return float(np.sum(np.where(size <= self.huber, 0.5 * size**2, self.huber * (size - 0.5 * self.huber))))

    def fit(self, start):
        return least_squares(self.residuals, start, jac=self.jacobian, bounds=self.bounds, loss="huber",
                             f_scale=self.huber, x_scale="jac", ftol=1e-10, xtol=1e-10, gtol=1e-10)

    def run(self, first, count):
        begin = time.process_time()
        found = [self.fit(start) for start in self.starts[first:first + count]]
        seconds = time.process_time() - begin
        return {"seconds": seconds, "objectives": [float(each.cost) for each in found],
                "residual_evaluations": int(sum(each.nfev for each in found)),
                "jacobian_evaluations": int(sum(each.njev for each in found))}


def serve():
    problem = Problem(json.loads(sys.stdin.readline()))
    print(json.dumps({"scipy": scipy.__version__, "numpy": np.__version__,
                      "objectives_at_starts": [problem.objective(start) for start in problem.starts]}), flush=True)
    for line in sys.stdin:
        first, count = map(int, line.split())
        print(json.dumps(problem.run(first, count)), flush=True)


def main():
    if sys.argv[1:] == ["--serve"]:
        serve()
    elif len(sys.argv) == 2 and not sys.argv[1].startswith("-"):
        with open(sys.argv[1]) as file:
            problem = Problem(json.load(file))
        print(json.dumps(problem.run(0, len(problem.starts))))
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
