// Counts every allocation of a test program, for tests that require none. Include it in exactly one
// source file: it replaces the program's allocation functions.
//
// oneDNN creates small handles for every product, which are not counted. It must not allocate
// working memory, except without AVX-512, where its routines do.
#pragma once

#include <link.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "ops/context.h"

namespace bitlaw {

// Sanitizers have their own allocators, so only ordinary builds count.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BITLAW_COUNTS_ALLOCATIONS 0
#else
#define BITLAW_COUNTS_ALLOCATIONS 1
#endif
inline constexpr bool kCountsAllocations = BITLAW_COUNTS_ALLOCATIONS;

struct AllocationCount {
  std::atomic<int64_t> count{0}, bytes{0};  // since the program started
};
inline AllocationCount allocations;

// Where a library lies in memory. Found once: to ask for every caller (dladdr) takes a third of a
// training step's time.
struct LibraryPlace {
  const char* name;
  uintptr_t begin = UINTPTR_MAX, end = 0;

  explicit LibraryPlace(const char* library) : name(library) {
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* place) {
          static_cast<LibraryPlace*>(place)->add(*info);
          return 0;
        },
        this);
  }
  void add(const dl_phdr_info& info) {
    if (std::strstr(info.dlpi_name, name) == nullptr) return;
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const auto& segment = info.dlpi_phdr[i];
      if (segment.p_type != PT_LOAD) continue;
      begin = std::min<uintptr_t>(begin, info.dlpi_addr + segment.p_vaddr);
      end = std::max<uintptr_t>(end, info.dlpi_addr + segment.p_vaddr + segment.p_memsz);
    }
  }
  bool holds(const void* address) const {
    const auto place = reinterpret_cast<uintptr_t>(address);
    return begin <= place && place < end;
  }
};

inline void count_allocation(void* caller, size_t bytes) {
  constexpr size_t kHandleBytes = 256;  // the largest that oneDNN makes at a product has 104
  static const LibraryPlace onednn("libdnnl");
  if (onednn.holds(caller) && (bytes <= kHandleBytes || best_isa() != Isa::kAvx512)) return;
  ++allocations.count;
  allocations.bytes += static_cast<int64_t>(bytes);
}

}  // namespace bitlaw

#if BITLAW_COUNTS_ALLOCATIONS
// g++ sees free() meet the memory of new, and not that both are defined here.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t bytes) {
  bitlaw::count_allocation(__builtin_return_address(0), bytes);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
extern "C" void* aligned_alloc(size_t alignment, size_t bytes) {  // tensors and workspaces
  bitlaw::count_allocation(__builtin_return_address(0), bytes);
  return memalign(alignment, bytes);
}
extern "C" int posix_memalign(void** memory, size_t alignment, size_t bytes) {  // oneDNN's own
  bitlaw::count_allocation(__builtin_return_address(0), bytes);
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
#endif
