#include "corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "base/hash.h"
#include "base/json_struct.h"
#include "base/parallel.h"
#include "base/range.h"
#include "base/stop.h"
#include "base/text.h"
#include "corpus/apt.h"
#include "corpus/licenses.h"
#include "corpus/package_file.h"
#include "corpus/packages.h"
#include "corpus/paragraphs.h"
#include "data/documents.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListFile = ".corpus.json";
constexpr int kDownloads = 3;  // at once
// Packages in a row whose server does not answer, after a quarter of a minute each: then none will.
constexpr int kSilent = 2;
constexpr size_t kBatchBytes = size_t{8} << 20;

using Keys = std::unordered_set<std::string>;

std::string key_of(const std::string& paragraph) {
  return hash_hex(letters_and_digits(paragraph)).substr(0, 15);  // fits into the string itself
}

struct Paragraph {
  std::string key, text;
};

std::vector<Paragraph> prose_of(const PackedFile& file) {
  std::vector<Paragraph> out;
  if (is_copyright(file.path)) return out;
  const bool pod = fs::path(file.path).extension() == ".pod";
  for (std::string& text : pod ? pod_paragraphs(file.content) : html_paragraphs(file.content)) {
    if (!is_prose(text)) continue;
    std::string key = key_of(text);
    out.push_back({std::move(key), std::move(text)});
  }
  return out;
}

// The text of one package, as it grows.
class PartWriter {
 public:
  PartWriter(CorpusPart& part, Keys& keys) : part_(part), keys_(keys) {}

  // Long pages are cut between paragraphs, so that one can be partly training and partly validation.
  void add(const std::string& path, const std::vector<Paragraph>& paragraphs) {
    std::string document;
    int section = 0;
    size_t left = 0;
    for (const Paragraph& paragraph : paragraphs) left += paragraph.text.size();
    const bool cut = left > kWholeTextBytes;
    for (const Paragraph& paragraph : paragraphs) {
      left -= paragraph.text.size();
      if (!keys_.insert(paragraph.key).second) {
        ++part_.repeated;
        continue;
      }
      ++part_.paragraphs;
      document += (document.empty() ? "" : "\n\n") + paragraph.text;
      if (cut && document.size() >= kSectionBytes && left >= kSectionBytes)
        end_document(path, document, ++section);
    }
    if (!document.empty()) end_document(path, document, section == 0 ? 0 : section + 1);
  }

  const std::string& lines() const { return lines_; }

 private:
  void end_document(const std::string& path, std::string& document, int section) {
    document += '\n';
    ++part_.documents;
    part_.bytes += static_cast<int64_t>(document.size());
    const std::string place = section == 0 ? path : fmt::format("{}#{}", path, section);
    lines_ += dump_json(Json{{"path", place}, {"text", document}}) + "\n";
    document.clear();
  }

  CorpusPart& part_;
  Keys& keys_;
  std::string lines_;
};

std::vector<PackedFile> next_batch(PackageReader& reader) {
  std::vector<PackedFile> batch;
  PackedFile file;
  for (size_t bytes = 0; bytes < kBatchBytes && reader.next(file);) {
    bytes += file.content.size();
    batch.push_back(std::move(file));
  }
  return batch;
}

class CorpusMaker {
 public:
  CorpusMaker(const CorpusConfig& config, const CorpusProgress& progress)
      : config_(config),
        progress_(progress),
        pool_(config.threads > 0 ? config.threads : hardware_threads()),
        finished_(read_list()) {}

  ~CorpusMaker() {
    downloads_.clear();  // waits for those that run
    std::error_code none;
    fs::remove_all(work(), none);
    fs::remove(config_.to / ".packages", none);  // if it is empty
  }
  CorpusMaker(const CorpusMaker&) = delete;
  CorpusMaker& operator=(const CorpusMaker&) = delete;

  Corpus make() {
    const auto packages = documentation_packages();
    for (size_t i = 0; i < packages.size() && corpus_.bytes() < config_.bytes; ++i) {
      if (const CorpusPart* part = finished(packages[i].names.front()))
        take(*part);
      else
        make_part(i);
    }
    if (corpus_.parts.empty()) give_up(corpus_.unreachable.front());
    return std::move(corpus_);
  }

 private:
  fs::path work() const { return config_.to / ".work"; }
  fs::path list_file() const { return config_.to / kListFile; }
  fs::path file_of(const std::string& name) const { return config_.to / (name + ".jsonl"); }

  // The parts that a former call finished, and that are as it left them.
  std::vector<CorpusPart> read_list() const {
    std::error_code none;
    std::vector<CorpusPart> parts;
    if (!fs::exists(list_file(), none)) return parts;
    for (CorpusPart& part : read_corpus_list(config_.to)) {
      if (fs::exists(file_of(part.name), none) &&
          hash_hex(read_file(file_of(part.name))) == part.hash)
        parts.push_back(std::move(part));
    }
    return parts;
  }

  void write_list() const {
    Json parts = Json::array();
    for (const CorpusPart& part : finished_) parts.push_back(struct_to_json(part));
    write_file_atomically(list_file(),
                          dump_json(Json{{"rules", kProseRules}, {"parts", parts}}, 2) + "\n");
  }

  const CorpusPart* finished(const std::string& name) const {
    for (const CorpusPart& part : finished_) {
      if (part.name == name) return &part;
    }
    return nullptr;
  }

  [[noreturn]] static void give_up(const std::string& why) {
    throw Error(fmt::format(
        "apt cannot fetch the documentation packages ({}); check the network and the package "
        "sources and run this again, or give `bitlaw data prepare` a folder of your own text",
        why));
  }

  void take(const CorpusPart& part) {
    corpus_.parts.push_back(part);
    corpus_.files.push_back(file_of(part.name).string());
    report(part.name);
  }

  void report(const std::string& note) const {
    if (progress_) progress_(corpus_.bytes(), note);
  }

  void make_part(size_t index) {
    const std::string& name = documentation_packages()[index].names.front();
    try {
      report("fetching " + name);
      const fs::path package = fetch(index);
      report("reading " + name);
      CorpusPart part = read_or_forget(name, package);
      finished_.push_back(part);
      write_list();
      std::error_code none;
      fs::remove_all(package.parent_path(), none);
      take(part);
      silent_ = 0;
    } catch (const NoConnection& trouble) {
      leave_out(name, trouble);
      if (++silent_ == kSilent) give_up(corpus_.unreachable.back());
    } catch (const Unreachable& trouble) {
      leave_out(name, trouble);
    }
  }

  void leave_out(const std::string& name, const Error& trouble) {
    corpus_.unreachable.push_back(fmt::format("{}: {}", name, trouble.what()));
  }

  // Downloads run ahead of the reading.
  fs::path fetch(size_t index) {
    if (!apt_) apt_.emplace(work());
    const auto packages = documentation_packages();
    downloads_.resize(packages.size());
    double expected = static_cast<double>(corpus_.bytes());
    int ahead = 0;
    for (size_t i = index; i < packages.size() && ahead < kDownloads; ++i) {
      if (i > index && expected >= static_cast<double>(config_.bytes)) break;
      expected += 1e6 * packages[i].megabytes;
      if (finished(packages[i].names.front())) continue;
      ++ahead;
      if (downloads_[i].valid()) continue;
      downloads_[i] = std::async(std::launch::async, [this, names = packages[i].names] {
        return apt_->download(names, config_.to / ".packages" / names.front());
      });
    }
    return downloads_[index].get();
  }

  // A damaged package is fetched again by the next call.
  CorpusPart read_or_forget(const std::string& name, const fs::path& package) {
    try {
      return read_package(name, package);
    } catch (const DamagedPackage&) {
      std::error_code none;
      fs::remove_all(package.parent_path(), none);
      throw;
    }
  }

  CorpusPart read_package(const std::string& name, const fs::path& package) {
    load_keys();
    CorpusPart part{.name = name, .package = package.filename().string()};
    PartWriter writer(part, keys_);
    PackageReader reader(package);
    std::vector<PackedFile> batch = next_batch(reader);
    while (!batch.empty()) {
      auto coming = std::async(std::launch::async, [&] { return next_batch(reader); });
      std::vector<std::vector<Paragraph>> prose(batch.size());
      pool_.parallel_for(static_cast<int64_t>(batch.size()), [&](int64_t i, int) {
        prose[static_cast<size_t>(i)] = prose_of(batch[static_cast<size_t>(i)]);
      });
      for (size_t i = 0; i < batch.size(); ++i) {
        if (is_copyright(batch[i].path))
          part.licenses = licenses_of(batch[i].content);
        else
          writer.add(batch[i].path, prose[i]);
      }
      if (progress_) progress_(corpus_.bytes() + part.bytes, "reading " + name);
      batch = coming.get();
      end_if_stop_requested();
    }
    write_file_atomically(file_of(name), writer.lines());
    part.hash = hash_hex(writer.lines());
    return part;
  }

  // Of all paragraphs in finished parts, once there is a part to make.
  void load_keys() {
    if (keys_loaded_) return;
    keys_loaded_ = true;
    for (const CorpusPart& part : finished_) {
      read_documents({file_of(part.name).string()}, [&](Document&& document) {
        for (std::string& line : split(document.text, '\n')) {
          if (!line.empty()) keys_.insert(key_of(line));
        }
      });
    }
  }

  const CorpusConfig& config_;
  const CorpusProgress& progress_;
  ThreadPool pool_;
  std::vector<CorpusPart> finished_;
  Corpus corpus_;
  int silent_ = 0;  // packages in a row whose server did not answer
  std::optional<Apt> apt_;
  std::vector<std::future<fs::path>> downloads_;  // by the list of packages
  Keys keys_;
  bool keys_loaded_ = false;
};

double listed_megabytes() {
  double sum = 0;
  for (const DocumentationPackage& package : documentation_packages()) sum += package.megabytes;
  return sum;
}

}  // namespace

int64_t Corpus::bytes() const {
  return std::accumulate(parts.begin(), parts.end(), int64_t{0},
                         [](int64_t sum, const CorpusPart& part) { return sum + part.bytes; });
}

std::vector<CorpusPart> read_corpus_list(const fs::path& text) {
  const std::string where = (text / kListFile).string();
  const Json document = parse_json(read_file(where), where);
  const JsonFields fields(document, where);
  std::vector<CorpusPart> parts;
  if (fields.whole("rules") != kProseRules) return parts;
  for (size_t i = 0; i < fields.list("parts").size(); ++i)
    parts.push_back(struct_from_json<CorpusPart>(fields.item("parts", i)));
  return parts;
}

void require_size(const CorpusConfig& config) {
  if (config.bytes < 1) throw Error("the size of the text must be above 0, for example 200MB");
  const double most = 1e6 * listed_megabytes();
  if (static_cast<double>(config.bytes) > most) {
    throw Error(fmt::format(
        "{:.0f} MB of text: the listed packages give {:.0f} MB in all; ask for less, or give "
        "`bitlaw data prepare` text of your own",
        static_cast<double>(config.bytes) / 1e6, most / 1e6));
  }
}

Corpus make_corpus(const CorpusConfig& config, const CorpusProgress& progress) {
  require_range("threads", config.threads, 0, kMostThreads);
  require_size(config);
  check_packages_can_be_read();
  make_directories(config.to);
  FileLock lock;
  if (!lock.take(config.to / ".lock")) {
    throw Busy(fmt::format("{}: another process is making text there; wait until it has ended",
                           config.to.string()));
  }
  return CorpusMaker(config, progress).make();
}

}  // namespace bitlaw
