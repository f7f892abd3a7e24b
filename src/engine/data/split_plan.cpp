#include "data/split_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <unordered_set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace bitlaw {
namespace {

// A group of documents; it belongs to the source of its first.
struct Group {
  size_t source = 0;
  int64_t bytes = 0;
};

using Groups = std::map<std::string_view, Group>;  // in the order of the hashes
using Chosen = std::unordered_set<std::string_view>;

// In each source, groups are taken whole, in the order of their hashes, until validation has its
// fraction of the bytes of this source and those before it, the smallest first: what one group is
// too much, the next sources have less of. At least one group is left.
Chosen by_source(const SplitPlan& plan, const Groups& groups, double fraction) {
  std::vector<std::vector<std::pair<std::string_view, int64_t>>> sources(plan.sources.size());
  for (const auto& [hash, group] : groups) sources[group.source].emplace_back(hash, group.bytes);
  Chosen chosen;
  double passed = 0, taken = 0;
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    for (const auto& [hash, bytes] : *source) passed += static_cast<double>(bytes);
    for (const auto& [hash, bytes] : *source) {
      if (taken >= fraction * passed || chosen.size() + 1 == groups.size()) break;
      chosen.insert(hash);
      taken += static_cast<double>(bytes);
    }
  }
  return chosen;
}

// Of few groups the set whose bytes are nearest; of equally near ones that with the larger hashes.
Chosen nearest_set(const Groups& groups, double wanted) {
  std::vector<std::pair<std::string_view, double>> list;
  for (const auto& [hash, group] : groups)
    list.emplace_back(hash, static_cast<double>(group.bytes));
  const uint32_t all = (uint32_t{1} << list.size()) - 1;
  uint32_t best = 0;
  double least = INFINITY;
  for (uint32_t set = 1; set < all; ++set) {
    double bytes = 0;
    for (size_t i = 0; i < list.size(); ++i) bytes += (set >> i & 1) != 0 ? list[i].second : 0;
    if (std::abs(bytes - wanted) > least) continue;
    least = std::abs(bytes - wanted);
    best = set;
  }
  Chosen chosen;
  for (size_t i = 0; i < list.size(); ++i) {
    if ((best >> i & 1) != 0) chosen.insert(list[i].first);
  }
  return chosen;
}

// kFewDocumentsRule: at least one group on either side.
Chosen by_size(const Groups& groups, double wanted) {
  constexpr size_t kFew = 16;
  if (groups.size() <= kFew) return nearest_set(groups, wanted);
  Chosen chosen;
  double taken = 0;
  for (const auto& [hash, group] : groups) {
    const auto bytes = static_cast<double>(group.bytes);
    if (taken + bytes > wanted || chosen.size() + 1 == groups.size()) continue;
    chosen.insert(hash);
    taken += bytes;
  }
  if (chosen.size() + 1 == groups.size()) return chosen;
  const std::pair<const std::string_view, Group>* smallest = nullptr;
  for (const auto& entry : groups) {
    if (chosen.contains(entry.first)) continue;
    if (smallest == nullptr || entry.second.bytes < smallest->second.bytes) smallest = &entry;
  }
  const double more = taken + static_cast<double>(smallest->second.bytes);
  if (chosen.empty() || more - wanted < wanted - taken) chosen.insert(smallest->first);
  return chosen;
}

double bytes_of(const Groups& groups, const Chosen& chosen) {
  double bytes = 0;
  for (const std::string_view hash : chosen) bytes += static_cast<double>(groups.at(hash).bytes);
  return bytes;
}

// The validation side.
void choose_validation(SplitPlan& plan, double fraction) {
  Groups groups;
  double total = 0;
  for (const Entry& entry : plan.entries) {
    if (entry.duplicate) continue;
    groups.try_emplace(entry.group, Group{entry.source, 0}).first->second.bytes += entry.bytes;
    total += static_cast<double>(entry.bytes);
  }
  if (groups.size() < 2) {
    throw Error(fmt::format(
        "the text has {} distinct document{}, but training and validation need one each; add "
        "documents "
        "(a .txt file is one, a line of JSONL is one, a .txt above {} is cut at blank lines)",
        groups.size(), groups.size() == 1 ? "" : "s", format_bytes(kWholeTextBytes)));
  }
  const double wanted = fraction * total;
  const auto off = [&](const Chosen& some) { return std::abs(bytes_of(groups, some) - wanted); };
  Chosen chosen = by_source(plan, groups, fraction);
  if (off(chosen) > kMostOff * wanted) {
    Chosen other = by_size(groups, wanted);
    if (off(other) < off(chosen)) {
      chosen = std::move(other);
      plan.rule = kFewDocumentsRule;
    }
  }
  for (Entry& entry : plan.entries) entry.validation = chosen.contains(entry.group);
}

// Sorts the sources by size, and puts the smallest of too many together.
void order_sources(SplitPlan& plan) {
  std::vector<int64_t> bytes(plan.sources.size(), 0);
  for (const Entry& entry : plan.entries) bytes[entry.source] += entry.duplicate ? 0 : entry.bytes;
  std::vector<size_t> order(plan.sources.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return bytes[a] != bytes[b] ? bytes[a] > bytes[b] : plan.sources[a] < plan.sources[b];
  });
  std::vector<std::string> names;
  std::vector<size_t> place(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const bool one_of_many = order.size() > kMostSources && i + 1 >= kMostSources;
    if (!one_of_many || names.size() < kMostSources)
      names.push_back(one_of_many ? kOtherSources : plan.sources[order[i]]);
    place[order[i]] = names.size() - 1;
  }
  plan.sources = std::move(names);
  for (Entry& entry : plan.entries) entry.source = place[entry.source];
}

}  // namespace

SplitPlan plan_split(const PrepareConfig& config) {
  SplitPlan plan;
  std::unordered_set<std::string> seen;
  std::map<std::string, size_t> sources;
  Hasher source;
  plan.counts = read_documents(
      config.from,
      [&](Document&& document) {
        const auto [found, first] = sources.try_emplace(document.source, plan.sources.size());
        if (first) plan.sources.push_back(document.source);
        Entry entry{hash_hex(document.text), hash_hex(letters_and_digits(document.text)),
                    static_cast<int64_t>(document.text.size()), found->second};
        source.update(entry.hash);
        entry.duplicate = !seen.insert(entry.hash).second;
        plan.duplicates += entry.duplicate;
        plan.entries.push_back(std::move(entry));
      },
      config.text_key);
  plan.source_hash = source.hex();
  order_sources(plan);
  choose_validation(plan, config.validation_fraction);
  return plan;
}

void reread(const PrepareConfig& config, const SplitPlan& plan,
            const std::function<void(const Entry&, std::string&& text)>& callback) {
  size_t next = 0;
  const auto changed = [] {
    return Error("the text changed while it was being read; run the command again");
  };
  read_documents(
      config.from,
      [&](Document&& document) {
        if (next == plan.entries.size() || plan.entries[next].hash != hash_hex(document.text))
          throw changed();
        const Entry& entry = plan.entries[next++];
        if (!entry.duplicate) callback(entry, std::move(document.text));
      },
      config.text_key);
  if (next != plan.entries.size()) throw changed();
}

}  // namespace bitlaw
