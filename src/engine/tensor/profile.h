// Where a worker's time goes, op by op. An op called with a Context whose `profile` is set adds its
// processor time, arithmetic and least memory traffic; without one, it costs a pointer test.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace bitlaw {

class Profile {
 public:
  struct Entry {
    const char* op;  // a literal; entries are distinguished by its text
    int64_t calls = 0;
    double seconds = 0;  // of this thread's processor time
    double flops = 0;    // products only: 2 M N K
    double bytes = 0;    // operands read and results written, once each
  };
  Entry& at(const char* op);
  const std::vector<Entry>& entries() const { return entries_; }
  void clear() { entries_.clear(); }

 private:
  std::vector<Entry> entries_;
};

// Times its scope.
class Timed {
 public:
  Timed(Profile* profile, const char* op, double flops, double bytes)
      : profile_(profile), op_(op), flops_(flops), bytes_(bytes) {
    if (profile_ != nullptr) begin_ = thread_seconds();
  }
  ~Timed() {
    if (profile_ != nullptr) finish();
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  static double thread_seconds();
  void finish();

  Profile* profile_;
  const char* op_;
  double flops_, bytes_, begin_ = 0;
};

// Total bytes of tensors; undefined ones count 0.
template <class... Tensors>
double bytes_of(const Tensors&... tensors) {
  return (0.0 + ... + (tensors.defined() ? static_cast<double>(tensors.bytes()) : 0.0));
}

}  // namespace bitlaw
