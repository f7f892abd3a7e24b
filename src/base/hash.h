// Content addresses: XXH3 with 128 bits, as 32 hexadecimal digits (not cryptographic).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace bitlaw {

std::string hash_hex(std::string_view bytes);

class Hasher {  // the same, incrementally
 public:
  Hasher();
  ~Hasher();
  void update(std::string_view bytes);
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace bitlaw
