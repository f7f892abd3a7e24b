// What the columns of factors (record/factor.h) are called in tables of other programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

// "Val Loss", "val/loss" and "val_loss" are one name.
std::string plain_name(std::string_view name);

// Usual plain names of a factor's column besides its own, or of "seed"; empty if there are none.
const std::vector<std::string>& usual_names(std::string_view factor);

// The factor with this name or usual name, however it is written; "" if there is none.
std::string factor_called(std::string_view name);

}  // namespace bitlaw
