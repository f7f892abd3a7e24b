#!/usr/bin/env python3
"""Compares a run exported by bitlaw with what transformers makes of it.

    pip install torch transformers
    bitlaw export RUN --hf DIR
    bitlaw eval RUN --json >EVAL.json
    python3 tools/check_transformers_export.py DIR EVAL.json

The validation documents of the run's data set are decoded and encoded again by the exported tokenizer:
every token must come back. The mean loss of the run's windows must be that of `bitlaw eval`, up to its
products in BF16. The model must generate from the exported settings alone. Exit status: 1 if something
differs, 77 if a package is missing.
"""

import json
import pathlib
import struct
import sys

try:
    import torch
    import transformers
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Of a mean loss: bitlaw rounds the operands of products to BF16, 2^-9 relative, and the errors of
# thousands of tokens cancel. Measured: below 1e-3 of 3 nats.
TOLERANCE_NATS = 5e-3


def validation_tokens(directory):
    """All tokens of the validation shards: 256 words of 32 bits, then 16 bits a token."""
    tokens = []
    for shard in sorted(pathlib.Path(directory).glob("val*.bin")):
        data = shard.read_bytes()
        count = struct.unpack("<256i", data[:1024])[2]
        tokens += struct.unpack(f"<{count}H", data[1024:1024 + 2 * count])
    return list(tokens)


def documents(tokens, end):
    document = []
    for token in tokens:
        if token == end:
            if document:
                yield document
            document = []
        else:
            document.append(token)
    if document:
        yield document


def mean_loss(model, tokens, length):
    """Of windows of `length` inputs each; what is left behind the last one is not counted."""
    windows = torch.tensor([tokens[begin:begin + length + 1] for begin in range(0, len(tokens) - length, length)])
    total = 0.0
    with torch.no_grad():
        for some in windows.split(64):
            logits = model(some[:, :-1]).logits.double().flatten(0, 1)
            total += torch.nn.functional.cross_entropy(logits, some[:, 1:].flatten(), reduction="sum").item()
    count = windows.shape[0] * length
    return total / count, count


def main(directory, evaluation):
    measured = json.loads(pathlib.Path(evaluation).read_text())
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory).float().eval()
    tokens = validation_tokens(measured["data"]["path"])
    wrong = compared = 0
    for document in documents(tokens, tokenizer.eos_token_id):
        again = tokenizer.encode(tokenizer.decode(document, clean_up_tokenization_spaces=False), add_special_tokens=False)
        compared += len(document)
        wrong += again != document
    loss, count = mean_loss(model, tokens, model.config.max_position_embeddings)
    difference = abs(loss - measured["loss_nats"])
    inputs = tokenizer("the", return_tensors="pt", add_special_tokens=False)
    generated = model.generate(**inputs, max_new_tokens=4, do_sample=False)
    print(f"transformers {transformers.__version__}: {compared} tokens, {wrong} documents differ; loss {loss:.5f} on "
          f"{count} tokens, bitlaw's {measured['loss_nats']:.5f} on {measured['tokens']}; generates "
          f"{tokenizer.decode(generated[0])!r}")
    same_text = count == measured["tokens"]
    return 1 if wrong or not same_text or not difference <= TOLERANCE_NATS else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
