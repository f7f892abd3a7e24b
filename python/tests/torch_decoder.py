"""bitlaw's decoder in torch (docs/numerics.md), and runs of the program to compare it with."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from conftest import PROGRAM
from torch import Tensor, nn
from torch.nn import functional


class Norm(nn.Module):
    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rope(x: Tensor, theta: float) -> Tensor:
    tokens, width = x.shape[-2:]
    half = width // 2
    powers = theta ** (-torch.arange(half, dtype=torch.float64) * 2 / width)
    angles = torch.arange(tokens, dtype=torch.float64)[:, None] * powers
    cos, sin = angles.cos().float(), angles.sin().float()
    left, right = x[..., :half], x[..., half:]
    return torch.cat([left * cos - right * sin, right * cos + left * sin], -1)


class Attention(nn.Module):
    def __init__(self, shape: dict[str, Any]) -> None:
        super().__init__()
        width = shape["width"]
        self.heads, self.kv_heads, self.theta = shape["heads"], shape["kv_heads"], shape["rope_theta"]
        self.size = width // self.heads
        self.qkv_proj = nn.Linear(width, (self.heads + 2 * self.kv_heads) * self.size, bias=False)
        self.o_proj = nn.Linear(width, width, bias=False)
        self.o_norm = Norm(width, shape["norm_epsilon"]) if shape["extra_norm"] else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, _ = x.shape
        sizes = [self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size]
        q, k, v = (part.reshape(batch, tokens, -1, self.size).transpose(1, 2)
                   for part in self.qkv_proj(x).split(sizes, -1))
        q, k = rope(q, self.theta), rope(k, self.theta)
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.kv_heads)
        out: Tensor = self.o_proj(self.o_norm(y.transpose(1, 2).reshape(batch, tokens, -1)))
        return out


class Mlp(nn.Module):
    def __init__(self, shape: dict[str, Any]) -> None:
        super().__init__()
        self.gate_up_proj = nn.Linear(shape["width"], 2 * shape["hidden"], bias=False)
        self.down_proj = nn.Linear(shape["hidden"], shape["width"], bias=False)
        self.down_norm = Norm(shape["hidden"], shape["norm_epsilon"]) if shape["extra_norm"] else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).chunk(2, -1)
        out: Tensor = self.down_proj(self.down_norm(functional.silu(gate) * up))
        return out


class Layer(nn.Module):
    def __init__(self, shape: dict[str, Any]) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape["width"], shape["norm_epsilon"])
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape["width"], shape["norm_epsilon"])
        self.mlp = Mlp(shape)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x))
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Decoder(nn.Module):
    def __init__(self, shape: dict[str, Any]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape["vocabulary"], shape["width"])
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape["layers"]))
        self.norm = Norm(shape["width"], shape["norm_epsilon"])
        self.lm_head = nn.Linear(shape["width"], shape["vocabulary"], bias=False)
        if shape["tied_head"]:
            self.lm_head.weight = self.embed_tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        out: Tensor = self.lm_head(self.norm(x))
        return out

    def loss(self, windows: Tensor) -> Tensor:
        """Mean over all targets, in nats; windows [sequence, T + 1]."""
        logits = self(windows[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def tensors_of(path: Path) -> dict[str, Tensor]:
    """Those of a safetensors file in FP32."""
    raw = path.read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    out = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + at for at in entry["data_offsets"])
            array = np.frombuffer(raw[begin:end], dtype="<f4").reshape(entry["shape"])
            out[name.removeprefix("model.")] = torch.from_numpy(array.copy())
    return out


def load(run: Path) -> tuple[Decoder, dict[str, Any]]:
    """The final model of a run, with the matrices fused that the engine fuses, and its configuration."""
    config: dict[str, Any] = json.loads((run / "run.json").read_text())["config"]
    state = tensors_of(run / "checkpoints" / "final" / "model.safetensors")
    for layer in range(config["model"]["layers"]):
        for fused, parts in ((f"layers.{layer}.self_attn.qkv_proj", ["q_proj", "k_proj", "v_proj"]),
                             (f"layers.{layer}.mlp.gate_up_proj", ["gate_proj", "up_proj"])):
            folder = fused.rpartition(".")[0]
            state[f"{fused}.weight"] = torch.cat([state.pop(f"{folder}.{part}.weight") for part in parts])
    if config["model"]["tied_head"]:
        state["lm_head.weight"] = state["embed_tokens.weight"]
    model = Decoder(config["model"])
    model.load_state_dict(state)
    return model, config


def windows(shard: Path, tokens: int) -> Tensor:
    """All of a shard, [sequence, tokens + 1]; each begins with the last target of the one before."""
    ids = np.fromfile(shard, "<u2")[512:].astype(np.int64)  # behind the header of llm.c's shards
    count = (len(ids) - 1) // tokens
    return torch.from_numpy(np.stack([ids[i * tokens : (i + 1) * tokens + 1] for i in range(count)]))


def data_set(folder: Path) -> Path:
    subprocess.run([PROGRAM, "data", "synthetic", "--to", str(folder), "--tokens", "20000", "--validation-tokens",
                    "4000", "--symbols", "32", "--levels", "6", "--quiet"], capture_output=True, check=True)
    return folder


def train(data: Path, runs: Path, *keys: str) -> dict[str, Any]:
    """A run of the program, seconds long: its result, with `directory`."""
    done = subprocess.run(
        [PROGRAM, "train", "--quiet", "--json", "--threads", "1", "--log-steps", "1", "--directory", str(runs),
         f"data.path={data}", "model.width=32", "model.heads=2", "model.sequence=32", *keys],
        capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
