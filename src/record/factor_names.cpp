#include "record/factor_names.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/text.h"
#include "record/factor.h"

namespace bitlaw {
namespace {

// None of these is a usual name of another column (table/column_list.cpp).
constexpr struct {
  const char* factor;
  const char* usual;
} kUsual[] = {
    // A name of the training text identifies it as well as its hash.
    {"data_hash",
     "dataset data_set dataset_name dataset_hash data data_name corpus corpus_name train_data "
     "train_set train_dataset training_data training_set training_dataset training_corpus "
     "data_path "
     "data_dir dataset_path train_data_path"},
    {"tokenizer",
     "tokeniser tokenizer_name tokenizer_path tokenizer_type tokenizer_model tokenizer_hash"},
    {"vocabulary", "vocab vocab_size vocabulary_size n_vocab"},
    {"validation_hash",
     "val_hash validation_set val_set validation_data val_data val_dataset "
     "validation_dataset eval_set eval_data eval_dataset"},
    {"validation_tokens", "val_tokens eval_tokens n_val_tokens"},
    {"sequence",
     "sequence_length sequence_len seq_len seq_length seqlen seq context context_length "
     "context_len ctx_len n_ctx ctx block_len max_seq_len max_sequence_length max_seq_length"},
    {"architecture", "arch model_type model_family architecture_name model_architecture"},
    {"activation",
     "activation_function activation_fn act_fn hidden_act activation_type nonlinearity "
     "mlp_activation mlp_type ffn_activation"},
    {"normalization",
     "norm norm_type norm_position norm_placement normalization_type layer_norm_type "
     "layernorm_type "
     "normalisation"},
    {"position_encoding",
     "positional_encoding position_embedding positional_embedding pos_encoding pos_emb "
     "position_embedding_type pos_embed"},
    {"tied_head", "tied_embeddings tie_embeddings tied_embedding tie_word_embeddings weight_tying"},
    {"rope_theta", "rope_base"},
    {"norm_epsilon", "norm_eps rms_norm_eps layer_norm_eps layernorm_eps"},
    {"width", "d_model n_embd hidden_size model_width model_dim embed_dim embedding_dim dim"},
    {"layers", "n_layer n_layers num_layers num_hidden_layers depth"},
    {"head_width", "head_dim d_head head_size"},
    {"kv_heads", "n_kv_heads n_kv_head num_kv_heads num_key_value_heads"},
    {"hidden", "d_ff ffn_dim d_ffn intermediate_size ffn_hidden_size mlp_width"},
    {"optimizer", "optimiser optim optimizer_name opt"},
    {"schedule", "lr_schedule lr_scheduler scheduler learning_rate_schedule lr_scheduler_type"},
    {"lr", "learning_rate learningrate base_lr base_learning_rate"},
    {"peak_lr", "max_lr max_learning_rate peak_learning_rate lr_max"},
    // In whatever unit: only whether it is the same counts.
    {"batch_tokens",
     "batch_size batchsize batch bs batch_seqs batch_sequences global_batch_size global_batch "
     "tokens_per_batch tokens_per_step batch_size_tokens"},
    {"steps",
     "n_steps num_steps train_steps training_steps total_steps max_steps iterations "
     "n_iterations num_iterations iters"},
    {"weight_decay", "wd weightdecay"},
    {"warmup", "warmup_steps warmup_ratio warmup_fraction warmup_share warmup_tokens warmup_iters"},
    {"decay", "decay_fraction decay_share decay_ratio decay_steps"},
    {"final_rate", "final_lr min_lr min_learning_rate final_learning_rate"},
    {"betas", "adam_betas adamw_betas optimizer_betas"},
    {"beta1", "beta_1 adam_beta1 b1"},
    {"beta2", "beta_2 adam_beta2 b2"},
    {"epsilon", "eps adam_eps adam_epsilon"},
    {"clip",
     "grad_clip gradient_clip clip_grad clip_norm grad_clip_norm max_grad_norm "
     "gradient_clipping grad_norm_clip"},
    {"dropout",
     "dropout_rate dropout_p dropout_prob resid_dropout residual_dropout hidden_dropout "
     "p_dropout"},
    {"label_smoothing", "label_smoothing_factor smoothing"},
    {"z_loss", "z_loss_weight z_loss_coefficient z_loss_coef zloss"},
    {"calibration_tokens", "calib_tokens n_calibration_tokens calibration_size n_calib_tokens"},
    {"first_damping", "damp_percent percdamp dampening"},
    {"seed", "random_seed rng_seed run_seed train_seed training_seed"},
};

using Names = std::vector<std::string>;

}  // namespace

std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter)) {
      plain += static_cast<char>(std::tolower(letter));
    } else if (!plain.empty() && plain.back() != '_') {
      plain += '_';
    }
  }
  while (!plain.empty() && plain.back() == '_') plain.pop_back();
  return plain;
}

const std::vector<std::string>& usual_names(std::string_view factor) {
  static const std::map<std::string, Names, std::less<>> all = [] {
    std::map<std::string, Names, std::less<>> out;
    for (const auto& each : kUsual) out[each.factor] = split(each.usual, ' ');
    return out;
  }();
  static const Names none;
  const auto found = all.find(factor);
  return found == all.end() ? none : found->second;
}

std::string factor_called(std::string_view name) {
  const std::string plain = plain_name(name);
  for (const Factor& factor : factors()) {
    const Names& usual = usual_names(factor.name);
    if (plain == plain_name(factor.name) ||
        std::find(usual.begin(), usual.end(), plain) != usual.end())
      return factor.name;
  }
  return "";
}

}  // namespace bitlaw
