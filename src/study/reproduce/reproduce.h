// The verb `reproduce`: makes a run again from its record, in another directory, and compares.
//
// With the engine and the version of bitlaw that computed the run, all of it must agree to the last
// bit: weights, losses, the order of the data. Elsewhere it is another draw of the same chance
// (docs/numerics.md), and its validation loss must be within a bound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_struct.h"

namespace bitlaw {

struct ReproduceOptions {
  std::string what;         // directory of a run, or TABLE.csv:ROW with rows from 1
  std::string runs{};       // of a table: the directory of its runs; empty: where the table is
  std::string data{};       // of the data set; empty: where the run found it
  std::string directory{};  // where the new run is kept, below its name; empty: nowhere
  double within = 0;        // bound in nats; 0: by the bits of the recipe
  int64_t threads = 0;      // 0: all that the machine has
  bool quiet = false;       // no progress

  template <class V>
  void visit(V& v) {
    v("runs", runs, "for TABLE.csv:ROW: directory of its runs; empty = where the table is");
    v("data", data, "directory of the data set; empty = where the run found it");
    v("directory", directory, "keep the new run below this directory; empty = it is removed");
    v("within", within,
      "bound in nats on the validation loss where bits cannot agree; 0 = .08, or .01 from 16 bits "
      "on");
    v("threads", threads, "threads; 0 for all");
    v("quiet", quiet, "show no progress on standard error");
  }
};

// A number of the record, and what it is now.
struct ReproducedNumber {
  std::string name;
  double recorded = kNoNumber, again = kNoNumber;

  template <class V>
  void visit(V& v) {
    v("name", name);
    v("recorded", recorded);
    v("again", again);
  }
};

struct Reproduction {
  std::string run;
  // What computed the run, and what computes here.
  std::vector<std::string> engines;
  std::string engine;
  // Every bit had to agree; otherwise `why_not` says why not, and the loss had to be within `bound`.
  bool exact = false;
  std::string why_not;
  double bound_nats = 0;
  // Stopped by a signal, before there was anything to compare.
  bool interrupted = false;
  bool reproduced = false;
  // What differs, in words.
  std::vector<std::string> differences;
  std::vector<ReproducedNumber> numbers;
  std::string weights_hash, weights_hash_again;
  // Of the training that was repeated.
  double flops = 0, seconds = 0;

  template <class V>
  void visit(V& v) {
    v("run", run);
    v("engines", engines);
    v("engine", engine);
    v("exact", exact);
    v.known("why_not", why_not);
    v("bound_nats", bound_nats);
    v("interrupted", interrupted);
    v("reproduced", reproduced);
    v("differences", differences);
    v("numbers", numbers);
    v.known("weights_hash", weights_hash);
    v.known("weights_hash_again", weights_hash_again);
    v("flops", flops);
    v("seconds", seconds);
  }
};

// What would be made again, without making it: .run, .engines, .exact, .flops are filled in. Errors
// as below.
Reproduction plan_reproduction(const ReproduceOptions& options);

// Error for what is not a finished run (or one that diverged), a row that is not of a run, a data set
// that is not the run's, and a configuration that this version of bitlaw would not train as it was.
Reproduction reproduce(const ReproduceOptions& options);

}  // namespace bitlaw
