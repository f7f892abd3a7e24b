#include "table/column_list.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/text.h"
#include "record/factor.h"
#include "record/factor_names.h"
#include "record/tidy_row.h"
#include "table/column_names.h"
#include "table/columns.h"

namespace bitlaw {

const char* const kParameterCounts =
    "params n_params num_params parameters n_parameters num_parameters param_count "
    "parameter_count model_params model_parameters";

namespace {

constexpr TableColumn kColumns[] = {
    {"N", "parameters without embeddings",
     "non_embedding_parameters non_embedding_params nonembedding_parameters nonembedding_params "
     "n_non_embedding n_nonembedding n_noembed n_non_emb n_nonemb params_non_embedding "
     "num_non_embedding_params params_wo_embeddings parameters_without_embeddings",
     "params n_params num_params parameters n_parameters num_parameters param_count "
     "parameter_count model_params model_parameters model_size n",
     "param size", true},
    {"D", "training tokens",
     "tokens n_tokens num_tokens training_tokens train_tokens total_tokens tokens_seen "
     "num_training_tokens num_train_tokens token_count d_tokens tokens_trained trained_tokens",
     "d", "token", true},
    {"C", "training compute in FLOPs, 6 N D",
     "training_flop training_flops train_flops total_flops compute_flops", "compute flop flops c",
     "flop compute", true},
    {"loss", "loss in nats per token",
     "val_loss validation_loss valid_loss eval_loss test_loss final_val_loss "
     "final_validation_loss final_eval_loss loss_val val_nll loss_nats",
     "final_loss nll cross_entropy ce_loss ce train_loss training_loss final_train_loss l",
     "loss nll entropy", true},
    {"perplexity", "perplexity, whose logarithm is the loss",
     "ppl val_ppl val_perplexity valid_ppl eval_ppl eval_perplexity test_ppl", "", "ppl perplexity",
     false},
    {"N_total", "parameters with embeddings",
     "total_params params_total total_parameters parameters_total num_total_params n_all "
     "params_with_embeddings n_with_embeddings",
     "", "total", true},
    {"unique_tokens", "distinct training tokens",
     "unique_d d_unique u_d n_unique_tokens num_unique_tokens tokens_unique unique_training_tokens",
     "", "unique", true},
    {"epochs", "passes over the distinct tokens", "n_epochs num_epochs", "", "epoch", false},
    {"delta", "loss difference of quantization after training",
     "delta_loss loss_delta delta_nll delta_ptq ptq_delta delta_nats", "", "delta", true},
    {"P_post", "weight bits after training",
     "post_bits bits_post ptq_bits p_post p_ptq bpw bits_per_weight", "", "bits bpw", false},
    {"P_w", "weight bits",
     "w_bits wbits bits_w p_w weight_bits weights_bits bits_weight bits_weights weight_precision "
     "p_weights wbit w_bit weight_bit",
     "", "bits", false},
    {"P_a", "activation bits",
     "a_bits abits bits_a p_a act_bits activation_bits activations_bits bits_activation "
     "bits_activations activation_precision p_activations abit a_bit act_bit activation_bit",
     "", "bits", false},
    {"P_kv", "key and value bits",
     "kv_bits kvbits bits_kv p_kv kv_cache_bits kvcache_bits bits_kv_cache kv_precision kvbit "
     "kv_bit",
     "", "bits", false},
    {"P_k", "key bits, where keys and values differ",
     "k_bits kbits bits_k p_k key_bits keys_bits bits_keys", "", "bits", false},
    {"P_v", "value bits, where keys and values differ",
     "v_bits vbits bits_v p_v value_bits values_bits bits_values", "", "bits", false},
    {"P_emb", "bits of the embedding table",
     "emb_bits bits_emb p_emb embedding_bits embeddings_bits bits_embedding p_embedding", "",
     "bits", false},
    {"P_head", "bits of the output head",
     "head_bits bits_head p_head lm_head_bits output_head_bits unembedding_bits", "", "bits",
     false},
    {"P", "bits of every part",
     "bits n_bits num_bits bitwidth bit_width bits_all precision_bits p_bits nbits nbit n_bit", "",
     "bits", false},
    {"format", "number format of every part", "number_format dtype_quant quant_format", "",
     "format", false},
    {"format_w", "number format of the weights",
     "w_format weight_format weights_format format_weights", "", "format", false},
    {"format_a", "number format of the activations",
     "a_format act_format activation_format activations_format format_activations", "", "format",
     false},
    {"format_kv", "number format of keys and values", "kv_format kv_cache_format", "", "format",
     false},
    {"precision", "precision class of the forward pass",
     "p_class precision_class quant_class forward forward_quantizer forward_precision fwd",
     "fwd_quant fwd_precision", "precision class forward", false},
    {"backward", "precision class of the backward pass",
     "backward_quantizer backward_precision backward_class bwd", "bwd_quant bwd_precision",
     "backward bwd", false},
    {"training_group", "entries that share a scale in training", "quant_group_size", "",
     "group block", false},
    {"gaussian_error_w", "mean squared error of the weights' format on a unit Gaussian",
     "gmse_w gmse_weights", "", "gmse gaussian", false},
    {"gaussian_error_a", "mean squared error of the activations' format on a unit Gaussian",
     "gmse_a gmse_activations", "", "gmse gaussian", false},
    {"gaussian_error_kv", "mean squared error of the keys' and values' format on a unit Gaussian",
     "gmse_kv", "", "gmse gaussian", false},
    {"qat_share", "best share of the tokens to train with quantization",
     "qat_fraction qat_frac best_qat_fraction optimal_qat_fraction optimal_qat_share", "", "qat",
     false},
    {"loss_standard_error", "standard error of the loss",
     "loss_se loss_stderr loss_std_err loss_sem se_loss val_loss_se val_loss_stderr", "",
     "error stderr", true},
    {"loss_low", "lower end of the loss's 95 % interval", "", "", "lo95 low", false},
    {"loss_high", "upper end of the loss's 95 % interval", "", "", "hi95 high", false},
    {"standard_error", "standard error of delta",
     "delta_se delta_stderr delta_standard_error se "
     "stderr std_err",
     "", "error stderr", true},
    {"method", "method of quantization after training", "ptq_method quant_method", "", "method",
     false},
    {"group", "weights that share a scale after training", "ptq_group ptq_group_size", "", "group",
     false},
    {"format_a_post", "number format of the activations after training, if different from training",
     "", "", "", false},
    {"format_kv_post",
     "number format of keys and values after training, if different from training", "", "", "",
     false},
    {"run", "cluster", "run_id run_name trunk", "", "run", false},
    {"step", "step of a row of a learning curve",
     "step global_step train_step training_step current_step optimizer_step", "iteration iter", "",
     false},
    {"status", "finished, or diverged",
     "state run_status run_state job_status job_state trial_status training_status sys_state", "",
     "status state", false},
    {"finished", "whether the run came to its end",
     "is_finished completed is_completed is_complete done is_done succeeded success is_success "
     "successful is_successful",
     "", "", false},
    {"failed", "whether the run crashed, diverged or was killed",
     "is_failed sys_failed crashed is_crashed diverged is_diverged has_diverged killed is_killed "
     "is_nan oom",
     "exit_code exitcode exit_status return_code returncode error_message exception traceback "
     "failure_reason error",
     "", false},
    {"unstable", "1: too few bits of activations or KV for training", "", "", "", false},
    {"tuning", "1: a run of tuning, left out of fits", "", "", "", false},
};

bool is_called(const std::string& plain, const TableColumn& column) {
  if (plain == plain_name(column.name)) return true;
  for (const char* names : {column.usual, column.too}) {
    const std::vector<std::string> usual = split(names, ' ');
    if (std::find(usual.begin(), usual.end(), plain) != usual.end()) return true;
  }
  return false;
}

}  // namespace

std::span<const TableColumn> table_columns() {
  return kColumns;
}

// Factors have no entry of their own.
TableColumn column_named(const std::string& name) {
  const auto* const found =
      std::find_if(std::begin(kColumns), std::end(kColumns),
                   [&](const TableColumn& each) { return each.name == name; });
  if (found != std::end(kColumns)) return *found;
  for (const TidyColumn& column : tidy_columns()) {
    if (column.name == name) return {column.name, column.help, "", "", "", false};
  }
  if (const Factor* factor = find_factor(name))
    return {factor->name, "a factor", "", "", "", false};
  throw Error("no column is called " + name);
}

std::vector<std::string> known_columns() {
  std::vector<std::string> names;
  for (const TableColumn& column : kColumns) names.emplace_back(column.name);
  for (std::string& name : factor_column_names()) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

bool is_called_one_of(std::string_view name, std::initializer_list<std::string_view> columns) {
  const std::string plain = plain_name(name);
  return std::any_of(columns.begin(), columns.end(), [&](std::string_view column) {
    return is_called(plain, column_named(std::string(column)));
  });
}

bool is_usual_name(std::string_view name) {
  const std::string plain = plain_name(name);
  return std::any_of(std::begin(kColumns), std::end(kColumns),
                     [&](const TableColumn& column) { return is_called(plain, column); });
}

std::vector<ColumnNames> column_names() {
  std::vector<ColumnNames> out;
  for (const TableColumn& column : kColumns) {
    ColumnNames& names = out.emplace_back(ColumnNames{column.name, split(column.usual, ' ')});
    for (std::string& name : split(column.too, ' ')) names.usual.push_back(std::move(name));
  }
  for (const std::string& name : factor_column_names()) out.push_back({name, usual_names(name)});
  return out;
}

}  // namespace bitlaw
