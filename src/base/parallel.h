// A pool of worker threads that take numbered tasks from one queue. Which worker runs a task is not
// fixed, so a task may depend only on its index. That keeps results the same for any number of
// threads.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bitlaw {

class ThreadPool {
 public:
  // The calling thread counts, so 1 starts none. Error if the machine cannot start that many.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Runs task(index, worker) for index in [0, count), worker in [0, threads()); returns when all
  // are done and rethrows the first exception. Not reentrant.
  void parallel_for(int64_t count, const std::function<void(int64_t index, int worker)>& task);

 private:
  void work(int worker);
  void drain(int worker);
  void stop();

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, idle_;
  const std::function<void(int64_t, int)>* task_ = nullptr;
  int64_t next_ = 0, count_ = 0;
  uint64_t generation_ = 0;
  int busy_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;
};

int hardware_threads();

}  // namespace bitlaw
