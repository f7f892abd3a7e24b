#!/usr/bin/env python3
"""Compares a run exported by bitlaw in llama.cpp and in transformers.

    pip install torch transformers llama-cpp-py-sync
    bitlaw export RUN --gguf MODEL.gguf --hf DIR
    python3 tools/check_gguf_export.py MODEL.gguf DIR

llama.cpp loads MODEL.gguf. transformers loads DIR and computes in double with exact rotations. Both
encode the same texts and compute the logits at every position. Prints the texts whose tokens differ
and the largest difference of logits. Exit status: 1 if a token differs or a logit is off by more than
TOLERANCE, 77 if a package is missing.

tools/check_exports installs them and runs the tests that call this script.

The binding's own libllama.so needs glibc 2.38. On Debian 12, remove it and name another library of
the same build in LLAMA_CPP_LIB: the module of xllamacpp 2026.10.11549 works for llama-cpp-py-sync
0.11548.
"""

import json
import pathlib
import sys

TEXTS = [
    "The theory of the thing, then the other thing.\n\n  Two  spaces\tand a tab; 1234 56.7%",
    "Grüße, αβγ, Привет, 你好, 😀 e\u0301 \u00a0 x\r\n",
    "aaaa aaaaa aaaaaaa      b\n\n\n\tif (x < 1) { return \"y\"; }",
    " leading and trailing ",
]
# Relative to the largest logit: eight roundings to the type of the weights (llama.cpp also rounds the
# inputs of a product to it), and 128 of FP32 for the sums.
TOLERANCE = {"F32": 128 * 2**-24, "F16": 8 * 2**-11, "BF16": 8 * 2**-8}


def llama_cpp():
    """llama.cpp's C functions and their ffi."""
    try:
        from llama_cpp_py_sync._cffi_bindings import get_ffi, get_lib

        return get_lib(), get_ffi()
    except (ImportError, RuntimeError) as trouble:
        print(f"skipped: {trouble}")
        sys.exit(77)


class LlamaCpp:
    def __init__(self, path, context):
        lib, ffi = llama_cpp()
        self.lib, self.ffi = lib, ffi
        lib.llama_backend_init()
        self.quiet = ffi.callback("ggml_log_callback", lambda level, text, data: None)
        lib.llama_log_set(self.quiet, ffi.NULL)
        self.model = lib.llama_model_load_from_file(str(path).encode(), lib.llama_model_default_params())
        assert self.model != ffi.NULL, f"llama.cpp does not load {path}"
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.options = lib.llama_context_default_params()
        self.options.n_ctx = self.options.n_batch = self.options.n_ubatch = context
        self.options.type_k = self.options.type_v = 0  # GGML_TYPE_F32
        self.options.n_threads = self.options.n_threads_batch = 1
        if hasattr(self.options, "flash_attn_type"):
            self.options.flash_attn_type = 0  # off, as in older versions

    def encode(self, text):
        raw = text.encode()
        out = self.ffi.new("llama_token[]", len(raw) + 8)
        count = self.lib.llama_tokenize(self.vocab, raw, len(raw), out, len(raw) + 8, False, False)
        assert count >= 0
        return [out[i] for i in range(count)]

    def logits(self, tokens):
        import numpy

        context = self.lib.llama_init_from_model(self.model, self.options)
        assert context != self.ffi.NULL
        batch = self.lib.llama_batch_init(len(tokens), 0, 1)
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, 1
        batch.n_tokens = len(tokens)
        assert self.lib.llama_decode(context, batch) == 0
        size = self.lib.llama_vocab_n_tokens(self.vocab)
        rows = [self.ffi.unpack(self.lib.llama_get_logits_ith(context, i), size) for i in range(len(tokens))]
        self.lib.llama_batch_free(batch)
        self.lib.llama_free(context)
        return numpy.array(rows)


def main(gguf, directory):
    library, _ = llama_cpp()
    try:
        import torch
        import transformers
    except ImportError as missing:
        print(f"skipped: {missing}")
        sys.exit(77)
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    from check_hf_export import exact_rotation

    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory, attn_implementation="eager").double().eval()
    rotary = model.model.rotary_emb
    half = rotary.inv_freq.shape[0]
    settings = model.config.to_dict()  # rope_parameters since transformers 5
    theta = settings.get("rope_theta") or settings["rope_parameters"]["rope_theta"]
    rotary.inv_freq = theta ** (-torch.arange(half).double() / half)
    rotary.forward = lambda x, position_ids: exact_rotation(rotary.inv_freq, position_ids)
    context = json.loads((pathlib.Path(directory) / "config.json").read_text())["max_position_embeddings"]
    other = LlamaCpp(gguf, max(context, 32))

    different, compared, worst, largest = 0, 0, 0.0, 0.0
    for text in TEXTS:
        theirs, ours = other.encode(text), tokenizer.encode(text, add_special_tokens=False)
        compared += len(ours)
        if theirs != ours:
            different += 1
            print(f"tokens differ: {text!r}: llama.cpp {theirs}, transformers {ours}")
        assert tokenizer.decode(ours, clean_up_tokenization_spaces=False) == text, text
        for begin in range(0, len(ours), context):
            part = ours[begin:begin + context]
            with torch.no_grad():
                exact = model(torch.tensor([part])).logits[0].numpy()
            worst = max(worst, abs(other.logits(part) - exact).max())
            largest = max(largest, abs(exact).max())
    kind = weight_type(gguf)
    bound = TOLERANCE[kind] * largest
    print(f"{compared} tokens in {len(TEXTS)} texts, {different} texts differ; weights {kind}; "
          f"largest difference of logits {worst:.3g} of {largest:.3g}, allowed {bound:.3g}")
    return 1 if different or not worst <= bound else 0


def weight_type(path):
    names = {0: "F32", 1: "F16", 32: "BF16"}
    data = pathlib.Path(path).read_bytes()
    at = data.index(b"general.file_type") + len(b"general.file_type")
    return names[int.from_bytes(data[at + 4:at + 8], "little")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
