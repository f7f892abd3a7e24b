#!/usr/bin/env python3
"""Writes tests/golden/model.json and model.safetensors: ten AdamW steps of a two-layer model.

An implementation of docs/numerics.md that shares no line with bitlaw: PyTorch in double precision,
with a rounding to float wherever bitlaw stores a float, so that decisions of rounding fall the same
way on both sides. Gradients come from autograd; only the two ops whose backward pass is part of
bitlaw's definition (products on codes, attention) have a backward written out, and without rounding
those are compared with autograd's below.

How far may another implementation be from these numbers? The last bits of a float sum depend on its
order, and a last bit can flip a rounding to 4 bits. So every case is run again with every stored sum
moved by up to 2^-22 (|x| + rms x), about the error of a float sum of the 40 products that occur here.
The largest deviation of these runs is stored beside each number ("spread"). An implementation that
sums in double makes the same decisions in the first forward pass, and then only the gradients' own
roundings are left: "gradients_backward_spread" comes from runs disturbed only in the backward pass.

    pip install torch==2.13.0 safetensors numpy
    python3 tools/make_model_golden.py tests/golden
"""

import json
import math
import sys

import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

D, LAYERS, HEADS, KV_HEADS, HIDDEN, VOCABULARY, T, BATCH = 24, 2, 4, 2, 40, 40, 20, 2
DIM = D // HEADS
THETA, EPSILON = 10000.0, 1e-5
STEPS, RATE, BETA1, BETA2, ADAM_EPSILON, DECAY = 10, 1e-2, 0.9, 0.95, 1e-8, 0.1
NOISY_RUNS = 8


# ---- rounding ------------------------------------------------------------------------------

class Noise:
    """The generator of the disturbance of sums, None for none; and whether it reaches the forward pass."""
    generator = None
    forward = True


def single(x):
    """What remains of x in a float."""
    return x.float().double()


def single_sum(x, forward):
    """The same for the result of a sum, whose last bits depend on its order. Exact zeros are no sums."""
    y = single(x)
    if Noise.generator is not None and (Noise.forward or not forward):
        move = (torch.rand(x.shape, generator=Noise.generator) * 2 - 1) * (y != 0)
        y = single(y + 2.0**-22 * move * (y.abs() + y.square().mean().sqrt()))
    return y


class Store(torch.autograd.Function):
    """A tensor kept in memory as floats; so is its gradient."""

    @staticmethod
    def forward(_, x):
        return single_sum(x, True)

    @staticmethod
    def backward(_, dy):
        return single_sum(dy, False)


store = Store.apply


def bf16(x):
    return x.float().bfloat16().double()


class Rounded:
    """values = codes * scales: what bitlaw calls an operand. scales [rows, 1]."""

    def __init__(self, codes, scales):
        self.codes, self.scales = codes, scales


def quantize(x, bits, per_row):
    """Symmetric abs-max rounding in float arithmetic, ties to even."""
    x = x.detach()
    rows = x.shape[0]
    if bits == 32:
        return Rounded(x, torch.ones(rows, 1))
    if bits == 16:
        return Rounded(bf16(x), torch.ones(rows, 1))
    x = x.float()
    largest = 2 ** (bits - 1) - 1
    absmax = x.abs().amax(dim=1, keepdim=True) if per_row else x.abs().max().reshape(1, 1).expand(rows, 1)
    scale = absmax / torch.tensor(float(largest), dtype=torch.float32)
    inverse = torch.tensor(1.0, dtype=torch.float32) / scale
    codes = torch.round(x * inverse).clamp(-largest - 1, largest)
    return Rounded(codes.double(), scale.double())


# ---- ops -----------------------------------------------------------------------------------

class Product(torch.autograd.Function):
    """x w^T on rounded operands; gradients pass straight through to x and w."""

    @staticmethod
    def forward(context, _x, _w, x, w):
        context.x, context.w = x, w
        return (x.codes @ w.codes.T) * (x.scales * w.scales.T).float().double()

    @staticmethod
    def backward(context, dy):
        x, w = context.x, context.w
        return (dy * w.scales.T) @ w.codes, (dy * x.scales).T @ x.codes, None, None


def linear(x, w, rounded_x, rounded_w):
    return Product.apply(x, w, rounded_x, rounded_w)


CAUSAL = torch.ones(T, T).tril().bool()


class Attention(torch.autograd.Function):
    """One head: q, k, v [T, DIM]. The probabilities meet v's codes in BF16 where those are BF16."""

    @staticmethod
    def forward(context, _q, _k, _v, q, k, v, round_p):
        s = (q.codes @ k.codes.T) * q.scales * k.scales.T / math.sqrt(DIM)
        s = s.masked_fill(~CAUSAL, -math.inf)
        lse = torch.logsumexp(s, dim=1, keepdim=True)
        p = torch.exp(s - lse) * v.scales.T
        out = single_sum((bf16(p) if round_p else p) @ v.codes, True)
        context.saved = q, k, v, s, single(lse), out
        return out

    @staticmethod
    def backward(context, dout):
        q, k, v, s, lse, out = context.saved
        p = torch.exp(s - lse)
        dp = v.scales.T * (dout @ v.codes.T)
        delta = (dout * out).sum(dim=1, keepdim=True)
        ds = p * (dp - delta) / math.sqrt(DIM)
        dq = (ds * k.scales.T) @ k.codes
        dk = (ds * q.scales).T @ q.codes
        dv = p.T @ dout
        return dq, dk, dv, None, None, None, None


def norm(x, weight):
    return store(x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + EPSILON) * weight)


def rotation():
    angles = torch.arange(T).double()[:, None] * THETA ** (-2.0 * torch.arange(DIM // 2) / DIM)
    return torch.cos(angles).float().double(), torch.sin(angles).float().double()


def rotate(x):
    cosine, sine = rotation()
    a, b = x[:, : DIM // 2], x[:, DIM // 2 :]
    return store(torch.cat([a * cosine - b * sine, b * cosine + a * sine], dim=1))


# ---- the model -------------------------------------------------------------------------------

def heads_of(x, heads):
    """[T, heads * DIM] as the matrix [heads * T, DIM], head after head."""
    return x.reshape(T, heads, DIM).transpose(0, 1).reshape(heads * T, DIM)


def rows(x, head):
    return Rounded(x.codes[head * T : (head + 1) * T], x.scales[head * T : (head + 1) * T])


def losses_of(tokens, targets, p, w, bits):
    """Losses [T] of one sequence; p: parameters, w: their rounded weights, bits of (activations, kv, queries, head)."""
    x = p["model.embed_tokens.weight"][tokens]
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."

        def product(input, weight):
            return linear(input, p[name + weight], quantize(input, bits["activations"], False), w[name + weight])

        qkv = store(product(norm(x, p[name + "input_layernorm.weight"]), "self_attn.qkv_proj.weight"))
        q, k, v = qkv.split([HEADS * DIM, KV_HEADS * DIM, KV_HEADS * DIM], dim=1)
        q = torch.cat([rotate(head) for head in heads_of(q, HEADS).split(T)])
        k = torch.cat([rotate(head) for head in heads_of(k, KV_HEADS).split(T)])
        v = heads_of(v, KV_HEADS)
        rounded_q = quantize(q, bits["queries"], False)
        rounded_k, rounded_v = quantize(k, bits["kv"], False), quantize(v, bits["kv"], False)
        attended = []
        for head in range(HEADS):
            kv = head // (HEADS // KV_HEADS)
            mine, key = slice(head * T, (head + 1) * T), slice(kv * T, (kv + 1) * T)
            attended.append(Attention.apply(q[mine], k[key], v[key], rows(rounded_q, head), rows(rounded_k, kv),
                                            rows(rounded_v, kv), bits["kv"] <= 16))
        x = store(x + product(torch.cat(attended, dim=1), "self_attn.o_proj.weight"))

        gate_up = store(product(norm(x, p[name + "post_attention_layernorm.weight"]), "mlp.gate_up_proj.weight"))
        gate, up = gate_up.split(HIDDEN, dim=1)
        x = store(x + product(store(torch.nn.functional.silu(gate) * up), "mlp.down_proj.weight"))

    x = norm(x, p["model.norm.weight"])
    logits = linear(x, p["lm_head.weight"], quantize(x, bits["head"], False), w["lm_head.weight"])
    log_sum = torch.logsumexp(logits, dim=1)
    return store(log_sum - logits[torch.arange(T), targets])


def shapes():
    yield "model.embed_tokens.weight", (VOCABULARY, D)
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        yield name + "input_layernorm.weight", (D,)
        yield name + "self_attn.qkv_proj.weight", ((HEADS + 2 * KV_HEADS) * DIM, D)
        yield name + "self_attn.o_proj.weight", (D, D)
        yield name + "post_attention_layernorm.weight", (D,)
        yield name + "mlp.gate_up_proj.weight", (2 * HIDDEN, D)
        yield name + "mlp.down_proj.weight", (D, HIDDEN)
    yield "model.norm.weight", (D,)
    yield "lm_head.weight", (VOCABULARY, D)


def initial_parameters():
    """Spread like a sine of large steps; rounded to float."""
    parameters = {}
    for number, (name, shape) in enumerate(shapes()):
        index = torch.arange(math.prod(shape)).double()
        wave = torch.sin(1 + 12.9898 * index + 78.233 * number).reshape(shape)
        value = 1 + 0.1 * wave if len(shape) == 1 else wave * math.sqrt(2 / shape[1])
        parameters[name] = value.float().double()
    return parameters


def tokens_of(step):
    """[BATCH, T + 1]: a rule with a little structure, so that there is something to learn."""
    rows = [[(7 * i + 3 * (i // 5) * row + 11 * step + 5 * row) % VOCABULARY for i in range(T + 1)]
            for row in range(BATCH)]
    return torch.tensor(rows)


def gradients_of(parameters, step, bits):
    for value in parameters.values():
        value.requires_grad_(True)
        value.grad = None
    weights = {name: quantize(value, bits["head"] if "lm_head" in name else bits["weights"], True)
               for name, value in parameters.items() if value.dim() == 2 and "embed" not in name}
    losses = torch.stack([losses_of(row[:-1], row[1:], parameters, weights, bits) for row in tokens_of(step)])
    losses.mean().backward()
    return losses.detach(), {name: single_sum(value.grad, False) for name, value in parameters.items()}


def train(bits):
    """(losses of the first step [BATCH, T], mean loss of every step, gradients of the first step)"""
    parameters = initial_parameters()
    first = {name: torch.zeros_like(value) for name, value in parameters.items()}
    second = {name: torch.zeros_like(value) for name, value in parameters.items()}
    means = []
    for step in range(STEPS):
        losses, gradients = gradients_of(parameters, step, bits)
        if step == 0:
            first_losses, first_gradients = losses, gradients
        means.append(losses.mean().item())
        for name, g in gradients.items():
            m = BETA1 * first[name] + (1 - BETA1) * g
            v = BETA2 * second[name] + (1 - BETA2) * g * g
            direction = m / (1 - BETA1 ** (step + 1)) / ((v / (1 - BETA2 ** (step + 1))).sqrt() + ADAM_EPSILON)
            w = parameters[name].detach()
            decay = DECAY if w.dim() == 2 else 0.0
            first[name], second[name] = single(m), single(v)
            parameters[name] = single(w - RATE * (direction + decay * w))
    return first_losses, torch.tensor(means), first_gradients


def check_against_autograd():
    """The written-out backward passes equal autograd's where nothing is rounded; AdamW equals PyTorch's."""
    one = torch.ones(T, 1)
    q, k, v, dout = (torch.randn(T, DIM, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in range(4))
    out = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    expected = torch.autograd.grad((out * dout).sum(), (q, k, v))
    rounded = [Rounded(x.detach(), one) for x in (q, k, v)]
    ours = torch.autograd.grad((Attention.apply(q, k, v, *rounded, False) * dout).sum(), (q, k, v))
    for a, b in zip(ours, expected):
        assert (a - b).abs().max() < 1e-6, (a - b).abs().max()  # lse and out are floats

    bits = dict(weights=32, activations=32, kv=32, queries=32, head=32)
    parameters = {name: torch.nn.Parameter(value) for name, value in initial_parameters().items()}
    decayed = [value for value in parameters.values() if value.dim() == 2]
    others = [value for value in parameters.values() if value.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}],
                                  lr=RATE, betas=(BETA1, BETA2), eps=ADAM_EPSILON)
    means = []
    for step in range(STEPS):
        losses, _ = gradients_of(parameters, step, bits)
        means.append(losses.mean().item())
        optimizer.step()
    difference = (train(bits)[1] - torch.tensor(means)).abs().max()
    assert difference < 1e-5, difference  # weights as floats against weights as doubles


def spreads(bits, forward):
    """The largest deviations of NOISY_RUNS disturbed runs, of everything that train() returns."""
    Noise.generator, Noise.forward = None, forward
    exact = train(bits)
    largest = None
    for run in range(NOISY_RUNS):
        Noise.generator = torch.Generator().manual_seed(run)
        noisy = train(bits)
        now = [(noisy[0] - exact[0]).abs(), (noisy[1] - exact[1]).abs(),
               {name: (noisy[2][name] - exact[2][name]).abs() for name in exact[2]}]
        if largest is not None:
            now = [torch.maximum(now[0], largest[0]), torch.maximum(now[1], largest[1]),
                   {name: torch.maximum(now[2][name], largest[2][name]) for name in now[2]}]
        largest = now
    Noise.generator = None
    return largest


def main(directory):
    check_against_autograd()
    cases = {
        "fp32": dict(weights=32, activations=32, kv=32, queries=32, head=32),
        "w4a4kv4": dict(weights=4, activations=4, kv=4, queries=16, head=16),
    }
    tensors = {"initial." + name: value.float() for name, value in initial_parameters().items()}
    document = {
        "model": dict(width=D, layers=LAYERS, heads=HEADS, kv_heads=KV_HEADS, hidden=HIDDEN, vocabulary=VOCABULARY,
                      sequence=T, rope_theta=THETA, norm_epsilon=EPSILON),
        "adamw": dict(learning_rate=RATE, beta1=BETA1, beta2=BETA2, epsilon=ADAM_EPSILON, weight_decay=DECAY),
        "tokens": [tokens_of(step).tolist() for step in range(STEPS)],
        "cases": {},
    }
    for case, bits in cases.items():
        Noise.generator = None
        token_losses, losses, gradients = train(bits)
        token_spread, losses_spread, gradients_spread = spreads(bits, True)
        document["cases"][case] = {
            "bits": bits,
            "losses": losses.tolist(),
            "losses_spread": losses_spread.tolist(),
            "first_step_token_losses": token_losses.flatten().tolist(),
            "first_step_token_losses_spread": token_spread.max().item(),
            "gradients_spread": {name: value.max().item() for name, value in gradients_spread.items()},
            "gradients_backward_spread": {name: value.max().item() for name, value in spreads(bits, False)[2].items()},
        }
        tensors.update({f"gradient.{case}." + name: value.float() for name, value in gradients.items()})
    save_file({name: value.contiguous() for name, value in tensors.items()}, directory + "/model.safetensors")
    with open(directory + "/model.json", "w") as file:
        json.dump(document, file, indent=None, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
