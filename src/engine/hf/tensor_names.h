// The tensors of a checkpoint under the names of its layout, whatever the program that saved it
// calls them:
//
//   module.model.layers.0.mlp.up_proj.weight       wrappers in front, or between
//   layers.0.mlp.up_proj.weight                    without the name of the model
//   lm_head.weight for model.embed_tokens.weight   a tied matrix stored once, under either name
//   __metadata__ {"lm_head.weight": "model.embed_tokens.weight"}      an alias
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace bitlaw::hf {

// A name without wrappers, and without the names of models in front: "layers.0.mlp.up_proj.weight".
std::string bare_name(const std::string& name);

// Masks, positions and rotary frequencies, which follow from config.json.
bool is_derived_buffer(const std::string& name);

// The program that packs quantized weights in tensors of that name, or "".
std::string packed_by(const std::string& name, const std::string& dtype);

// {name in the layout: name in the files} for each name of `wanted` that the files have, exactly,
// bare, or as an alias ({stored elsewhere: stored as}).
std::map<std::string, std::string> match_names(const std::vector<std::string>& wanted,
                                               const std::set<std::string>& stored,
                                               const std::map<std::string, std::string>& aliases);

}  // namespace bitlaw::hf
