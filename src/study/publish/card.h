// The pages of a publication: the data card for people, and its metadata for machines.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "publish/tables.h"

namespace bitlaw {

// With nothing left empty.
struct Card {
  std::string name, title, description, license, url, version, date;
  std::vector<std::string> authors;
};
Card card_of(const PublishOptions& options, const std::vector<PublishedTable>& tables);

// README.md. Text of `before` above the line kGeneratedFrom is kept.
std::string readme(const Card& card, const std::vector<PublishedTable>& tables,
                   const std::vector<PublishedFile>& files, const std::vector<CorpusPart>& text,
                   const std::string& before);
inline constexpr const char* kGeneratedFrom = "<!-- bitlaw publish writes what follows -->";

// croissant.json (Croissant 1.0), with every column of every table.
Json croissant(const Card& card, const std::vector<PublishedTable>& tables,
               const std::vector<PublishedFile>& files);

// CITATION.cff (Citation File Format 1.2.0).
std::string citation(const Card& card);

}  // namespace bitlaw
