// Subnormal floats cost about a hundred cycles each and do not matter in training. As long as a
// FlushSubnormals exists, its thread reads and writes them as zero (FTZ and DAZ), and so does every
// thread started in the meantime: a new thread inherits the floating-point mode of its creator.
//
// The mode is part of the definition of a run. An engine sets it before it creates its thread pool,
// so that all threads compute the same bits.
#pragma once

namespace bitlaw {

class FlushSubnormals {
 public:
  FlushSubnormals();
  ~FlushSubnormals();  // restores the previous mode
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  unsigned before_;
};

}  // namespace bitlaw
