# The roundings of bitlaw.torch against the definition, against numpy written from docs/formats.md, and
# against runs of the program.
from __future__ import annotations

import copy
import doctest
import gc
import io
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import bitlaw
import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
if True:  # behind the line that skips this file
    import bitlaw.torch as bt
    import torch_decoder
    from bitlaw._torch_round import Role, parts_of
    from torch import nn
    from torch.nn import functional

F32 = np.float32
INTEGERS = [f"int{bits}" for bits in range(2, 17)]
FLOATS = ["e2m0", "e2m1", "e3m0", "e3m1", "e2m3", "e3m2", "e4m1", "e4m2", "e4m3", "e5m2", "e5m6", "e5m10", "e7m10"]
ROUNDED = [f"{code}-{scale}" for code in ("int2", "int4", "int8", "e2m1", "e4m3") for scale in ("e8m0", "e4m3")]
BLOCKS = ["mxfp4", "mxfp6-e2m3", "mxfp6-e3m2", "mxfp8-e4m3", "mxfp8-e5m2", "mxint8", "nvfp4"]
ROLES: dict[Role, list[str]] = {
    "weights": ["tensor", "channel", "group5", "group16"],
    "activations": ["sequence", "channel", "token", "group7", "batch"],
    "keys": ["sequence", "channel", "token", "group7", "batch"],
}
SHAPES: dict[Role, tuple[int, ...]] = {
    "weights": (6, 37), "activations": (3, 5, 35), "keys": (2, 3, 5, 14), "values": (2, 3, 5, 14),
    "queries": (2, 4, 5, 14),
}


def draw(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Numbers of every size, with ties, zeros, outliers, and blocks of zeros or of subnormal numbers."""
    kind = random.integers(5)
    x = random.standard_normal(shape)
    if kind == 1:
        x = random.integers(-14, 15, shape) / 2 * 0.5 ** random.integers(0, 3)
    if kind == 2:
        x = x * 10.0 ** random.uniform(-20, 20)
    if kind == 3:
        x = x * 10.0 ** random.uniform(-42, -36)
    if kind == 4:
        x = np.where(random.random(shape) < 0.02, x * 1000, x)
    x[..., 0] = np.where(random.random(shape[:-1]) < 0.2, 0, x[..., 0])
    x[..., random.integers(shape[-1]) :] *= random.integers(2)
    return torch.from_numpy(x.astype(F32))


def bits(x: Any) -> NDArray[np.int32]:
    return cast(NDArray[np.int32], x.numpy().view(np.int32))


def both(x: Any, rounding: bt.Rounding) -> tuple[dict[str, Any], dict[str, Any]]:
    fast = parts_of(x, rounding, codes=True, trusted=True)
    return fast, parts_of(x, rounding, codes=True, trusted=True, by_definition=True)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices are small here, and torch's threads wait for each other actively."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ---- the rounding itself ----


@pytest.mark.parametrize("role", ROLES)
def test_every_format_and_granularity_has_the_definitions_bits(role: Role) -> None:
    random = np.random.default_rng(1)
    count = 0
    for precision in ["bf16", "fp32", *INTEGERS, *FLOATS, *ROUNDED, *BLOCKS]:
        for granularity in ROLES[role] if precision not in ("bf16", "fp32", *BLOCKS) else [""]:
            rounding = bt.Rounding(role, precision, granularity)
            for _ in range(5):
                x = draw(random, SHAPES[role])
                fast, slow = both(x, rounding)
                for name in ("values", "codes", "scales"):
                    assert np.array_equal(bits(fast[name]), bits(slow[name])), (rounding, name)
                assert torch.equal(fast["trusted"], slow["trusted"]), rounding
                assert np.array_equal(bits(rounding(x)), bits(fast["values"])), rounding
                count += 1
    assert count > 750


@pytest.mark.parametrize("options", ["+clip", "+gauss", "+hadamard", "+hadamard4", "+gauss+hadamard8+trust",
                                     "+clip+trust"])
def test_options_have_the_definitions_bits(options: str) -> None:
    random = np.random.default_rng(2)
    for precision in ["int2", "int4", "int8", "e2m1", "e4m3", "int4-e8m0", "e2m1-e4m3", "mxfp4", "nvfp4"]:
        for role, granularity in [("weights", "tensor"), ("weights", "channel"), ("weights", "group8"),
                                  ("activations", "sequence"), ("activations", "token"), ("keys", "token")]:
            if role == "keys" and "trust" in options:
                continue
            block = precision in BLOCKS
            rounding = bt.Rounding(cast(Role, role), precision + options, "" if block else granularity)
            for _ in range(3):
                x = draw(random, (3, 2, 48))
                fast, slow = both(x, rounding)
                for name in ("values", "codes", "scales"):
                    # A block without a range has zeros, of which the definition knows no sign.
                    assert torch.equal(fast[name] + 0.0, slow[name] + 0.0), (rounding, name)
                assert torch.equal(fast["trusted"], slow["trusted"]), rounding


def positive_codes(name: str) -> NDArray[np.float64]:
    """Of eXmY, from 0 to the largest: the index is the code."""
    exponent, mantissa = (int(part) for part in name[1:].split("m"))
    bias = 2 ** (exponent - 1) - 1
    codes = [((code >> mantissa > 0) + (code % 2**mantissa) / 2**mantissa)
             * 2.0 ** (max(code >> mantissa, 1) - bias) for code in range(2 ** (exponent + mantissa))]
    if name == "e4m3":
        codes = codes[:-1]
    if name in ("e5m2", "e5m10"):
        codes = codes[: -(2**mantissa)]
    return np.array(codes)


def largest_code(name: str) -> float:
    return 2.0 ** (int(name[3:]) - 1) - 1 if name.startswith("int") else float(positive_codes(name)[-1])


def nearest_code(name: str, y: NDArray[F32]) -> NDArray[F32]:
    if name.startswith("int"):
        most = largest_code(name)
        return np.clip(np.rint(y), -most - 1, most).astype(F32)
    codes = positive_codes(name)
    size = np.minimum(np.abs(y.astype(np.float64)), codes[-1])
    low = np.minimum(np.searchsorted(codes, size, "right") - 1, len(codes) - 2)
    middle = (codes[low] + codes[low + 1]) / 2
    up = (size > middle) | ((size == middle) & (low % 2 == 1))
    return np.copysign(codes[low + up], y).astype(F32)


def block_in_numpy(name: str, scales: str, tensor: np.float32, x: NDArray[F32]) -> NDArray[F32]:
    """docs/formats.md, Scale rule and Rounded scales: the values of one block."""
    absmax, most, least = np.abs(x).max(), F32(largest_code(name)), F32(2.0**-126)
    scale = absmax / most
    if scales == "e8m0" and absmax > 0:
        emax = 0 if name.startswith("int") else int(np.frexp(largest_code(name))[1]) - 1
        exponent = min(max(int(np.frexp(absmax)[1]) - 1 - emax, -127), 127)
        unit = int(name[3:]) - 2 if name.startswith("int") else 0
        scale = F32(2.0 ** (exponent - unit))
    if scales == "e4m3":
        scale = F32(0) if scale < least else nearest_code("e4m3", np.array([scale / tensor], F32))[0] * tensor
    if scale < least:
        return x * F32(0)
    return nearest_code(name, x * (F32(1) / scale)) * scale


def matrix_in_numpy(name: str, scales: str, granularity: str, role: Role, x: NDArray[F32]) -> NDArray[F32]:
    """x [rows, columns]; [heads, rows, columns] for keys."""
    tensor = max(np.abs(x).max() / (F32(448) * F32(largest_code(name))), F32(2.0**-126))
    out = np.empty_like(x)
    if granularity in ("tensor", "sequence", "batch"):
        return block_in_numpy(name, scales, tensor, x)
    if granularity == "channel" and role != "weights":
        for head in np.ndindex(x.shape[:-2]):
            for column in range(x.shape[-1]):
                out[head][:, column] = block_in_numpy(name, scales, tensor, x[head][:, column])
        return out
    length = int(granularity[5:]) if granularity.startswith("group") else x.shape[-1]
    for row in np.ndindex(x.shape[:-1]):
        for begin in range(0, x.shape[-1], length):
            out[row][begin : begin + length] = block_in_numpy(name, scales, tensor, x[row][begin : begin + length])
    return out


@pytest.mark.parametrize("role", ROLES)
def test_numpy_written_from_the_docs_gives_the_same_bits(role: Role) -> None:
    random = np.random.default_rng(3)
    own = 2 if role != "keys" else 3
    mx = {"mxfp4": "e2m1", "mxfp6-e3m2": "e3m2", "mxfp8-e5m2": "e5m2", "mxint8": "int8"}
    formats = [*[(name, name, "") for name in ["int2", "int3", "int4", "int8", "int12", "int16"]],
               *[(name, name, "") for name in ["e2m1", "e3m0", "e4m3", "e5m2"]],
               *[(name, *name.split("-")) for name in ["int4-e8m0", "e2m1-e8m0", "e2m1-e4m3", "int5-e4m3"]],
               *[(name, code, "e8m0") for name, code in mx.items()], ("nvfp4", "e2m1", "e4m3")]
    with np.errstate(under="ignore"):
        for precision, name, scales in formats:
            blocks = {"nvfp4": ["group16"]}.get(precision, ["group32"] if precision in mx else ROLES[role])
            for granularity in blocks:
                for _ in range(3):
                    x = draw(random, SHAPES[role])
                    values = bt.round(x, precision, granularity, role=role).numpy()
                    if granularity == "batch":
                        wanted = matrix_in_numpy(name, scales, granularity, role, x.numpy())
                    else:
                        wanted = np.empty_like(x.numpy())
                        for at in np.ndindex(x.shape[: x.ndim - own]):
                            wanted[at] = matrix_in_numpy(name, scales, granularity, role, x.numpy()[at])
                    assert np.array_equal(values.view(np.int32), wanted.view(np.int32)), (precision, granularity)


def test_vectors_of_an_independent_script() -> None:
    path = Path(__file__).parents[2] / "tests" / "golden" / "weight_schemes.json"
    if not path.exists():
        pytest.skip("no golden vectors beside the tests")
    compared = 0
    for case in json.loads(path.read_text())["cases"]:
        scheme = case["scheme"]
        if "-asym" in scheme:
            continue  # training has no zero points
        granularity = f"group{case['group']}" if case["group"] else "channel"
        x, values, codes, scales = (
            torch.tensor([float.fromhex(each) for each in case[name]]).reshape(case["rows"], case["columns"])
            for name in ("x", "values", "codes", "scales"))
        parts = bt.quantize(x, scheme.replace("-clip", "+clip"), granularity, role="weights")
        normal = scales >= 2.0**-126  # below it a block counts as zeros in training
        assert torch.equal(parts.values[normal], values[normal]), scheme
        assert torch.equal(parts.codes[normal], codes[normal]), scheme
        assert torch.equal(parts.scales[normal], scales[normal]), scheme
        assert (parts.values[~normal] == 0).all()
        compared += int(normal.sum())
    assert compared > 500


def test_a_range_for_normal_numbers_is_the_published_one() -> None:
    x = torch.randn(20, 300)
    for precision, c in [("int2", 1.0484), ("int3", 0.6018), ("int4", 0.3386), ("e2m1", 0.4871), ("e4m3", 0.02038)]:
        parts = bt.quantize(x, precision + "+gauss", "token")
        wanted = c * x.double().pow(2).mean(-1).sqrt()
        assert torch.allclose(parts.scales[:, 0].double(), wanted, rtol=3e-4), precision
        codes = nearest_code(precision, (x * (1 / parts.scales)).numpy())
        assert np.array_equal(parts.values.numpy(), codes * parts.scales.numpy())


def test_bf16_is_torchs_own() -> None:
    x = torch.randn(1000) * 10 ** torch.empty(1000).uniform_(-38, 38)
    assert torch.equal(bt.round(x, 16), x.to(torch.bfloat16).float())
    assert bt.round(x, "fp32") is x


def test_what_shares_a_scale() -> None:
    x = torch.randn(4, 6, 8)
    alone = torch.stack([bt.round(each, 4, "sequence") for each in x])
    assert torch.equal(bt.round(x, 4, "sequence"), alone)
    assert torch.equal(bt.round(x, 4, "batch"), bt.round(x.reshape(24, 8), 4, "sequence").view(4, 6, 8))
    assert torch.equal(bt.round(x, 4, "token"), bt.round(x.reshape(24, 8), 4, "token").view(4, 6, 8))
    assert torch.equal(bt.round(x[0], 4, "channel", role="activations"),
                       bt.round(x[0].T.contiguous(), 4, "channel", role="weights").T)
    heads = torch.randn(2, 3, 5, 4)
    assert torch.equal(bt.round(heads, 4, "sequence", role="keys")[1], bt.round(heads[1], 4, "sequence", role="keys"))
    assert torch.equal(bt.round(heads, 4, "channel", role="keys")[1, 2],
                       bt.round(heads[1, 2], 4, "channel", role="activations"))
    assert not torch.equal(bt.round(heads, 4, "sequence", role="keys")[1],
                           bt.round(heads[1], 4, "sequence", role="activations"))  # of each head by itself


def test_layouts_and_types_do_not_matter() -> None:
    x = torch.randn(6, 5, 8)
    for view in (x.transpose(0, 1), x[::2], x[..., 1::2], x.expand(2, 6, 5, 8)):
        assert torch.equal(bt.round(view, "e2m1", "token"), bt.round(view.clone().contiguous(), "e2m1", "token"))
    half = x.to(torch.bfloat16)
    rounded = bt.round(half, 4, "sequence")
    assert rounded.dtype == torch.bfloat16
    assert torch.equal(rounded, bt.round(half.float(), 4, "sequence").to(torch.bfloat16))
    for shape in [(0, 8), (3, 0), (0,)]:
        assert bt.round(torch.empty(shape), "nvfp4").shape == shape


def test_numbers_that_are_not_finite_are_seen() -> None:
    x = torch.ones(3, 4)
    x[1, 2], x[2, 3] = torch.nan, torch.inf
    for precision in ("int4", "e2m1", "int4+gauss", "int4+clip"):
        seen = bt.round(x, precision, "token").isnan().any(-1)
        assert seen.tolist() == [False, True, True], precision
        assert torch.isfinite(bt.round(x, precision, "token")[0]).all()


def test_rotated_is_orthogonal_and_rotated_alike() -> None:
    x, w = torch.randn(7, 48), torch.randn(5, 48)
    rotated = bt.round(x, "16+hadamard", role="activations"), bt.round(w, "16+hadamard", role="weights")
    assert (rotated[0] @ rotated[1].T - x @ w.T).abs().max() < 0.2  # BF16: 2^-9 of 48 products
    exact = bt.round(x, "32+hadamard16", role="activations"), bt.round(w, "32+hadamard16", role="weights")
    assert not torch.equal(exact[0], x)
    assert (exact[0] @ exact[1].T - x @ w.T).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("int1", "token"), "int1"),
        (("mxfp5", None), "mxfp5"),
        (("int4", "tokens"), "'tokens' is not a granularity"),
        (("int4", "group0"), "'group0' is not a granularity"),
        (("int4", None), "needs a granularity"),
        (("int4", "channel"), "say role='weights' or role='activations'"),
        (("mxfp4", "group16"), "blocks of 32"),
        (("int4+clip", "batch"), "not to a batch"),
        (("bf16+trust", None), "no scale"),
    ],
)
def test_what_is_wrong_with_a_rounding(arguments: tuple[str, str | None], words: str) -> None:
    with pytest.raises(bitlaw.Error, match=words.replace("(", r"\(")):
        bt.round(torch.ones(2, 4), *arguments)


def test_what_is_wrong_with_a_tensor() -> None:
    with pytest.raises(bitlaw.Error, match=r"rounds on the CPU.*meta.*\.cpu\(\)"):
        bt.round(torch.ones(2, 4, device="meta"), 4, "token")
    for kind in (torch.float64, torch.float16, torch.int32):
        with pytest.raises(bitlaw.Error, match=f"float32 and bfloat16, and this tensor is {kind}"):
            bt.round(torch.ones(2, 4, dtype=kind), 4, "token")
    with pytest.raises(bitlaw.Error, match=r"keys of shape \[2, 4\]: expected \[..., head, token, width\]"):
        bt.round(torch.ones(2, 4), 4, "token", role="keys")
    with pytest.raises(bitlaw.Error, match="'sequence' is one scale for each sequence"):
        bt.round(torch.ones(2, 4), 4, "tensor", role="activations")
    with pytest.raises(bitlaw.Error, match="no tokens"):
        bt.round(torch.ones(2, 4), 4, "token", role="weights")
    with pytest.raises(bitlaw.Error, match="values are not rotated"):
        bt.round(torch.ones(2, 2, 4), "int4+hadamard", "token", role="values")
    with pytest.raises(bitlaw.Error, match="unknown role 'weight'; did you mean 'weights'"):
        bt.round(torch.ones(2, 4), 4, "tensor", role=cast(Role, "weight"))


# ---- gradients ----


def test_gradients_pass_straight_through() -> None:
    for precision in ["bf16", "int2", "int4", "e2m1-e8m0", "mxfp4", "nvfp4", "int4+gauss", "int4+clip"]:
        x = torch.randn(4, 6, 32, requires_grad=True)
        pull = torch.randn(4, 6, 32)
        y = bt.round(x, precision, None if precision in ("bf16", *BLOCKS) else "token")
        y.backward(pull)
        assert torch.equal(cast(Any, x.grad), pull), precision


def test_a_trust_mask_and_a_rotation_come_back() -> None:
    x = torch.randn(50, 48, requires_grad=True)
    pull = torch.randn(50, 48)
    bt.round(x, "int2+gauss+trust", "token").backward(pull)
    parts = bt.quantize(x, "int2+gauss", "token")
    y = x.detach() * (1 / parts.scales)
    holds = (y >= -2.5) & (y <= 1.5)
    assert torch.equal(parts.trusted, holds)
    assert 0.05 < 1 - holds.float().mean() < 0.5
    assert torch.equal(cast(Any, x.grad), pull * holds)

    x.grad = None
    bt.round(x, "int2+gauss+hadamard16+trust", "token").backward(pull)
    turned = torch.tensor(1.0)
    for _ in range(4):
        turned = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), turned)
    turn = torch.block_diag(*[turned / 4] * 3)
    mask = bt.quantize(x, "int2+gauss+hadamard16+trust", "token").trusted
    assert torch.allclose(cast(Any, x.grad), (pull * mask) @ turn.T, atol=1e-5)


def test_gradients_of_gradients() -> None:
    x = torch.randn(3, 16, requires_grad=True)
    y = bt.round(x, "int4+gauss+hadamard+trust", "token").pow(3).sum()
    (slope,) = torch.autograd.grad(y, x, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), x)
    assert torch.isfinite(second).all() and second.abs().max() > 0


def test_threads_give_the_same_bits() -> None:
    x = torch.randn(4, 256, 256)
    before = torch.get_num_threads()
    try:
        for precision, granularity in [("int4", "sequence"), ("int4", "token"), ("mxfp4", ""), ("nvfp4", ""),
                                       ("int4+gauss+hadamard", "token"), ("int4", "channel"), ("bf16", "")]:
            rounding = bt.Rounding("activations", precision, granularity)
            torch.set_num_threads(1)
            one = rounding(x)
            torch.set_num_threads(3)
            assert torch.equal(rounding(x), one), rounding
            results: list[Any] = [None] * 4

            def work(i: int, rounding: bt.Rounding = rounding, results: list[Any] = results) -> None:
                results[i] = rounding(x)

            workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            assert all(torch.equal(each, one) for each in results)
    finally:
        torch.set_num_threads(before)


# ---- recipes ----


def test_a_recipe_by_name_number_and_keys() -> None:
    assert bt.recipe(4) == bt.recipe("W4") == bt.recipe({"weights": 4}) == bt.recipe({"recipe": {"weights": "int4"}})
    assert bt.recipe("mxfp4") == bt.recipe({"weights": "mxfp4", "activations": "mxfp4"})
    assert bt.recipe("W3A16g128").weights == bt.Rounding("weights", "int3", "group128")
    quest = bt.recipe("quest-w4a4")
    assert quest == bt.recipe({"named": "quest-w4a4"})
    assert quest.activations == bt.Rounding("activations", "int4+gauss+hadamard128+trust", "token")
    rotated = bt.recipe({"kv": "4+hadamard", "queries": "kv"})
    assert (rotated.keys.precision, rotated.values.precision) == ("int4+hadamard", "int4")
    with pytest.warns(UserWarning, match="whose name is now 'sequence'"):
        bt.recipe({"activations": 4, "activations_granularity": "tensor"})
    for wrong, words in [({"weihts": 4}, "did you mean 'weights'"), ("quest", "quest-w4a4"), (17, "2 to 16"),
                         (4.5, "whole number"), ("4", "write W4"), ({"weights": "4+hadamard"}, "both of its operands"),
                         ({"named": "quest-w4a4", "weights": 16}, "leave one of the two out"), (None, "expected a name")]:
        with pytest.raises(bitlaw.Error, match=words):
            bt.recipe(cast(Any, wrong))


# ---- models ----


def shape(**changes: Any) -> dict[str, Any]:
    return {"width": 32, "heads": 2, "kv_heads": 2, "hidden": 96, "layers": 2, "vocabulary": 32, "rope_theta": 10000,
            "norm_epsilon": 1e-5, "extra_norm": False, "tied_head": False, **changes}


TOKENS = torch.arange(66).reshape(2, 33) * 7 % 32


def test_a_model_is_rounded_where_the_table_says() -> None:
    model = torch_decoder.Decoder(shape(extra_norm=True))
    rounded = bt.fake_quantize(model, {"weights": 4, "activations": "mxfp4", "kv": 8, "kv_granularity": "token"})
    rows = {(row["module"], row["part"]): (row["rounded_to"], row["shares"]) for row in rounded.table.rows()}
    assert rows[("layers.0.self_attn.qkv_proj", "weight")] == ("int4", "channel")
    assert rows[("layers.1.mlp.down_proj", "input")] == ("mxfp4", "group32")
    assert rows[("layers.0.self_attn", "keys")] == ("int8", "token")
    assert rows[("layers.0.self_attn", "queries")] == ("bf16", "")
    assert rows[("lm_head", "weight")] == rows[("lm_head", "input")] == ("bf16", "")
    assert rows[("embed_tokens", "weight")] == rows[("layers.0.mlp.down_norm", "weight")] == ("", "")
    parameters = {tuple(name.rsplit(".", 1)) for name, _ in model.named_parameters()}
    assert parameters <= set(rows)  # nothing is left out
    assert "int4/channel" in repr(model)


def test_a_rounded_layer_is_a_product_of_rounded_operands() -> None:
    layer = nn.Linear(48, 16)
    x = torch.randn(3, 7, 48)
    made = bt.recipe("quest-w4a4")
    wanted = functional.linear(made.activations(x), made.weights(layer.weight), layer.bias)
    with bt.fake_quantize(layer, made):
        assert torch.equal(layer(x), wanted)
        with torch.no_grad():
            assert torch.equal(layer.eval()(x), wanted)
    assert torch.equal(layer(x), functional.linear(x, layer.weight, layer.bias))


def test_a_model_stays_the_model_that_it_was() -> None:
    model = torch_decoder.Decoder(shape())
    plain = copy.deepcopy(model)
    with torch.no_grad():
        before = plain(TOKENS)
    rounded = bt.fake_quantize(model, "W4A4KV4")
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in plain.named_parameters()]
    assert list(model.state_dict()) == list(plain.state_dict())
    assert isinstance(model.lm_head, nn.Linear)
    with torch.no_grad():
        low = model(TOKENS)
        assert (low - before).abs().max() > 1e-3
        twin = copy.deepcopy(model)
        assert torch.equal(twin(TOKENS), low)
        plain.load_state_dict(model.state_dict())
        assert torch.equal(plain(TOKENS), before)
        model.load_state_dict(plain.state_dict())
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        loaded = torch.load(file, weights_only=False)
        assert torch.equal(loaded(TOKENS), low)
        rounded.remove()
        rounded.remove()  # does no harm
        assert torch.equal(model(TOKENS), before)
        assert torch.equal(twin(TOKENS), low)  # a copy keeps its own
        for other in (twin, loaded):
            bt.remove(other)
            assert torch.equal(other(TOKENS), before)
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks and not module._forward_hooks_always_called
        assert type(module) is not bt.RoundedLinear


def test_tied_and_shared_weights() -> None:
    tied = torch_decoder.Decoder(shape(tied_head=True))
    bt.fake_quantize(tied, "W4A4")
    assert tied.lm_head.weight is tied.embed_tokens.weight
    tied.loss(TOKENS).backward()
    assert torch.isfinite(cast(Any, tied.embed_tokens.weight.grad)).all()

    once = nn.Linear(8, 8)
    twice = nn.Sequential(once, nn.Tanh(), once)
    rounded = bt.fake_quantize(twice, "W4A4")
    assert list(rounded.table["part"]).count("weight") == 1
    x = torch.randn(3, 8)
    made = rounded.recipe
    weight = made.weights(once.weight)
    y = functional.linear(made.activations(functional.linear(made.activations(x), weight, once.bias).tanh()), weight,
                          once.bias)
    assert torch.equal(twice(x), y)


def test_layers_that_are_one_matrix_in_training() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.v_proj, self.q_proj, self.k_proj = nn.Linear(32, 16), nn.Linear(32, 48), nn.Linear(32, 16)
            nn.init.normal_(self.k_proj.weight, std=3)

        def forward(self, x: Any) -> Any:
            return torch.cat([self.q_proj(x), self.k_proj(x), self.v_proj(x)], -1)

    x = torch.randn(2, 5, 32)
    for precision, granularity in [("nvfp4", ""), ("int3", "tensor"), ("int3+gauss", "tensor"), ("int3", "channel")]:
        block = Block()
        parts = [block.q_proj, block.k_proj, block.v_proj]
        whole = torch.cat([each.weight.detach() for each in parts])
        keys = {"weights": precision, "weights_granularity": granularity}
        pull = torch.randn(2, 5, 80)
        with bt.fake_quantize(block, keys) as rounded:
            wanted = functional.linear(rounded.recipe.activations(x), rounded.recipe.weights(whole),
                                       torch.cat([each.bias.detach() for each in parts]))
            twin = copy.deepcopy(block)
            y = twin(x)
            assert torch.allclose(y, wanted, atol=1e-5)
            y.backward(pull)
            slope = torch.einsum("bto,bti->oi", pull, rounded.recipe.activations(x))
            for name, each in zip(("q_proj", "k_proj", "v_proj"), slope.split([48, 16, 16]), strict=True):
                assert torch.allclose(cast(Any, getattr(twin, name).weight.grad), each, atol=1e-4)
            why = next(row["why"] for row in rounded.table.rows() if row["module"] == "k_proj")
            assert why == ("projection" if granularity == "channel" else "projection, one matrix with q_proj, v_proj")
        if granularity != "channel":
            with bt.fake_quantize(block, keys, together=()):
                assert not torch.allclose(block(x), wanted, atol=1e-3)


def test_what_the_head_is() -> None:
    class Net(nn.Module):
        def __init__(self, **layers: nn.Module) -> None:
            super().__init__()
            for name, layer in layers.items():
                self.add_module(name, layer)

    def heads(model: nn.Module, **more: Any) -> list[str]:
        rounded = bt.fake_quantize(model, 4, **more)
        names = [row["module"] for row in rounded.table.rows() if row["part"] == "weight" and row["rounded_to"] == "bf16"]
        rounded.remove()
        return names

    body = {"embed": nn.Embedding(50, 8), "body": nn.Linear(8, 8)}
    assert heads(Net(**body, out=nn.Linear(8, 50))) == ["out"]
    assert heads(Net(**body, lm_head=nn.Linear(8, 40))) == ["lm_head"]
    assert heads(Net(**body, out=nn.Linear(8, 50)), head=()) == []
    assert heads(Net(**body, out=nn.Linear(8, 50)), head="body") == ["body"]
    with pytest.raises(bitlaw.Error, match="any of out, other may be the output head"):
        heads(Net(**body, out=nn.Linear(8, 50), other=nn.Linear(8, 50)))
    with pytest.raises(bitlaw.Error, match="head='tail' matches no module"):
        heads(Net(**body), head="tail")


def test_what_cannot_be_rounded_is_refused_before_anything_changes() -> None:
    attention = nn.MultiheadAttention(8, 2)
    for model, recipe, words in [
        (nn.Sequential(nn.Linear(8, 8), attention), "W4A4", "1 is an nn.MultiheadAttention"),
        (nn.TransformerEncoderLayer(8, 2), "W4A4", "self_attn is an nn.MultiheadAttention"),
        (nn.Sequential(nn.Linear(8, 8), nn.Conv1d(8, 8, 1)), "W4A4KV4", "no module is known to compute attention"),
        (nn.Sequential(nn.Conv1d(8, 8, 1)), "W4A4", "no nn.Linear to round"),
        (nn.Sequential(nn.Linear(8, 8), nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))), "W4A4",
         "1 is a ParametrizedLinear"),
    ]:
        with pytest.raises(bitlaw.Error, match=words):
            bt.fake_quantize(model, recipe)
        assert not any(isinstance(each, bt.RoundedLinear) for each in model.modules())
    rounded = bt.fake_quantize(nn.Sequential(nn.Linear(8, 8), attention), "W4A4", skip="1")
    assert set(rounded.table["why"]) >= {"projection", "skip"}
    with pytest.raises(bitlaw.Error, match="0 is rounded already"):
        bt.fake_quantize(rounded.model, "W4A4", skip="1")


def test_a_sign_that_torch_keeps_in_a_flag_counts() -> None:
    x = torch.randn(3, 8)
    for precision in ("int4", "int4+hadamard"):
        assert torch.equal(bt.round(torch._neg_view(x), precision, "token"), bt.round(-x, precision, "token"))


def test_what_is_no_tensor_no_name_and_no_model_is_refused() -> None:
    with pytest.raises(bitlaw.Error, match="this is a ndarray; bitlaw.quantize rounds arrays"):
        bt.round(np.ones((2, 2), np.float32), "int4", "token")  # type: ignore[arg-type]
    with pytest.raises(bitlaw.Error, match="precision None: a name"):
        bt.round(torch.ones(2, 2), None, "token")  # type: ignore[arg-type]
    with pytest.raises(bitlaw.Error, match="model: a function; an nn.Module"):
        bt.fake_quantize(lambda x: x, "W4A4")  # type: ignore[arg-type]
    with pytest.raises(bitlaw.Error, match="scaled_dot_product_attention$"):
        bt.fake_quantize(nn.MultiheadAttention(8, 2), "W4A4")


class ByHand(nn.Module):
    """Attention that no call shows."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.keys, self.values = nn.Identity(), nn.Identity()

    def forward(self, x: Any) -> Any:
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        y = (q @ self.keys(k).transpose(-1, -2)).softmax(-1) @ self.values(v)
        return y.transpose(1, 2).flatten(2)


def test_attention_that_is_not_seen_is_an_error() -> None:
    x = torch.randn(2, 5, 8)
    model = nn.Sequential()
    model.add_module("attn", ByHand())
    with pytest.raises(bitlaw.Error, match="attn: keys and values were not rounded, because"):
        with bt.fake_quantize(model, {"kv": 4}):
            model(x)
    assert not torch.overrides._get_current_function_mode_stack()
    with bt.fake_quantize(model, {"kv": 4}, keys="*.keys", values="*.values") as rounded:
        low = model(x)
        assert [row["rounded_to"] for row in rounded.table.rows() if row["part"] in ("keys", "values")] == ["int4"] * 2
    with bt.fake_quantize(model, {"kv": 16}):  # nothing has to be found
        assert not torch.equal(model(x), low)
    with pytest.raises(bitlaw.Error, match="the recipe rounds values to int4/sequence; say which modules"):
        bt.fake_quantize(model, {"kv": 4}, keys="*.keys")
    with pytest.raises(bitlaw.Error, match="its output is to be keys"):
        with bt.fake_quantize(model, {"kv": 4}, keys="*.qkv", values="*.values"):
            model(x)
    with pytest.raises(bitlaw.Error, match="attention='nothing' matches no module"):
        bt.fake_quantize(model, {"kv": 4}, attention="nothing")


def test_probabilities_as_in_training() -> None:
    q, k, v = torch.randn(2, 4, 6, 8), torch.randn(2, 2, 6, 8), torch.randn(2, 2, 6, 8)

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(1, 1)

        def forward(self, q: Any, k: Any, v: Any, **more: Any) -> Any:
            return functional.scaled_dot_product_attention(q, k, v, enable_gqa=True, **more)

    model = nn.Sequential()
    model.add_module("attn", Attention())
    attention = cast(nn.Module, model.attn)
    allowed = torch.rand(6, 6) < 0.7
    allowed.fill_diagonal_(True)
    for more in ({}, {"is_causal": True}, {"attn_mask": allowed, "scale": 0.3}, {"attn_mask": torch.randn(6, 6)}):
        wanted = attention(q, k, v, **more)
        with bt.fake_quantize(model, {"kv": 32, "queries": 32}, probabilities="bf16", attention="attn"):
            same = attention(q, k, v, **more)
        assert torch.allclose(same, wanted, atol=1e-6)  # fp32 values: nothing is rounded
        with bt.fake_quantize(model, {"kv": 16, "queries": 32, "weights": 32}, probabilities="bf16"):
            near = attention(q, k, v, **more)
        assert 1e-4 < (near - wanted).abs().max() < 0.05
    # One query, one key per head: a probability is 1, so the result is the value.
    with bt.fake_quantize(model, {"kv": "nvfp4"}, probabilities="bf16") as rounded:
        y = attention(q[:, :, :1], k[:, :, :1], v[:, :, :1])
    assert torch.allclose(y, rounded.recipe.values(v[:, :, :1]).repeat_interleave(2, 1), rtol=2**-8)
    with pytest.raises(bitlaw.Error, match="does not go with dropout"):
        with bt.fake_quantize(model, 4, probabilities="bf16"):
            attention(q, k, v, dropout_p=0.1)
    with pytest.raises(bitlaw.Error, match="probabilities='bf16' needs modules"):
        bt.fake_quantize(nn.Linear(4, 4), 4, probabilities="bf16")


def test_compiled_models_have_the_same_bits() -> None:
    model = torch_decoder.Decoder(shape())
    bt.fake_quantize(model, {"named": "quest-w4a4", "kv": 4})
    model.loss(TOKENS).backward()
    wanted = [cast(Any, each.grad).clone() for each in model.parameters()]
    model.zero_grad()
    logits = model(TOKENS[:, :-1])
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)(TOKENS[:, :-1])
    assert torch.equal(compiled, logits)
    functional.cross_entropy(compiled.flatten(0, 1), TOKENS[:, 1:].flatten()).backward()
    for each, gradient in zip(model.parameters(), wanted, strict=True):
        assert torch.allclose(cast(Any, each.grad), gradient, atol=1e-6)
    torch.compiler.reset()


def test_an_exception_in_the_forward_pass_ends_the_rounding_of_attention() -> None:
    model = torch_decoder.Decoder(shape())
    bt.fake_quantize(model, "W4A4KV4")
    with pytest.raises(RuntimeError):
        model.layers[0](torch.randn(2, 5, 31))
    assert not torch.overrides._get_current_function_mode_stack()


@pytest.mark.parametrize("reentrant", [True, False])
def test_recomputed_activations_give_the_same_gradients(reentrant: bool) -> None:
    from torch.utils.checkpoint import checkpoint

    model = torch_decoder.Decoder(shape())
    bt.fake_quantize(model, {"named": "quest-w4a4", "kv": 4})
    model.loss(TOKENS).backward()
    wanted = [cast(Any, each.grad).clone() for each in model.parameters()]
    model.zero_grad()
    for layer in model.layers:
        inner = layer.forward
        cast(Any, layer).forward = lambda x, inner=inner: checkpoint(inner, x, use_reentrant=reentrant)
    model.loss(TOKENS).backward()
    assert all(torch.equal(cast(Any, each.grad), grad) for each, grad in zip(model.parameters(), wanted, strict=True))


@pytest.mark.parametrize("recipe", ["W4A4KV4", "quest-w4a4", "mxfp4", "nvfp4"])
def test_fifty_steps_lower_the_loss(recipe: str) -> None:
    torch.manual_seed(0)
    model = torch_decoder.Decoder(shape())
    bt.fake_quantize(model, recipe)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = model.loss(TOKENS)
        loss.backward()
        assert all(torch.isfinite(cast(Any, each.grad)).all() for each in model.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 1, losses


def test_nothing_is_kept_alive() -> None:
    model = torch_decoder.Decoder(shape())
    rounded = bt.fake_quantize(model, "W4A4KV4")
    model.loss(TOKENS).backward()
    rounded.remove()
    gone = weakref.ref(model)
    del model, rounded
    gc.collect()
    assert gone() is None

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    x = torch.randn(64, 1024, requires_grad=True)
    for warm in (True, False):
        before = resident()
        for _ in range(100):
            bt.round(x, "int4+gauss+hadamard+trust", "token").sum().backward()
            x.grad = None
        assert warm or resident() - before < 20 * x.numel() * 4 // 10  # a leak of one tensor a call: 100
    held = sys.getrefcount(x)
    bt.quantize(x, "int4", "token")
    assert sys.getrefcount(x) == held


# ---- against the program ----

RECIPES = [
    ["recipe.weights=4", "recipe.activations=4", "recipe.kv=4"],
    ["recipe.weights=2", "recipe.activations=3", "recipe.activations_granularity=token", "recipe.kv=3",
     "recipe.kv_granularity=token", "recipe.queries=kv", "model.kv_heads=1"],
    ["recipe.named=quest-w4a4", "recipe.kv=4", "recipe.kv_granularity=token", "model.extra_norm=true"],
    ["recipe.weights=nvfp4", "recipe.activations=nvfp4", "recipe.kv=mxfp4", "model.tied_head=true"],
    ["recipe.activations=e4m3", "recipe.activations_granularity=channel", "recipe.kv=nvfp4", "model.kv_heads=1"],
    ["recipe.weights=3+clip", "recipe.kv=3", "recipe.kv_granularity=channel", "recipe.queries=kv"],
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return torch_decoder.data_set(tmp_path_factory.mktemp("torch") / "data")


@pytest.mark.parametrize("keys", RECIPES, ids=range(len(RECIPES)))
def test_a_run_of_the_program_has_the_same_loss(data: Path, tmp_path: Path, keys: list[str]) -> None:
    result = torch_decoder.train(data, tmp_path, "train.tokens=20000", *keys)
    loss = result["validation"]["loss_nats"]
    model, config = torch_decoder.load(Path(result["directory"]))
    text = torch_decoder.windows(data / "val_000000.bin", 32)
    with torch.no_grad():
        plain = float(model.loss(text))
        with bt.fake_quantize(model, config):
            near = float(model.loss(text))
        with bt.fake_quantize(model, config, probabilities="bf16"):
            same = float(model.loss(text))
    # Measured over three seeds: 1e-7 to 5e-5, where a sum in another order moved a number over a tie; with
    # probabilities in FP32 up to 3e-4. Without rounding .018 to .06 for the second recipe.
    assert abs(same - loss) < 2e-4
    assert abs(near - loss) < 1e-3
    if keys == RECIPES[1]:
        assert abs(plain - loss) > 5e-3


@pytest.mark.parametrize(
    "keys",
    [*RECIPES[:3], ["recipe.weights=2+gauss+trust", "recipe.activations=2+gauss+trust"],
     ["recipe.weights=3+gauss+hadamard+trust", "recipe.activations=3+gauss+hadamard+trust", "recipe.kv=4+hadamard",
      "recipe.queries=kv"]],
    ids=range(5))
def test_the_first_step_of_the_program_has_the_same_gradient(data: Path, tmp_path: Path, keys: list[str]) -> None:
    # One step over all of the text with a rate that moves nothing: the final model is the initial one.
    result = torch_decoder.train(data, tmp_path, "train.tokens=20032", "train.batch_tokens=20032", "train.lr=1e-30",
                                 "train.backward=fp32", *keys)
    directory = Path(result["directory"])
    step = json.loads((directory / "metrics.jsonl").read_text().splitlines()[0])
    model, config = torch_decoder.load(directory)
    bt.fake_quantize(model, config, probabilities="bf16")
    loss = model.loss(torch_decoder.windows(data / "train_000000.bin", 32))
    loss.backward()
    norm = float(sum(cast(Any, each.grad).double().pow(2).sum() for each in model.parameters()) ** 0.5)
    # Measured: loss 6e-5, norm 1.3e-4 of it. Without the trust mask the norm of the fourth recipe is off by 1.4e-3.
    assert abs(float(loss.detach()) - step["loss_nats"]) < 2e-4
    assert abs(norm / step["gradient_norm"] - 1) < 4e-4


@pytest.mark.parametrize("keys", [*RECIPES[:2], RECIPES[3], ["recipe.weights=4", "recipe.weights_granularity=tensor"]],
                         ids=range(4))
def test_a_run_opened_by_transformers_has_the_same_loss(data: Path, tmp_path: Path, keys: list[str]) -> None:
    transformers: Any = pytest.importorskip("transformers")
    result = torch_decoder.train(data, tmp_path, "train.tokens=20000", *keys)
    directory = Path(result["directory"])
    model = transformers.LlamaForCausalLM.from_pretrained(directory / "checkpoints" / "final", dtype=torch.float32)
    rounded = bt.fake_quantize(model, json.loads((directory / "run.json").read_text())["config"], probabilities="bf16")
    assert set(rounded.table["rounded_to"]) == {"", "bf16", *(each.precision for each in (
        rounded.recipe.weights, rounded.recipe.activations, rounded.recipe.keys, rounded.recipe.values))}
    text = torch_decoder.windows(data / "val_000000.bin", 32)
    with torch.no_grad():
        loss = functional.cross_entropy(model(text[:, :-1]).logits.flatten(0, 1), text[:, 1:].flatten())
    assert abs(float(loss) - result["validation"]["loss_nats"]) < 2e-4  # measured: 3e-5
    model.set_attn_implementation("eager")
    with pytest.raises(bitlaw.Error, match="set_attn_implementation"):
        model(text[:1, :-1])


# ---- the package ----


def test_examples() -> None:
    from bitlaw import _torch_layers, _torch_recipe, _torch_round

    for module in (bt, _torch_layers, _torch_recipe, _torch_round):
        outcome = doctest.testmod(module)
        assert outcome.attempted > 0 and outcome.failed == 0


def test_the_page() -> None:
    page = Path(__file__).parents[2] / "docs" / "torch.md"
    if not page.exists():
        pytest.skip("no docs beside the tests")
    text = "\n".join("" if line.startswith("```") else line for line in page.read_text(encoding="utf-8").splitlines())
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(text, {}, "torch.md", str(page), 0))
    assert runner.summarize(verbose=False) == (0, runner.tries) and runner.tries > 15


def test_the_interpreter_ends_without_leaks() -> None:
    code = ("import torch, bitlaw.torch as bt; m = torch.nn.Linear(8, 8); r = bt.fake_quantize(m, 'quest-w4a4');"
            "m(torch.ones(2, 8)).sum().backward(); bt.quantize(m.weight, 'mxfp4')")
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "nanobind" not in done.stderr


def test_torch_is_imported_only_when_asked_for() -> None:
    code = "import bitlaw, sys; assert 'torch' not in sys.modules, 'imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
    code = "import sys; sys.modules['torch'] = None\ntry: import bitlaw.torch\nexcept ImportError as e: print(e)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "bitlaw.torch needs PyTorch, which is not installed; pip install torch\n"
