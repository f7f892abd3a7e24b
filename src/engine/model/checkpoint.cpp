#include "model/checkpoint.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json_fields.h"
#include "model/safetensors.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

// One tensor of the file: consecutive rows of one of ours.
struct Part {
  std::string name;
  int parameter;       // index into Model::infos()
  int64_t begin, end;  // rows
};

std::string with_suffix(const std::string& name, const std::string& from, const std::string& to) {
  std::string out = name;
  return out.replace(out.find(from), from.size(), to);
}

std::vector<Part> parts_of(const Model& model) {
  const ModelConfig& c = model.config();
  const int64_t q = c.heads * c.head_dim(), kv = c.kv_heads * c.head_dim(), F = c.hidden;
  std::vector<Part> parts;
  for (int i = 0; i < static_cast<int>(model.infos().size()); ++i) {
    const ParameterInfo& info = model.infos()[i];
    if (info.name.find("qkv_proj") != std::string::npos) {
      parts.push_back({with_suffix(info.name, "qkv_proj", "q_proj"), i, 0, q});
      parts.push_back({with_suffix(info.name, "qkv_proj", "k_proj"), i, q, q + kv});
      parts.push_back({with_suffix(info.name, "qkv_proj", "v_proj"), i, q + kv, q + 2 * kv});
    } else if (info.name.find("gate_up_proj") != std::string::npos) {
      parts.push_back({with_suffix(info.name, "gate_up_proj", "gate_proj"), i, 0, F});
      parts.push_back({with_suffix(info.name, "gate_up_proj", "up_proj"), i, F, 2 * F});
    } else {
      parts.push_back({info.name, i, 0, info.shape[0]});
    }
  }
  return parts;
}

Json config_document(const ModelConfig& c, const SpecialTokens& tokens) {
  const auto token = [](int id) { return id < 0 ? Json() : Json(id); };
  return {
      {"architectures", {c.extra_norm ? "BitlawForCausalLM" : "LlamaForCausalLM"}},
      {"model_type", c.extra_norm ? "bitlaw" : "llama"},
      {"hidden_size", c.width},
      {"intermediate_size", c.hidden},
      {"num_hidden_layers", c.layers},
      {"num_attention_heads", c.heads},
      {"num_key_value_heads", c.kv_heads},
      {"head_dim", c.head_dim()},
      {"vocab_size", c.vocabulary},
      {"max_position_embeddings", c.sequence},
      {"rope_theta", c.rope_theta},
      {"rms_norm_eps", c.norm_epsilon},
      {"tie_word_embeddings", c.tied_head},
      {"hidden_act", "silu"},
      {"attention_bias", false},
      {"mlp_bias", false},
      {"torch_dtype", "float32"},
      {"bos_token_id", token(tokens.begin)},
      {"eos_token_id", token(tokens.end)},
  };
}

[[noreturn]] void unsupported(const JsonFields& config, const std::string& what) {
  throw Error(
      fmt::format("{}: {}: not supported; bitlaw reads plain Llama models", config.where(), what));
}

// Transformers 5 puts the rotation's options into a separate table.
double read_rope_theta(const JsonFields& config) {
  if (!config.has("rope_parameters")) {
    return config.has("rope_theta") ? config.number("rope_theta") : 10000;
  }
  const JsonFields rope = config.object("rope_parameters");
  if (rope.text("rope_type", "default") != "default" || !rope.has("rope_theta"))
    unsupported(config, "rope_parameters other than a plain rope_theta");
  return rope.number("rope_theta");
}

ModelConfig read_config(const fs::path& path) {
  const Json document = parse_json(read_file(path), path.string());
  const JsonFields reader(document, path.string());
  const std::string type = reader.text("model_type", "");
  if (type != "llama" && type != "bitlaw")
    unsupported(reader, fmt::format("model_type '{}'", type));
  if (reader.text("hidden_act", "silu") != "silu")
    unsupported(reader, "hidden_act other than silu");
  if (reader.truth("attention_bias", false) || reader.truth("mlp_bias", false))
    unsupported(reader, "biases");
  if (reader.has("rope_scaling")) unsupported(reader, "rope_scaling");

  ModelConfig c;
  c.width = reader.whole("hidden_size");
  c.hidden = reader.whole("intermediate_size");
  c.layers = reader.whole("num_hidden_layers");
  c.heads = reader.whole("num_attention_heads");
  c.kv_heads = reader.has("num_key_value_heads") ? reader.whole("num_key_value_heads") : c.heads;
  c.vocabulary = reader.whole("vocab_size");
  c.sequence = reader.whole("max_position_embeddings");
  c.tied_head = reader.truth("tie_word_embeddings", false);
  c.extra_norm = type == "bitlaw";
  c.rope_theta = read_rope_theta(reader);
  c.norm_epsilon = reader.has("rms_norm_eps") ? reader.number("rms_norm_eps") : 1e-6;
  for (int64_t size : {c.kv_heads, c.hidden, c.vocabulary}) {  // zero has no meaning here
    if (size <= 0) unsupported(reader, "a size of zero");
  }
  try {
    c = c.resolved();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()));
  }
  if (reader.has("head_dim") && reader.whole("head_dim") != c.head_dim()) {
    unsupported(reader, "a head_dim other than hidden_size / num_attention_heads");
  }
  return c;
}

// F32 from F32 or BF16, which is exact.
void widen(const Tensor& from, const Tensor& to) {
  if (from.dtype() == DType::kF32) return to.copy_from(from);
  for (int64_t i = 0; i < from.elements(); ++i) to.f32()[i] = from.bf16()[i].value();
}

}  // namespace

void save_model(const fs::path& directory, const Model& model, const Parameters& parameters,
                const SpecialTokens& tokens) {
  std::vector<NamedTensor> tensors;
  for (const Part& part : parts_of(model)) {
    tensors.push_back({part.name, parameters.tensors[part.parameter].rows(part.begin, part.end)});
  }
  make_directories(directory);
  write_safetensors(directory / "model.safetensors", tensors, {{"format", "pt"}});
  write_file_atomically(directory / "config.json",
                        dump_json(config_document(model.config(), tokens), 2) + "\n");
}

LoadedModel load_model(const fs::path& directory) {
  LoadedModel loaded;
  loaded.config = read_config(directory / "config.json");
  const fs::path path = directory / "model.safetensors";
  const SafetensorsFile file(path);

  const Model model(loaded.config, Recipe{});
  const std::vector<Part> parts = parts_of(model);
  std::set<std::string> known;
  for (const Part& part : parts) known.insert(part.name);
  if (loaded.config.tied_head)
    known.insert("lm_head.weight");  // some writers store the shared table twice
  for (const auto& [name, entry] : file.entries()) {
    if (!known.contains(name)) {
      throw Error(fmt::format("{}: tensor '{}' is not part of the model that config.json describes",
                              path.string(), name));
    }
  }
  // Every shape before any memory: the sizes in config.json may be nonsense.
  for (const Part& part : parts) {
    if (!file.contains(part.name))
      throw Error(fmt::format("{}: tensor '{}' is missing", path.string(), part.name));
    const SafetensorsEntry& entry = file.entries().at(part.name);
    const Shape& whole = model.infos()[part.parameter].shape;
    std::vector<int64_t> expected{part.end - part.begin};
    if (whole.rank() == 2) expected.push_back(whole[1]);
    if (entry.shape != expected) {
      throw Error(fmt::format("{}: tensor '{}' has shape [{}], but config.json requires [{}]",
                              path.string(), part.name, fmt::join(entry.shape, ", "),
                              fmt::join(expected, ", ")));
    }
    if (entry.dtype != "F32" && entry.dtype != "BF16") {
      throw Error(fmt::format("{}: tensor '{}' is {}; bitlaw reads models in F32 or BF16",
                              path.string(), part.name, entry.dtype));
    }
  }
  loaded.parameters = model.make_parameters();
  for (const Part& part : parts) {
    widen(file.tensor(part.name),
          loaded.parameters.tensors[part.parameter].rows(part.begin, part.end));
  }
  return loaded;
}

std::string weights_hash(const fs::path& directory) {
  return hash_hex(MappedFile(directory / "model.safetensors").bytes());
}

void require_weights(const fs::path& directory, const std::string& hash) {
  if (hash.empty() || weights_hash(directory) == hash) return;
  throw Error(
      fmt::format("{}: not the weights that the run ended with; the file is damaged or changed, so "
                  "move the run's directory away and repeat the `bitlaw train` that made it",
                  (directory / "model.safetensors").string()));
}

}  // namespace bitlaw
