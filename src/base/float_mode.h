// Subnormal floats cost a hundred cycles each and carry nothing in training. While a
// FlushSubnormals lives, its thread reads and writes them as zero (FTZ and DAZ), and so does every
// thread that is started meanwhile: a new thread begins with the floating-point mode of the one
// that starts it.
//
// The mode is part of the definition of a run: an engine sets it before its thread pool is made, so
// that all of its threads compute the same bits.
#pragma once

namespace bitlaw {

class FlushSubnormals {
 public:
  FlushSubnormals();
  ~FlushSubnormals();  // back to the mode before
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  unsigned before_;
};

}  // namespace bitlaw
