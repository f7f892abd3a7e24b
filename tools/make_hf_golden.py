#!/usr/bin/env python3
"""Writes tests/golden/hf_*: tiny models of the families that bitlaw reads, with transformers' logits.

    pip install torch==2.13.0 transformers safetensors
    python3 tools/make_hf_golden.py tests/golden

Every directory is a checkpoint as transformers saves it, with random weights, and expected.safetensors:

    tokens [T]      a random text
    logits [T, V]   of transformers' own modules on the stored weights, computed in double
    bound  [T, V]   how far an FP32 implementation may be from them

transformers computes norms, softmax and rotary frequencies in FP32, whatever the model's type. Here
those casts are removed (class Exact), and nothing else is changed. The saved model is also loaded and
computed by unchanged transformers in FP32, which must stay within the bound, too.

The bound is a first-order forward error bound. Let z_i be every intermediate number of the pass, and
e_i a bound on the error of one FP32 evaluation of its defining operation with given operands (u =
2^-24, and K u / (1 - K u) times the sum of magnitudes for a sum of K terms in any order; the table
BOUNDS). Then

    |logit - logit_fp32| <= sum_i |d logit / d z_i| e_i  +  terms of second order

and the derivatives come from autograd, as gradients of a zero that is added to each z_i. Terms of
second order are smaller by the size of the relative errors, at most 1e-5 here; a factor 1.001 covers
them. The bound assumes the worst sign and size of every single rounding, so real errors are far
smaller.
"""

import math
import os
import pathlib
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from safetensors.torch import save_file
from torch.overrides import TorchFunctionMode

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()
torch.set_default_dtype(torch.float64)

U = 2.0 ** -24
T, V = 14, 37
BASE = dict(vocab_size=V, num_hidden_layers=2, hidden_size=16, intermediate_size=24, num_attention_heads=4,
            max_position_embeddings=32, bos_token_id=1, eos_token_id=2, pad_token_id=None,
            attn_implementation="eager")
NEOX = dict(hidden_size=32, num_attention_heads=2, intermediate_size=40)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=24, beta_fast=4.0)

# name, class, type of the stored weights, settings beside BASE
CASES = [
    ("hf_llama_plain", "Llama", torch.float32, dict(max_position_embeddings=T)),  # the engine of runs reads it too
    ("hf_llama_gqa", "Llama", torch.float32, dict(num_key_value_heads=2, head_dim=8)),
    ("hf_llama3_biases", "Llama", torch.bfloat16,
     dict(num_key_value_heads=1, attention_bias=True, mlp_bias=True, tie_word_embeddings=True, rope_parameters=LLAMA3)),
    ("hf_llama_linear", "Llama", torch.float16,
     dict(hidden_act="gelu_pytorch_tanh", rope_parameters=dict(rope_type="linear", rope_theta=1000.0, factor=4.0))),
    ("hf_llama_dynamic", "Llama", torch.float16,
     dict(max_position_embeddings=8, rope_parameters=dict(rope_type="dynamic", rope_theta=100.0, factor=2.0))),
    ("hf_llama_yarn", "Llama", torch.bfloat16, dict(head_dim=16, rope_parameters=YARN)),
    ("hf_mistral", "Mistral", torch.bfloat16, dict(num_key_value_heads=2, sliding_window=5)),
    ("hf_qwen2", "Qwen2", torch.float16,
     dict(num_key_value_heads=2, tie_word_embeddings=True, use_sliding_window=True, sliding_window=4,
          max_window_layers=1)),
    ("hf_olmo2", "Olmo2", torch.float32, dict(num_key_value_heads=2, attention_bias=True)),
    ("hf_neox_parallel", "GPTNeoX", torch.float16, NEOX),
    ("hf_neox_sequential", "GPTNeoX", torch.bfloat16,
     dict(NEOX, use_parallel_residual=False, hidden_act="gelu_new", attention_bias=False,
          rope_parameters=dict(rope_type="default", rope_theta=1000.0, partial_rotary_factor=1.0))),
]
SHARDED = {"hf_llama_gqa": "8KB", "hf_neox_parallel": "12KB"}


# ---- errors of one operation --------------------------------------------------------------------

def sum_bound(terms, magnitudes):
    return terms * U / (1 - terms * U) * magnitudes


def linear_bound(out, x, weight, bias=None):
    magnitudes = torch.nn.functional.linear(x.abs(), weight.abs(), None if bias is None else bias.abs())
    return sum_bound(weight.shape[1] + 1, magnitudes)


def matmul_bound(out, a, b):
    return sum_bound(a.shape[-1], a.abs() @ b.abs())


def add_bound(out, a, b, **_):  # sums of three terms are covered in either order
    b = torch.as_tensor(b)
    size = 2 * U * (a.abs() + b.abs())
    return torch.where(out.abs() > 1e30, 0.0, size)  # a mask's entry


def softmax_bound(out, x, *_, **__):
    below = torch.where(out > 0, x.amax(-1, keepdim=True) - x, 0.0)
    return (below + 6) * U * out  # rounding of the difference, exponential, sum, quotient


def gelu_bound(out, x, approximate="none"):
    if approximate == "none":
        argument = 2 * U * x.abs() / math.sqrt(2)
        slope = 2 / math.sqrt(math.pi) * torch.exp(-x * x / 2)
        return 10 * U * out.abs() + 0.5 * x.abs() * slope * argument
    a = math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)
    inner = 4 * U * torch.tanh(a).abs() + 8 * U * a.abs() / torch.cosh(a) ** 2 + U * (1 + torch.tanh(a)).abs()
    return 0.5 * x.abs() * inner + 3 * U * out.abs()


def relative(units):
    return lambda out, *_, **__: units * U * out.abs()


BOUNDS = {
    "linear": linear_bound,
    "matmul": matmul_bound,
    "add": add_bound,
    "softmax": softmax_bound,
    "gelu": gelu_bound,
    "mul": relative(2),  # of a constant or a cosine that was rounded itself
    "pow": relative(3),
    "mean": lambda out, x, *_, **__: sum_bound(x.shape[-1] + 1, x.abs().mean(-1, keepdim=True)),
    "rsqrt": relative(3),
    "silu": relative(5),
    "tanh": relative(4),
    "layer_norm": relative(2),  # mean and variance in double
}
ALIASES = {"__add__": "add", "__radd__": "add", "__mul__": "mul", "__rmul__": "mul", "__matmul__": "matmul",
           "__pow__": "pow"}
# Functions that move numbers or give no real ones.
EXACT = {"embedding", "view", "transpose", "contiguous", "reshape", "cat", "neg", "__neg__", "__getitem__", "__get__",
         "unsqueeze", "expand", "chunk", "dropout", "to"}


class Exact(TorchFunctionMode):
    """No cast to FP32; and, where gradients are on, a recorded zero added to every result that is rounded."""

    def __init__(self):
        super().__init__()
        self.zeros, self.bounds = [], []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", str(func))
        if kwargs.get("dtype") == torch.float32:
            kwargs["dtype"] = torch.float64
        if name == "to":
            args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        if name == "float":
            return args[0].double()
        out = func(*args, **kwargs)
        if not torch.is_grad_enabled() or not torch.is_tensor(out) or out.dtype != torch.float64 or not out.requires_grad:
            return out
        name = ALIASES.get(name, name)
        if name in EXACT:
            return out
        kwargs.pop("dtype", None)
        with torch.no_grad():
            bound = BOUNDS[name](out, *args, **kwargs)
        zero = torch.zeros_like(out, requires_grad=True)
        self.zeros.append(zero)
        self.bounds.append(bound.expand_as(out))
        return out + zero


def logits_and_bound(model, tokens):
    model.requires_grad_(True)
    with Exact() as exact:
        logits = model(tokens[None], use_cache=False).logits[0]
    flat, bound = logits.flatten(), []
    for rows in torch.eye(flat.numel()).split(74):
        gradients = torch.autograd.grad(flat, exact.zeros, rows, retain_graph=True, is_grads_batched=True,
                                        allow_unused=True)
        bound.append(sum((g.abs() * b).flatten(1).sum(1) for g, b in zip(gradients, exact.bounds) if g is not None))
    return logits.detach(), 1.001 * torch.cat(bound).view_as(logits)


def make(root, name, family, dtype, settings, seed):
    torch.manual_seed(seed)
    config = getattr(transformers, family + "Config")(**{**BASE, **settings})
    with Exact(), torch.no_grad():
        model = getattr(transformers, family + "ForCausalLM")(config).eval()
        for parameter_name, value in model.named_parameters():
            spread = 0.3 if value.dim() == 1 else 1.5 / math.sqrt(value.shape[1])
            centre = 1.0 if "norm" in parameter_name and parameter_name.endswith("weight") else 0.0
            value.copy_((centre + spread * torch.randn_like(value)).to(dtype).double())
    tokens = torch.randint(V, (T,))
    logits, bound = logits_and_bound(model, tokens)

    directory = pathlib.Path(root) / name
    for old in directory.glob("*"):
        old.unlink()
    model.requires_grad_(False).to(dtype).save_pretrained(directory, max_shard_size=SHARDED.get(name, "1GB"))
    (directory / "generation_config.json").unlink(missing_ok=True)
    save_file({"tokens": tokens.int(), "logits": logits, "bound": bound.float()}, directory / "expected.safetensors")
    share = check_unlifted(model, directory, tokens, logits, bound)
    print(f"{name:20} logits up to {logits.abs().max():.2f}, largest bound {bound.max():.1e}, "
          f"transformers in FP32 is within {share:.3f} of the bound")


def check_unlifted(model, directory, tokens, logits, bound):
    """What was saved, loaded and computed by transformers as it is, in FP32: within the bound as well."""
    loaded = type(model).from_pretrained(directory, dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        plain = loaded(tokens[None], use_cache=False).logits[0].double()
    share = ((plain - logits).abs() / bound).max().item()
    assert share < 1, share
    return share


def main():
    for seed, case in enumerate(CASES):
        make(sys.argv[1], *case, seed)


if __name__ == "__main__":
    main()
