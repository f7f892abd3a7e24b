#!/usr/bin/env python3
"""The training step of bench/train_bench.cpp, written in PyTorch: forward, backward, clipping, AdamW.

    pytorch_step.py --shape A --recipe w4a4kv4 --mode compile --tuning tuned [--threads 2] [--seconds 4]

prints one JSON row {shape, recipe, mode, tuning, threads, tokens_per_second, loss, ...}; tokens/s is
that of the median step. With --serve the process warms up, prints {"ready": ...}, and measures once
for every number of seconds it reads from its input. --check compares with golden data (below) and
measures nothing.

The model, the shapes, the initial spread, the optimizer and the rounding are bitlaw's
(docs/numerics.md): W4 per output channel, A4 per sequence, KV4 per sequence and layer, all
largest-magnitude scales, gradients straight-through. Rounded values are multiplied as BF16, as is
everything in the recipe bf16; masters, moments and gradient sums are FP32.

  default   what one writes first: autocast to BF16, the whole step as one batch, F.cross_entropy on
            all logits, torch.optim.AdamW with its defaults. Attention is already
            F.scaled_dot_product_attention.
  tuned     every setting that was found to help on CPUs (docs/performance.md): BF16 copies of the
            weights, rounded once per step; micro-batches of the fastest size; residual stream in
            BF16; embedding gradients by index; loss computed together with its gradient; fused
            AdamW; subnormals flushed. Its environment must be set before the start: see bench/peers.
"""
import argparse
import json
import math
import os
import struct
import sys
import time
from dataclasses import dataclass, replace

import numpy
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Shape:
    width: int
    layers: int
    heads: int
    sequence: int
    vocabulary: int
    step_tokens: int
    hidden: int = 0  # 0: 8/3 width, rounded up to a multiple of 16, as train_cases.h has it
    kv_heads: int = 0  # 0: as many as heads

    def resolved(self):
        return replace(self, hidden=self.hidden or ((8 * self.width + 2) // 3 + 15) // 16 * 16,
                       kv_heads=self.kv_heads or self.heads)

    @property
    def head_dim(self):
        return self.width // self.heads

    def flops_per_token(self):
        """6 (N + V d) + 6 L (T + 1) d: products forward and backward, the causal half of attention."""
        d = self.width
        matrices = self.layers * ((self.heads + 2 * self.kv_heads) * self.head_dim * d + d * d + 3 * self.hidden * d)
        return 6 * (matrices + self.vocabulary * d) + 6 * self.layers * (self.sequence + 1) * d


SHAPES = {name: shape.resolved() for name, shape in {
    "A": Shape(128, 4, 4, 256, 4096, 16384),
    "B": Shape(256, 6, 4, 256, 4096, 8192),
    "C": Shape(512, 8, 8, 512, 8192, 4096),
    "W32": Shape(32, 2, 1, 128, 512, 1024),
    "W64": Shape(64, 2, 2, 128, 512, 2048),
    "W96": Shape(96, 2, 3, 128, 512, 4096),
    "W128": Shape(128, 2, 4, 128, 512, 4096),
    "W192": Shape(192, 2, 6, 128, 512, 4096),
}.items()}

ROPE_THETA, NORM_EPSILON = 10000.0, 1e-5
RATE, BETAS, ADAM_EPSILON, DECAY, CLIP = 1e-3, (0.9, 0.95), 1e-15, 0.1, 1.0


@dataclass(frozen=True)
class Settings:
    recipe: str  # bf16, w4a4kv4; fp32 for checks
    compiled: bool
    tuned: bool
    micro: int = 0  # sequences of a micro-batch; 0: the whole step
    products: torch.dtype = torch.bfloat16  # float32 for checks
    residual: torch.dtype = torch.float32
    fused_loss: bool = False
    explicit_attention: bool = False  # products and softmax instead of scaled_dot_product_attention

    @property
    def bits(self):
        return 4 if self.recipe == "w4a4kv4" else 0


# ---- rounding ------------------------------------------------------------------------------------

def fake_quantize(x, bits, dims):
    """The nearest multiples of absmax / (2^(bits-1) - 1), absmax over `dims`; ties to even, in FP32, as x's type."""
    largest = 2 ** (bits - 1) - 1
    y = x.float()
    scale = torch.linalg.vector_norm(y, math.inf, dims, keepdim=True) / largest
    scale = scale.clamp_min(torch.finfo(torch.float32).tiny)
    codes = torch.round(y * (1 / scale))  # never beyond +-largest, so nothing is left to saturate
    return codes * scale


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(_, x, bits, dims, dtype):
        return fake_quantize(x, bits, dims).to(dtype)

    @staticmethod
    def backward(_, dy):
        return dy, None, None, None


# ---- the model -----------------------------------------------------------------------------------

def parameter_shapes(shape):
    """Names as in tests/golden/model.safetensors; deviation 0 stands for ones."""
    d, hidden, layers = shape.width, shape.hidden, shape.layers
    into_residual = 1 / math.sqrt(2 * layers)
    yield "model.embed_tokens.weight", (shape.vocabulary, d), 1
    for layer in range(layers):
        name = f"model.layers.{layer}."
        yield name + "input_layernorm.weight", (d,), 0
        yield name + "self_attn.qkv_proj.weight", ((shape.heads + 2 * shape.kv_heads) * shape.head_dim, d), d**-0.5
        yield name + "self_attn.o_proj.weight", (d, d), into_residual * d**-0.5
        yield name + "post_attention_layernorm.weight", (d,), 0
        yield name + "mlp.gate_up_proj.weight", (2 * hidden, d), d**-0.5
        yield name + "mlp.down_proj.weight", (d, hidden), into_residual * hidden**-0.5
    yield "model.norm.weight", (d,), 0
    yield "lm_head.weight", (shape.vocabulary, d), 0.02


def initial_parameters(shape):
    generator = torch.Generator().manual_seed(1)
    return {name: torch.ones(size) if deviation == 0 else torch.randn(size, generator=generator) * deviation
            for name, size, deviation in parameter_shapes(shape)}


class Decoder:
    """Hidden states and losses of whole sequences, as functions of a dictionary of weights."""

    def __init__(self, shape, settings):
        self.shape, self.settings = shape, settings
        half = shape.head_dim // 2
        angles = torch.arange(shape.sequence).double()[:, None] * ROPE_THETA ** (-torch.arange(half).double() / half)
        both = torch.cat([angles, angles], dim=1)
        self.cosine, self.sine = both.cos().float(), both.sin().float()
        self.mask = torch.full((shape.sequence, shape.sequence), -math.inf).triu(1)  # added to scores

    def rounded_weights(self, masters):
        """What the products read: each projection rounded once a step, head and norms in the type they are used in."""
        def rounded(name, value):
            if value.dim() == 1:
                return value.to(self.settings.residual)
            if self.settings.bits and "_proj." in name:
                value = fake_quantize(value, self.settings.bits, (1,))
            return value.to(self.settings.products)
        # A clone where nothing changes the type: the caller takes gradients of what it gets.
        return {name: rounded(name, value).clone() for name, value in masters.items()}

    def quantized(self, x, dims, dtype=None):
        return StraightThrough.apply(x, self.settings.bits, dims, dtype or x.dtype) if self.settings.bits else x

    def linear(self, x, w):
        """x [b, T, in] is rounded with one scale per sequence; w is rounded here unless prepare() did."""
        x = self.quantized(x, (1, 2), w.dtype if self.settings.tuned else None)
        if not self.settings.tuned:
            w = self.quantized(w, (1,))
        return F.linear(x.to(w.dtype), w)

    def rotate(self, x):  # [b, heads, T, head_dim]
        a, b = x.chunk(2, dim=-1)
        cosine, sine = self.cosine, self.sine
        if self.settings.tuned:
            cosine, sine = cosine.to(x.dtype), sine.to(x.dtype)
        return x * cosine + torch.cat([-b, a], dim=-1) * sine

    def attention(self, x, w, name):
        s = self.shape
        b, t = x.shape[:2]
        qkv = self.linear(x, w[name + "self_attn.qkv_proj.weight"])
        qkv = qkv.view(b, t, s.heads + 2 * s.kv_heads, s.head_dim).transpose(1, 2)
        q, k, v = qkv.split([s.heads, s.kv_heads, s.kv_heads], dim=1)
        q, k = self.rotate(q), self.rotate(k)
        q = q.to(v.dtype)
        k, v = (self.quantized(x, (1, 2, 3), v.dtype).to(v.dtype) for x in (k, v))  # one scale a sequence
        if self.settings.explicit_attention:
            y = self.explicit_attention(q, k, v)
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=s.kv_heads != s.heads)
        return self.linear(y.transpose(1, 2).reshape(b, t, s.width), w[name + "self_attn.o_proj.weight"])

    def explicit_attention(self, q, k, v):
        if k.shape[1] != q.shape[1]:
            k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
        scores = (q @ k.transpose(-1, -2)).float() * self.shape.head_dim**-0.5
        return torch.softmax(scores + self.mask, dim=-1).to(v.dtype) @ v

    def feed_forward(self, x, w, name):
        gate, up = self.linear(x, w[name + "mlp.gate_up_proj.weight"]).chunk(2, dim=-1)
        return self.linear(F.silu(gate) * up, w[name + "mlp.down_proj.weight"])

    def norm(self, x, weight):
        return F.rms_norm(x, (self.shape.width,), weight.to(x.dtype), NORM_EPSILON)

    def hidden(self, x, w):
        """From embeddings [b, T, d] to what the output head reads."""
        for layer in range(self.shape.layers):
            name = f"model.layers.{layer}."
            x = x + self.attention(self.norm(x, w[name + "input_layernorm.weight"]), w, name)
            x = x + self.feed_forward(self.norm(x, w[name + "post_attention_layernorm.weight"]), w, name)
        return self.norm(x, w["model.norm.weight"])

    def loss_sum(self, x, w, targets, scale):
        """Sum of the losses of the targets [b, T], nats, times scale."""
        h = self.hidden(x, w)
        head = w["lm_head.weight"]
        h = h.reshape(-1, self.shape.width).to(head.dtype)
        if self.settings.fused_loss:
            return HeadLoss.apply(h, head, targets.reshape(-1), scale)
        logits = F.linear(h, head)
        return F.cross_entropy(logits.float(), targets.reshape(-1), reduction="sum") * scale


class HeadLoss(torch.autograd.Function):
    """The output head and cross-entropy; the gradient of the logits takes the logits' place."""

    @staticmethod
    def forward(context, h, head, targets, scale):
        rows = torch.arange(len(targets))
        gradient = torch.empty(len(targets), len(head), dtype=h.dtype)
        total = torch.zeros(())
        for begin in range(0, len(targets), 256):
            part = slice(begin, begin + 256)
            logits = F.linear(h[part], head).float()
            chosen = logits[rows[:len(logits)], targets[part]]
            top = logits.amax(dim=1, keepdim=True)
            p = logits.sub_(top).exp_()
            total_p = p.sum(dim=1, keepdim=True)
            total += (total_p.log() + top).sum() - chosen.sum()
            p.mul_(scale / total_p)
            p[rows[:len(logits)], targets[part]] -= scale
            gradient[part] = p
        context.save_for_backward(gradient, h, head)
        return total * scale

    @staticmethod
    def backward(context, _):  # of a loss that is the last thing: its gradient is one
        gradient, h, head = context.saved_tensors
        return gradient @ head, gradient.T @ h, None, None


# ---- the step ------------------------------------------------------------------------------------

class Trainer:
    def __init__(self, shape, settings, parameters=None, rate=RATE, adam_epsilon=ADAM_EPSILON, clip=CLIP):
        self.shape, self.settings, self.clip = shape, settings, clip
        self.masters = {name: torch.nn.Parameter(value.clone())
                        for name, value in (parameters or initial_parameters(shape)).items()}
        groups = [{"params": [p for p in self.masters.values() if p.dim() == 2], "weight_decay": DECAY},
                  {"params": [p for p in self.masters.values() if p.dim() == 1], "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=BETAS, eps=adam_epsilon, fused=settings.tuned or None)
        decoder = Decoder(shape, settings)
        self.loss_sum, self.rounded_weights = decoder.loss_sum, decoder.rounded_weights
        if settings.compiled:
            self.loss_sum = torch.compile(self.loss_sum, dynamic=False, fullgraph=True)
            self.rounded_weights = torch.compile(self.rounded_weights, dynamic=False, fullgraph=True)

    def step(self, tokens):
        """One optimizer step on tokens [B, T + 1]; the mean loss before it, nats."""
        loss = (self.gradients_by_micro_batch if self.settings.tuned else self.gradients_at_once)(tokens)
        if self.clip:
            torch.nn.utils.clip_grad_norm_(self.masters.values(), self.clip)
        self.optimizer.step()
        return loss

    def gradients_at_once(self, tokens):
        self.optimizer.zero_grad()
        inputs, targets = tokens[:, :-1], tokens[:, 1:]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.settings.products == torch.bfloat16):
            x = F.embedding(inputs, self.masters["model.embed_tokens.weight"])
            loss = self.loss_sum(x, self.masters, targets, 1 / targets.numel())
        loss.backward()
        return loss.item()

    def gradients_by_micro_batch(self, tokens):
        """Gradients of a micro-batch have the products' type; they are added up in FP32."""
        masters = {name: value.detach() for name, value in self.masters.items()}
        table = masters.pop("model.embed_tokens.weight")
        with torch.no_grad():
            weights = self.rounded_weights(masters)
        for value in weights.values():
            value.requires_grad_(True)
        sums = {}
        for name, value in self.masters.items():
            value.grad = torch.zeros_like(value) if value.grad is None else value.grad.zero_()
            sums[name] = value.grad
        scale, losses = 1 / (tokens.shape[0] * (tokens.shape[1] - 1)), []
        for part in tokens.split(self.settings.micro or len(tokens)):
            inputs, targets = part[:, :-1], part[:, 1:]
            x = table[inputs].to(self.settings.residual).requires_grad_(True)
            loss = self.loss_sum(x, weights, targets, scale)
            loss.backward()
            losses.append(loss.item())
            for name, value in weights.items():
                sums[name].add_(value.grad)
                value.grad = None
            sums["model.embed_tokens.weight"].index_add_(0, inputs.reshape(-1), x.grad.float().flatten(0, 1))
        return sum(losses)


# ---- measuring -----------------------------------------------------------------------------------

# What is tried, in this order, keeping what was faster: sequences of a micro-batch, then the attention.
MICRO_BATCHES = (4, 2, 8)


def batches(shape, count=4):
    generator = torch.Generator().manual_seed(2)
    size = (shape.step_tokens // shape.sequence, shape.sequence + 1)
    return [torch.randint(0, shape.vocabulary, size, generator=generator) for _ in range(count)]


class Measurement:
    """Steps of one trainer on the same few batches."""

    def __init__(self, shape, settings):
        self.shape, self.settings = shape, settings
        self.trainer, self.batches, self.steps = Trainer(shape, settings), batches(shape), 0
        self.first_loss = self.loss = self.step()
        self.step()

    def step(self):
        self.loss = self.trainer.step(self.batches[self.steps % len(self.batches)])
        self.steps += 1
        return self.loss

    def step_seconds(self, seconds, least=1):
        """Seconds of each step; the first step after a pause is not counted."""
        self.step()
        times, begin = [], time.perf_counter()
        while len(times) < least or time.perf_counter() - begin < seconds:
            start = time.perf_counter()
            self.step()
            times.append(time.perf_counter() - start)
        return times


def fastest(shape, settings):
    """A tuned measurement with the micro-batch and the attention that take the shortest step."""
    def tried(candidate):
        measurement = Measurement(shape, candidate)
        return min(measurement.step_seconds(1, least=3)), measurement
    best = None
    for micro in MICRO_BATCHES:
        best = min(best or (math.inf, None), tried(replace(settings, micro=micro)), key=lambda pair: pair[0])
    other = replace(best[1].settings, explicit_attention=not settings.explicit_attention)
    return min(best, tried(other), key=lambda pair: pair[0])[1]


def chosen(shape, settings, key, file):
    """The same, remembered in a JSON file under a key."""
    known = {}
    if file and os.path.exists(file):
        with open(file) as stream:
            known = json.load(stream)
    if key in known:
        return Measurement(shape, replace(settings, **known[key]))
    best = fastest(shape, settings)
    if file:
        known[key] = {"micro": best.settings.micro, "explicit_attention": best.settings.explicit_attention}
        with open(file, "w") as stream:
            json.dump(known, stream, indent=1, sort_keys=True)
    return best


def row_of(measurement, arguments, seconds):
    times = sorted(measurement.step_seconds(seconds))
    median = times[len(times) // 2]
    shape, settings = measurement.shape, measurement.settings
    rate = shape.step_tokens / median
    return {"shape": arguments.shape, "recipe": arguments.recipe, "mode": arguments.mode, "tuning": arguments.tuning,
            "threads": arguments.threads, "tokens_per_second": rate, "flops_per_second": rate * shape.flops_per_token(),
            "flops_per_token": shape.flops_per_token(), "steps": len(times), "first_loss": measurement.first_loss,
            "loss": measurement.loss, "micro_batch_sequences": settings.micro,
            "attention": "explicit" if settings.explicit_attention else "scaled_dot_product",
            "torch": torch.__version__}


def say(value):
    print(json.dumps(value), flush=True)


def measure(arguments):
    tuned = arguments.tuning == "tuned"
    torch.set_flush_denormal(tuned)  # before there are threads: they inherit it
    torch.set_num_threads(arguments.threads)
    settings = Settings(arguments.recipe, arguments.mode == "compile", tuned)
    shape = SHAPES[arguments.shape]
    if tuned:
        settings = replace(settings, residual=torch.bfloat16, fused_loss=True, explicit_attention=True)
        key = " ".join([torch.__version__, arguments.shape, arguments.recipe, arguments.mode, str(arguments.threads)])
        measurement = chosen(shape, settings, key, arguments.choices)
    else:
        measurement = Measurement(shape, settings)
    if not arguments.serve:
        say(row_of(measurement, arguments, arguments.seconds))
        return
    say({"ready": True})
    for line in sys.stdin:
        say(row_of(measurement, arguments, float(line)))


# ---- checking ------------------------------------------------------------------------------------

def read_safetensors(path):
    with open(path, "rb") as file:
        data = file.read()
    size, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(numpy.frombuffer(data, numpy.float32, offset=8 + size + entry["data_offsets"][0],
                                                    count=math.prod(entry["shape"])).copy()).reshape(entry["shape"])
            for name, entry in header.items()}


def check_quantizer(golden):
    """int4 per tensor and per row, bit for bit (signs of zeros apart). Scales below the smallest normal are left out."""
    with open(os.path.join(golden, "quantizers.json")) as file:
        cases = json.load(file)["cases"]
    count = 0
    for case in cases:
        if case["format"] not in ("int4", "int8") or case["axis"] not in ("tensor", "row"):
            continue
        numbers = {key: torch.tensor([float.fromhex(x) for x in case[key]]).reshape(case["rows"], case["columns"])
                   for key in ("x", "values", "scales")}
        if numbers["scales"].min() < torch.finfo(torch.float32).tiny:
            continue
        dims = (0, 1) if case["axis"] == "tensor" else (1,)
        values = fake_quantize(numbers["x"], int(case["format"][3:]), dims)
        assert torch.equal(values, numbers["values"]), case
        count += 1
    assert count > 0
    return count


def check_model(golden, compiled):
    """Ten losses of the golden model. What PyTorch rounds differently is stated beside each tolerance."""
    with open(os.path.join(golden, "model.json")) as file:
        document = json.load(file)
    m, tensors = document["model"], read_safetensors(os.path.join(golden, "model.safetensors"))
    tokens = [torch.tensor(rows) for rows in document["tokens"]]
    shape = Shape(m["width"], m["layers"], m["heads"], m["sequence"], m["vocabulary"], tokens[0][:, 1:].numel(),
                  m["hidden"], m["kv_heads"])
    parameters = {name[len("initial."):]: value for name, value in tensors.items() if name.startswith("initial.")}
    adam = document["adamw"]
    fp32, bf16 = torch.float32, torch.bfloat16
    for recipe, products, first, later in (
            ("fp32", fp32, 1e-4, 1e-4),  # the order of sums alone: golden spread 1e-5
            ("w4a4kv4", fp32, 0.02, 0.15),  # BF16 probabilities and head: a flipped rounding moves .003, then .05
            ("w4a4kv4", bf16, 0.1, 0.25)):  # outputs and gradients of products in BF16 as well
        for settings in (Settings(recipe, compiled, False, products=products),
                         Settings(recipe, compiled, True, 1, products, fused_loss=True),
                         Settings(recipe, compiled, True, 1, products, products, True, True)):
            torch._dynamo.reset()  # or the ninth variant of a function is refused
            trainer = Trainer(shape, settings, parameters, adam["learning_rate"], adam["epsilon"], clip=0)
            losses = [trainer.step(step) for step in tokens]
            off = [abs(a - b) for a, b in zip(losses, document["cases"][recipe]["losses"])]
            print(f"{settings}\n    losses off by {off[0]:.2g} in the first step, {max(off):.2g} at most", flush=True)
            assert off[0] <= first and max(off) <= later, losses


def check(golden, compiled):
    print(f"{check_quantizer(golden)} matrices rounded as bitlaw rounds them")
    check_model(golden, compiled)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="A")
    parser.add_argument("--recipe", choices=["bf16", "w4a4kv4"], default="bf16")
    parser.add_argument("--mode", choices=["eager", "compile"], default="eager")
    parser.add_argument("--tuning", choices=["default", "tuned"], default="default")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--choices", metavar="FILE", help="where the settings chosen by tuning are kept")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--check", metavar="TESTS_GOLDEN", help="compare with the golden data of this folder instead")
    arguments = parser.parse_args()
    if arguments.check:
        check(arguments.check, arguments.mode == "compile")
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
