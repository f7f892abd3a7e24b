#!/usr/bin/env python3
"""GPTQ (Frantar et al., 2022, algorithm 1) in PyTorch on the CPU, as the paper writes it.

  tools/gptq_pytorch.py --serve [--threads 2]

The first line of output is {"torch": version, "threads": 2}. Then every line of input is a task,

  {"weights": FILE, "hessian": FILE, "rows": R, "columns": C, "bits": 4, "damping": 0.01,
   "dtype": "float32" | "float64", "out": FILE}

and is answered by one line: factor_seconds (damping, Cholesky, inverse, Cholesky of the inverse),
quantize_seconds, seconds. Files are raw little-endian: weights and out [R, C] float32, hessian [C, C]
float64. One symmetric scale per row, absmax / (2^(bits-1) - 1). bench/run gptq starts this program
and compares. Exit status 3 if PyTorch is missing.
"""
import argparse
import json
import sys
import time

try:
    import torch
except ImportError:  # bench/run gptq says what to do
    sys.exit(3)

BLOCK = 128  # columns whose updates of the remaining columns are applied together


def inverse_factor(hessian, damping):
    """The upper Cholesky factor of the inverse of the damped Hessian."""
    H = hessian.clone()
    diagonal = torch.arange(H.shape[0])
    H[diagonal, diagonal] += damping * torch.mean(torch.diag(H))
    return torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(H)), upper=True)


def quantize(weights, factor, bits):
    """Q, row by row on a grid of 2^bits codes, columns from left to right in blocks."""
    W, Q = weights.clone(), torch.zeros_like(weights)
    columns = W.shape[1]
    largest = 2 ** (bits - 1) - 1
    scale = W.abs().amax(dim=1) / largest
    for begin in range(0, columns, BLOCK):
        end = min(begin + BLOCK, columns)
        block, factor_block = W[:, begin:end].clone(), factor[begin:end, begin:end]
        errors = torch.zeros_like(block)
        for i in range(end - begin):
            w = block[:, i]
            q = torch.clamp(torch.round(w / scale), -largest - 1, largest) * scale
            Q[:, begin + i] = q
            errors[:, i] = (w - q) / factor_block[i, i]
            block[:, i:] -= errors[:, i].unsqueeze(1).matmul(factor_block[i, i:].unsqueeze(0))
        W[:, end:] -= errors.matmul(factor[begin:end, end:])
    return Q


def answer(task):
    rows, columns = task["rows"], task["columns"]
    dtype = getattr(torch, task["dtype"])
    weights = torch.from_file(task["weights"], size=rows * columns, dtype=torch.float32).view(rows, columns).to(dtype)
    hessian = torch.from_file(task["hessian"], size=columns * columns, dtype=torch.float64).view(columns, columns)
    hessian = hessian.to(dtype)
    start = time.perf_counter()
    factor = inverse_factor(hessian, task["damping"])
    factored = time.perf_counter()
    Q = quantize(weights, factor, task["bits"])
    done = time.perf_counter()
    Q.to(torch.float32).contiguous().numpy().tofile(task["out"])
    return {"factor_seconds": factored - start, "quantize_seconds": done - factored, "seconds": done - start}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--serve", action="store_true", required=True, help="answer the lines of standard input")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
