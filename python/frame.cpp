// A table of named columns as an Arrow stream of one batch: how a Frame becomes a data frame of another
// library (https://arrow.apache.org/docs/format/CStreamInterface.html).
//
// Values are copied once. Whoever takes the stream owns what is in it: each array frees its own buffers,
// so that a column can be moved out and outlive the others.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "arrow_interface.h"
#include "base/error.h"
#include "bindings.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

constexpr int64_t kNullable = 2;  // ARROW_FLAG_NULLABLE

struct FrameColumn {
  std::string name;
  std::string format;                       // as Arrow writes types: g, l, b or U
  std::vector<std::vector<uint8_t>> parts;  // bits of what is there (empty: all), then the values
  int64_t nulls = 0;
};

struct FrameColumns {
  std::vector<FrameColumn> columns;
  int64_t rows = 0;
};

// The children of an ArrowArray or ArrowSchema; those that were moved out have no release.
template <class Struct>
struct Children {
  std::vector<Struct> structs;
  std::vector<Struct*> pointers;

  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  ~Children() {
    for (Struct& child : structs) {
      if (child.release) child.release(&child);
    }
  }
  // Once all are there.
  void point() {
    for (Struct& child : structs) pointers.push_back(&child);
  }
};

struct ArrayMemory {
  std::vector<std::vector<uint8_t>> parts;
  std::vector<const void*> buffers;
  Children<ArrowArray> children;
};

struct SchemaMemory {
  std::string format, name;
  Children<ArrowSchema> children;
};

template <class Struct, class Memory>
void release(Struct* released) {
  delete static_cast<Memory*>(released->private_data);
  released->release = nullptr;
}

void give_schema(ArrowSchema& out, std::unique_ptr<SchemaMemory> memory) {
  memory->children.point();
  out = ArrowSchema{};
  out.format = memory->format.c_str();
  out.name = memory->name.c_str();
  out.flags = kNullable;
  out.n_children = static_cast<int64_t>(memory->children.structs.size());
  out.children = memory->children.pointers.data();
  out.release = release<ArrowSchema, SchemaMemory>;
  out.private_data = memory.release();
}

void give_array(ArrowArray& out, int64_t rows, int64_t nulls, std::unique_ptr<ArrayMemory> memory) {
  for (const auto& part : memory->parts)
    memory->buffers.push_back(part.empty() ? nullptr : part.data());
  memory->children.point();
  out = ArrowArray{};
  out.length = rows;
  out.null_count = nulls;
  out.n_buffers = static_cast<int64_t>(memory->buffers.size());
  out.buffers = memory->buffers.data();
  out.n_children = static_cast<int64_t>(memory->children.structs.size());
  out.children = memory->children.pointers.data();
  out.release = release<ArrowArray, ArrayMemory>;
  out.private_data = memory.release();
}

struct StreamMemory {
  FrameColumns frame;
  bool read = false;
};

StreamMemory& memory_of(ArrowArrayStream* stream) {
  return *static_cast<StreamMemory*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  try {
    auto whole = std::make_unique<SchemaMemory>();
    whole->format = "+s";
    for (const FrameColumn& column : memory_of(stream).frame.columns) {
      auto memory = std::make_unique<SchemaMemory>();
      memory->format = column.format;
      memory->name = column.name;
      give_schema(whole->children.structs.emplace_back(), std::move(memory));
    }
    give_schema(*out, std::move(whole));
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

// Rows once, then the end.
int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  StreamMemory& from = memory_of(stream);
  *out = ArrowArray{};
  if (std::exchange(from.read, true)) return 0;
  try {
    auto whole = std::make_unique<ArrayMemory>();
    whole->parts.resize(1);
    for (FrameColumn& column : from.frame.columns) {
      auto memory = std::make_unique<ArrayMemory>();
      memory->parts = std::move(column.parts);
      give_array(whole->children.structs.emplace_back(), from.frame.rows, column.nulls,
                 std::move(memory));
    }
    give_array(*out, from.frame.rows, 0, std::move(whole));
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

const char* get_last_error(ArrowArrayStream*) {
  return nullptr;
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<StreamMemory*>(stream->private_data);
  stream->release = nullptr;
}

std::vector<uint8_t> bytes_of(const void* data, size_t count) {
  const auto begin = static_cast<const uint8_t*>(data);
  return {begin, begin + count};
}

std::vector<uint8_t> bits_of(const uint8_t* flags, size_t rows) {
  std::vector<uint8_t> bits((rows + 7) / 8);
  for (size_t i = 0; i < rows; ++i) bits[i / 8] |= static_cast<uint8_t>((flags[i] != 0) << (i % 8));
  return bits;
}

using Flags = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Wholes = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

const uint8_t* bytes(const Flags& flags) {
  return reinterpret_cast<const uint8_t*>(flags.data());
}

// Texts as offsets and characters; what is missing has no characters.
void put_texts(const nb::list& texts, FrameColumn& column) {
  std::vector<int64_t> offsets{0};
  std::vector<uint8_t> characters;
  for (const nb::handle text : texts) {
    if (!text.is_none()) {
      Py_ssize_t size = 0;
      const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
      if (utf8 == nullptr) throw nb::python_error();
      characters.insert(characters.end(), utf8, utf8 + size);
    }
    offsets.push_back(static_cast<int64_t>(characters.size()));
  }
  column.parts.push_back(bytes_of(offsets.data(), offsets.size() * sizeof(int64_t)));
  column.parts.push_back(std::move(characters));
}

// (name, which rows have a value or None, values): an array of float64, int64 or bool, or a list of texts.
FrameColumn column_of(const nb::tuple& given, size_t rows) {
  FrameColumn column;
  column.name = nb::cast<std::string>(given[0]);
  column.parts.emplace_back();
  if (!given[1].is_none()) {
    const auto there = nb::cast<Flags>(given[1]);
    BITLAW_CHECK(there.size() == rows);
    for (size_t i = 0; i < rows; ++i) column.nulls += bytes(there)[i] == 0;
    if (column.nulls > 0) column.parts[0] = bits_of(bytes(there), rows);
  }
  Reals reals;
  Wholes wholes;
  Flags flags;
  if (nb::isinstance<nb::list>(given[2])) {
    column.format = "U";
    put_texts(nb::cast<nb::list>(given[2]), column);
  } else if (nb::try_cast(given[2], reals, false)) {
    column.format = "g";
    BITLAW_CHECK(reals.size() == rows);
    column.parts.push_back(bytes_of(reals.data(), rows * sizeof(double)));
  } else if (nb::try_cast(given[2], wholes, false)) {
    column.format = "l";
    BITLAW_CHECK(wholes.size() == rows);
    column.parts.push_back(bytes_of(wholes.data(), rows * sizeof(int64_t)));
  } else {
    flags = nb::cast<Flags>(given[2]);
    column.format = "b";
    BITLAW_CHECK(flags.size() == rows);
    column.parts.push_back(bits_of(bytes(flags), rows));
  }
  return column;
}

void end_capsule(PyObject* capsule) {
  const auto stream =
      static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, "arrow_array_stream"));
  if (stream == nullptr) return PyErr_Clear();
  if (stream->release) stream->release(stream);
  delete stream;
}

nb::object stream_of(const nb::list& columns, size_t rows) {
  auto memory = std::make_unique<StreamMemory>();
  memory->frame.rows = static_cast<int64_t>(rows);
  for (const nb::handle column : columns)
    memory->frame.columns.push_back(column_of(nb::cast<nb::tuple>(column), rows));
  auto stream = std::make_unique<ArrowArrayStream>();
  *stream = {get_schema, get_next, get_last_error, release_stream, memory.get()};
  PyObject* capsule = PyCapsule_New(stream.get(), "arrow_array_stream", end_capsule);
  if (capsule == nullptr) throw nb::python_error();
  stream.release();
  memory.release();
  return nb::steal(capsule);
}

}  // namespace

void bind_frame(nb::module_& module) {
  module.def("stream_of", &stream_of, nb::arg("columns"), nb::arg("rows"),
             "Columns (name, which values are there or None, values) as an Arrow stream.");
}

}  // namespace bitlaw
