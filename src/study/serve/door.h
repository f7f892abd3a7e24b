// The sockets of the live view. One thread accepts connections, reads heads of requests as they arrive,
// and sends events to the viewers, so that a slow or silent client holds no thread: a head has some
// seconds, and of too many unfinished ones the oldest go. Whole heads go to a few workers
// (serve/exchange.h). All viewers get the same bytes; one that does not take them is let go.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/descriptor.h"
#include "serve/exchange.h"

namespace bitlaw {

struct DoorLimits {
  int workers = 4;
  size_t unfinished = 128;  // connections without a whole head
  size_t waiting = 128;     // requests for a worker
  size_t viewers = 64;
  double head_seconds = 10;
  size_t viewer_bytes = size_t{4} << 20;  // that a viewer has not taken yet
  double beat_seconds = 15;               // an empty event, which shows who is gone
  ExchangeLimits exchange{};
};

class Door {
 public:
  // Listens; port 0: any. Error if the address is no address of this machine, or the port is taken.
  Door(const std::string& address, int port, DoorLimits limits);
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  int port() const { return port_; }

  // `hello`: what a viewer gets first. Starts the threads.
  void open(Handlers handlers, std::function<std::string()> hello);
  // Closes all connections, also in the middle of an answer.
  void close();

  // To all viewers.
  void send(std::string event);
  size_t viewers() const { return viewers_now_; }

 private:
  struct Arrival {
    int socket;
    std::string bytes;
    double until;
  };
  struct Viewer {
    int socket;
    std::string left;  // to be sent
  };
  struct Work {
    int socket;
    std::string head, rest;
  };

  void watch();
  void accept_all();
  bool read_head(Arrival& arrival);
  void hand_over(int socket, std::string head, std::string rest);
  void work();
  void take_viewers();
  bool give(Viewer& viewer, const std::string& bytes) const;
  void wake() const;

  const DoorLimits limits_;
  Handlers handlers_;
  std::function<std::string()> hello_;
  int port_ = 0;
  Descriptor listening_;
  std::array<int, 2> wake_{-1, -1};  // a pipe: its ends to read and to write

  // Of the watching thread alone.
  std::list<Arrival> arrivals_;
  std::list<Viewer> viewers_;

  std::mutex mutex_;
  std::condition_variable works_;
  std::deque<Work> waiting_;
  std::vector<int> new_viewers_, busy_;  // sockets
  std::vector<std::string> events_;
  std::atomic<bool> closing_ = false;
  std::atomic<size_t> viewers_now_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace bitlaw
