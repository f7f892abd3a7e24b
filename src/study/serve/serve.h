// The verb `serve`: a live view of directories of runs in the browser (docs/live.md). It only reads.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "serve/door.h"
#include "serve/routes.h"

namespace bitlaw {

inline constexpr int kUsualPort = 7411;

struct ServeOptions {
  // Directories of runs, or folders of such.
  std::vector<std::filesystem::path> runs;
  std::string listen = "127.0.0.1";
  int port = kUsualPort;  // 0: any
  // Who has it may look; "" on loopback: anybody on this machine. Elsewhere one is made if it is "".
  std::string token;
  std::string law;  // to fit; empty: the usual one of the table
  LivePages pages;
  DoorLimits limits{};
  double look_seconds = 1;  // between looks, while somebody is there
};

class LiveServer {
 public:
  // Listens, has looked once, and answers from now on. Error for a directory or an address.
  explicit LiveServer(ServeOptions options);
  ~LiveServer();

  int port() const;
  std::string address() const;  // "http://127.0.0.1:7411"
  const std::string& token() const;
  size_t viewers() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bitlaw
