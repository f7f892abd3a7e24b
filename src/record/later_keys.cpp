#include "record/later_keys.h"

#include <vector>

namespace bitlaw {
namespace {

struct LaterKey {
  const char* section;
  const char* key;
  Json neutral;
};

const std::vector<LaterKey>& later_keys() {
  static const std::vector<LaterKey> keys{
      {"optimizer", "batch_power", 0},
      {"schedule", "warmup_steps", 0},
      {"schedule", "decay_shape", "linear"},
  };
  return keys;
}

// Null if there is no such section.
Json* section_of(Json& config, const char* name) {
  const auto found = config.find(name);
  return found != config.end() && found->is_object() ? &*found : nullptr;
}

}  // namespace

void add_later_keys(Json& config) {
  for (const LaterKey& later : later_keys()) {
    Json* section = section_of(config, later.section);
    if (section != nullptr && !section->contains(later.key)) (*section)[later.key] = later.neutral;
  }
}

void remove_later_keys(Json& config) {
  for (const LaterKey& later : later_keys()) {
    Json* section = section_of(config, later.section);
    if (section == nullptr) continue;
    const auto found = section->find(later.key);
    if (found != section->end() && *found == later.neutral) section->erase(later.key);
  }
}

}  // namespace bitlaw
