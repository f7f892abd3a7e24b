// English text to train on, from documentation packages of Debian: nothing but a package mirror is
// needed. One file of documents per package, one paragraph of prose per line of a document;
// paragraphs that occurred before, in this package or in another, are left out.
//
// The licences of the packages are mixed: the text is for use where it is made, and is not to be
// handed on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bitlaw {

struct CorpusConfig {
  std::filesystem::path to;  // a folder
  int64_t bytes = 0;         // of text: whole packages are taken until there is so much
  int threads = 0;           // 0: all
};

// The text of one package.
struct CorpusPart {
  std::string name;     // in the list of packages
  std::string package;  // the file it came from, with its version
  int64_t bytes = 0, documents = 0, paragraphs = 0;
  int64_t repeated = 0;               // paragraphs of prose that occurred before
  std::string hash;                   // of the file of documents
  std::vector<std::string> licenses;  // by the package's copyright file; empty if that is prose

  template <class V>
  void visit(V& v) {
    v("name", name);
    v("package", package);
    v("bytes", bytes);
    v("documents", documents);
    v("paragraphs", paragraphs);
    v("repeated", repeated);
    v("hash", hash);
    v.known("licenses", licenses);
  }
};

struct Corpus {
  std::vector<CorpusPart> parts;         // in their order
  std::vector<std::string> files;        // theirs: TO/NAME.jsonl
  std::vector<std::string> unreachable;  // "NAME: why"
  int64_t bytes() const;
};

using CorpusProgress = std::function<void(int64_t bytes, const std::string& note)>;

// Error for a size that make_corpus refuses.
void require_size(const CorpusConfig& config);

// Makes what is missing; a part that is there is kept, so a stopped call goes on. Error for more
// bytes than the listed packages have, for a system without apt-get, if nothing can be fetched, and
// for a full disk; Busy if another process is making text in the folder; finished parts stay.
Corpus make_corpus(const CorpusConfig& config, const CorpusProgress& progress = {});

// The parts that a folder's list names; none if they were made by other rules than the present ones.
// Error if there is no list, or if it is damaged.
std::vector<CorpusPart> read_corpus_list(const std::filesystem::path& text);

}  // namespace bitlaw
