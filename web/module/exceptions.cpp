// C++ exceptions for WebAssembly. Debian's libc++abi comes without them. These are the functions that
// clang's -fwasm-exceptions calls, by the Itanium C++ ABI, "Exception Handling". The machine unwinds; a
// landing pad asks _Unwind_CallPersonality which of its handlers takes the exception, if any.
//
// Limits: one thread; no exception specifications; no exceptions of other languages.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <typeinfo>

namespace {

// What lies before a thrown object.
struct Header {
  std::type_info* type;
  void* (*destroy)(void*);  // a destructor returns its argument here
  Header* next;             // of the caught ones, innermost first
  void* adjusted;           // the object as its handler's type
  int handlers;             // that are running
  int references;           // by exception_ptr and handlers
  bool rethrown;
  alignas(16) char unwind[16];  // what the unwinder is given; the object follows
};

Header* caught = nullptr;

void* object_of(Header* header) {
  return header + 1;
}
Header* header_of(void* object) {
  return static_cast<Header*>(object) - 1;
}
Header* header_of_unwind(void* unwind) {
  return reinterpret_cast<Header*>(static_cast<char*>(unwind) - offsetof(Header, unwind));
}

// The virtual functions of libc++abi's type_info objects, in their order.
struct Catcher {
  virtual ~Catcher();
  virtual void noop1() const;
  virtual void noop2() const;
  virtual bool can_catch(const std::type_info* thrown, void*& adjusted) const = 0;
};

class Bytes {
 public:
  explicit Bytes(const uint8_t* at) : at_(at) {}
  uintptr_t unsigned_number() {
    uintptr_t out = 0;
    for (int shift = 0;; shift += 7) {
      const uint8_t byte = *at_++;
      out |= static_cast<uintptr_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return out;
    }
  }
  intptr_t signed_number() {
    uintptr_t out = 0;
    int shift = 0;
    uint8_t byte;
    do {
      byte = *at_++;
      out |= static_cast<uintptr_t>(byte & 0x7f) << shift;
      shift += 7;
    } while (byte & 0x80);
    if ((byte & 0x40) && shift < 32) out |= ~uintptr_t{0} << shift;
    return static_cast<intptr_t>(out);
  }
  uint8_t byte() { return *at_++; }
  const uint8_t* at() const { return at_; }

 private:
  const uint8_t* at_;
};

constexpr uint8_t kOmitted = 0xff;

// The selector of the handler that takes the exception at call site `place` (from 0); 0 = none, but there
// may be clean-up to do. `table`: the function's language-specific data, as the ABI defines it.
int find_handler(const uint8_t* table, int place, Header* header) {
  if (!table) return 0;
  Bytes in(table);
  if (in.byte() != kOmitted) std::abort();  // start of landing pads: never with WebAssembly
  const uint8_t* types = nullptr;
  if (in.byte() != kOmitted) {
    const uintptr_t offset = in.unsigned_number();
    types = in.at() + offset;
  }
  in.byte();  // encoding of call sites: always LEB128
  const uintptr_t length = in.unsigned_number();
  const uint8_t* const actions = in.at() + length;
  for (int site = 0; in.at() < actions; ++site) {
    in.unsigned_number();  // the landing pad
    const uintptr_t first = in.unsigned_number();
    if (site != place) continue;
    if (first == 0) return 0;
    for (const uint8_t* action = actions + first - 1;;) {
      Bytes entry(action);
      const intptr_t selector = entry.signed_number();
      const uint8_t* const link = entry.at();
      const intptr_t next = entry.signed_number();
      if (selector > 0) {
        const std::type_info* type;
        std::memcpy(&type, types - 4 * selector, sizeof(type));
        void* adjusted = object_of(header);
        if (!type || reinterpret_cast<const Catcher*>(type)->can_catch(header->type, adjusted)) {
          header->adjusted = adjusted;
          return static_cast<int>(selector);
        }
      }
      if (next == 0) return 0;
      action = link + next;
    }
  }
  return 0;
}

[[noreturn]] void raise(Header* header) {
  __builtin_wasm_throw(0, header->unwind);
}

void release(Header* header) {
  if (header->destroy) header->destroy(object_of(header));
  std::free(header);
}

}  // namespace

// The tag that all C++ exceptions have.
asm(R"(
  .globl __cpp_exception
  .tagtype __cpp_exception i32
__cpp_exception:
)");

extern "C" {

// Landing pads fill in the first two and read the third.
struct LandingPad {
  uintptr_t place;
  const uint8_t* table;
  uintptr_t selector;
} __wasm_lpad_context;

// The one thread never ends, and neither do its thread_local objects.
int __cxa_thread_atexit(void (*)(void*), void*, void*) {
  return 0;
}

int _Unwind_CallPersonality(void* unwind) {
  Header* const header = header_of_unwind(unwind);
  __wasm_lpad_context.selector =
      find_handler(__wasm_lpad_context.table, static_cast<int>(__wasm_lpad_context.place), header);
  return 0;
}

void* __cxa_allocate_exception(size_t size) {
  void* const memory = std::aligned_alloc(16, (sizeof(Header) + size + 15) / 16 * 16);
  if (!memory) std::abort();
  Header* const header = new (memory) Header{};
  return object_of(header);
}

void __cxa_free_exception(void* object) {
  std::free(header_of(object));
}

[[noreturn]] void __cxa_throw(void* object, std::type_info* type, void* (*destroy)(void*)) {
  Header* const header = header_of(object);
  header->type = type, header->destroy = destroy;
  raise(header);
}

void* __cxa_get_exception_ptr(void* unwind) {
  return header_of_unwind(unwind)->adjusted;
}

void* __cxa_begin_catch(void* unwind) {
  Header* const header = header_of_unwind(unwind);
  ++header->handlers;
  header->rethrown = false;
  if (caught != header) header->next = caught, caught = header;
  return header->adjusted;
}

void __cxa_end_catch() {
  Header* const header = caught;
  if (!header) return;
  if (--header->handlers > 0) return;
  caught = header->next;
  if (!header->rethrown) release(header);
}

[[noreturn]] void __cxa_rethrow() {
  if (!caught) std::terminate();
  caught->rethrown = true;
  raise(caught);
}
}
