#include "hf/tensor_names.h"

#include <gtest/gtest.h>

namespace bitlaw::hf {
namespace {

TEST(TensorNames, WrappersAndTheModelsNameAreLeftOut) {
  for (const char* name :
       {"layers.0.mlp.up_proj.weight", "model.layers.0.mlp.up_proj.weight",
        "module.model.layers.0.mlp.up_proj.weight", "_orig_mod.model.layers.0.mlp.up_proj.weight",
        "model._orig_mod.layers.0._checkpoint_wrapped_module.mlp.up_proj.weight",
        "base_model.model.model.layers.0.mlp.up_proj.weight",
        "transformer.layers.0.mlp.up_proj.weight",
        "_fsdp_wrapped_module.model.layers.0._fsdp_wrapped_module.mlp.up_proj.weight"}) {
    EXPECT_EQ(bare_name(name), "layers.0.mlp.up_proj.weight") << name;
  }
  EXPECT_EQ(bare_name("model"), "model");
  EXPECT_EQ(bare_name(""), "");
}

TEST(TensorNames, BuffersAreKnownAnywhere) {
  for (const char* name :
       {"model.rotary_emb.inv_freq", "rotary_emb.inv_freq",
        "model.layers.7.self_attn.rotary_emb.inv_freq", "rope.freqs",
        "module.model.rotary_emb.original_inv_freq", "gpt_neox.layers.0.attention.masked_bias",
        "model.rope.inv_freq", "model.layers.0.self_attn.rotary_emb._cos_cached", "freqs_cis",
        "model.causal_mask", "model.layers.1.self_attn.masked_bias"}) {
    EXPECT_TRUE(is_derived_buffer(name)) << name;
  }
  for (const char* name : {"model.norm.weight", "inv_freq", "model.layers.0.self_attn.q_proj.bias",
                           "gpt_neox.layers.0.attention.query_key_value.bias"}) {
    EXPECT_FALSE(is_derived_buffer(name)) << name;
  }
}

TEST(TensorNames, PackedWeightsNameTheirProgram) {
  EXPECT_EQ(packed_by("model.layers.0.mlp.up_proj.qweight", "I32"), "GPTQ or AWQ");
  EXPECT_EQ(packed_by("model.layers.0.mlp.up_proj.weight.absmax", "F32"), "bitsandbytes");
  EXPECT_EQ(packed_by("a.weight.quant_state.bitsandbytes__nf4", "U8"), "bitsandbytes");
  EXPECT_EQ(packed_by("a.weight_packed", "I32"), "compressed-tensors");
  EXPECT_EQ(packed_by("a.q_weight", "I32"), "EXL2");
  EXPECT_EQ(packed_by("a.mlp.experts.down_proj_blocks", "U8"), "MXFP4");
  EXPECT_EQ(packed_by("a.weight", "U32"), "MLX");
  EXPECT_EQ(packed_by("a.weight", "F32"), "");
}

TEST(TensorNames, AnExactNameComesFirstThenABareOneThenAnAlias) {
  const auto matched = match_names({"model.norm.weight", "model.embed.weight", "lm_head.weight"},
                                   {"model.norm.weight", "norm.weight", "embed.weight"},
                                   {{"lm_head.weight", "embed.weight"}, {"x", "not there"}});
  EXPECT_EQ(matched, (std::map<std::string, std::string>{{"model.norm.weight", "model.norm.weight"},
                                                         {"model.embed.weight", "embed.weight"},
                                                         {"lm_head.weight", "embed.weight"}}));
}

}  // namespace
}  // namespace bitlaw::hf
