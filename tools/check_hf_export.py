#!/usr/bin/env python3
"""Compares bitlaw's model files with Hugging Face's transformers.

    pip install torch==2.13.0 transformers
    python3 tools/check_hf_export.py make tests/golden/hf_llama   # how that golden directory was made
    python3 tools/check_hf_export.py check DIR                    # a model that bitlaw saved

`make` writes a small LlamaForCausalLM with random weights as transformers saves it, and losses.json: a
sequence of tokens and transformers' loss of each (with norms and softmax in float, as always there).
The test of model/checkpoint loads it, computes the losses, and saves it again to the same tensors.

`check` loads DIR as transformers does. With a DIR/losses.json, from bitlaw or from `make`, it prints
the largest difference of losses. Without one, it prints a loss on random tokens, near log(vocabulary)
for an untrained model.
"""

import json
import math
import pathlib
import sys

import torch
import transformers


def losses_of(model, tokens):
    model = model.double().eval()
    # transformers keeps the rotation's frequencies in float; bitlaw rounds cosines and sines, not angles.
    rotary = model.model.rotary_emb
    half = rotary.inv_freq.shape[0]
    theta = model.config.rope_parameters["rope_theta"]
    rotary.inv_freq = theta ** (-torch.arange(half).double() / half)
    rotary.forward = lambda x, position_ids: exact_rotation(rotary.inv_freq, position_ids)
    with torch.no_grad():
        logits = model(torch.tensor([tokens[:-1]])).logits[0].double()
    return torch.nn.functional.cross_entropy(logits, torch.tensor(tokens[1:]), reduction="none")


def exact_rotation(frequencies, position_ids):
    angles = position_ids[:, :, None].double() * frequencies
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def make(directory):
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        vocab_size=32, max_position_embeddings=12, rope_theta=10000.0, rms_norm_eps=1e-5, tie_word_embeddings=False,
        bos_token_id=1, eos_token_id=2, attn_implementation="eager")
    model = transformers.LlamaForCausalLM(config)
    for name, value in model.named_parameters():  # large enough that every part moves the loss
        value.data = (1 + 0.3 * torch.randn_like(value)) if "norm" in name else 0.3 * torch.randn_like(value)
    model.save_pretrained(directory)
    (pathlib.Path(directory) / "generation_config.json").unlink(missing_ok=True)
    tokens = torch.randint(32, (13,)).tolist()
    write(directory, tokens, losses_of(model, tokens))


def write(directory, tokens, losses):
    document = {"tokens": tokens, "losses": losses.tolist()}
    (pathlib.Path(directory) / "losses.json").write_text(json.dumps(document) + "\n")


def check(directory):
    model, info = transformers.LlamaForCausalLM.from_pretrained(directory, attn_implementation="eager",
                                                               output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], info
    path = pathlib.Path(directory) / "losses.json"
    if path.exists():
        document = json.loads(path.read_text())
        losses = losses_of(model, document["tokens"])
        print("largest difference of losses", (losses - torch.tensor(document["losses"], dtype=losses.dtype)).abs().max().item())
    else:
        tokens = torch.randint(model.config.vocab_size, (model.config.max_position_embeddings + 1,)).tolist()
        print("loss", losses_of(model, tokens).mean().item(), "log(vocabulary)", math.log(model.config.vocab_size))


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
