#include "fit/row_settings.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <unordered_map>

namespace bitlaw {
namespace {

constexpr size_t kFewest = 1024;  // rows with which looking pays off
constexpr size_t kShared = 4;     // rows of a setting on average

// All that a formula sees of a row, as bytes.
class Keys {
 public:
  Keys(const Law& law, const Rows& rows)
      : size_(static_cast<size_t>(rows.columns()) * sizeof(double)) {
    const size_t classes = law.class_parameters.size();
    size_ += classes * sizeof(int);
    bytes_.resize(size_ * rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      char* to = bytes_.data() + i * size_;
      for (int input = 0; input < rows.columns(); ++input, to += sizeof(double))
        std::memcpy(to, rows.column(input) + i, sizeof(double));
      for (size_t k = 0; k < classes; ++k, to += sizeof(int))
        std::memcpy(to, rows.positions(static_cast<int>(k)) + i, sizeof(int));
    }
  }
  std::string_view of(size_t row) const { return {bytes_.data() + row * size_, size_}; }

 private:
  size_t size_;
  std::vector<char> bytes_;
};

}  // namespace

RowSettings::RowSettings(const Law& law, const std::vector<Observation>& runs) : rows_(law, runs) {
  if (runs.size() < kFewest) return;
  const Keys keys(law, rows_);
  std::unordered_map<std::string_view, int> known;
  std::vector<Observation> different;
  std::vector<int> setting;
  setting.reserve(rows_.stride());
  for (size_t i = 0; i < runs.size(); ++i) {
    const auto [found, is_new] = known.emplace(keys.of(i), static_cast<int>(different.size()));
    if (is_new) different.push_back(runs[i]);
    if (kShared * different.size() > runs.size()) return;
    setting.push_back(found->second);
  }
  setting.resize(rows_.stride(), setting.back());
  rows_ = Rows(law, different);
  setting_ = std::move(setting);
}

}  // namespace bitlaw
