#include "columns_table.h"

#include <fmt/format.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/names.h"

namespace nb = nanobind;

namespace bitlaw {
namespace {

template <class T>
using Numbers = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

RawField of_double(double value) {
  return std::isnan(value) ? RawField() : RawField(value);
}

// A lone surrogate has no UTF-8.
std::string text_of(const nb::handle& value, const std::string& what) {
  Py_ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text == nullptr) {
    PyErr_Clear();
    throw Error(what + " has text that is not Unicode; correct it or leave it out");
  }
  return {text, static_cast<size_t>(size)};
}

RawField of_object(const nb::handle& value, const std::string& name, size_t row) {
  if (value.is_none()) return {};
  if (PyUnicode_Check(value.ptr()))
    return RawField(text_of(value, fmt::format("row {}, column {}", row + 1, name)));
  if (PyBool_Check(value.ptr())) return RawField(static_cast<int64_t>(value.is(Py_True)));
  if (PyFloat_Check(value.ptr())) return of_double(PyFloat_AsDouble(value.ptr()));
  if (PyLong_Check(value.ptr())) {
    int overflow = 0;
    const long long whole = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow == 0) return RawField(static_cast<int64_t>(whole));
    const double number = PyLong_AsDouble(value.ptr());
    if (!PyErr_Occurred()) return RawField(number);
    PyErr_Clear();
  }
  throw Error(fmt::format("row {}: {}: {} is neither text nor a number", row + 1, name,
                          nb::cast<std::string>(nb::str(nb::type_name(value.type())))));
}

template <class Field>
void add_column(RawTable& table, size_t place, size_t rows, const Field& field) {
  for (size_t row = 0; row < rows; ++row) {
    RawField value = field(row);
    if (!value.empty()) table.rows[row].fields.emplace_back(place, std::move(value));
  }
}

}  // namespace

RawTable table_of_columns(const nb::list& columns) {
  RawTable table;
  table.kind = "frame";
  table.place_is = "row";
  bool first = true;
  for (const nb::handle& each : columns) {
    const auto pair = nb::cast<nb::tuple>(each);
    const auto name = text_of(pair[0], "the name of a column");
    const nb::object values = pair[1];
    if (values.is_none()) {
      table.notes.push_back(fmt::format(
          "the column {} was left out: it has neither numbers nor text", printable(name)));
      continue;
    }
    const size_t count = nb::len(values);
    if (first) {
      table.rows.resize(count);
      for (size_t row = 0; row < count; ++row) table.rows[row].place = static_cast<int>(row) + 1;
    }
    first = false;
    if (count != table.rows.size())
      throw Error(fmt::format("the column {} has {} values, and others have {}", name, count,
                              table.rows.size()));
    if (table.find(name))
      throw Error(fmt::format("the table has two columns with the name {}", name));
    const size_t place = table.column(name);
    Numbers<double> reals;
    Numbers<int64_t> wholes;
    if (nb::isinstance<nb::list>(values)) {
      const auto list = nb::borrow<nb::list>(values);
      add_column(table, place, count, [&](size_t row) { return of_object(list[row], name, row); });
    } else if (nb::try_cast(values, reals, false)) {
      const double* const data = reals.data();
      const nb::gil_scoped_release released;
      add_column(table, place, count, [&](size_t row) { return of_double(data[row]); });
    } else if (nb::try_cast(values, wholes, false)) {
      const int64_t* const data = wholes.data();
      const nb::gil_scoped_release released;
      add_column(table, place, count, [&](size_t row) { return RawField(data[row]); });
    } else {
      throw Error(fmt::format("the column {} has neither numbers nor text", name));
    }
  }
  return table;
}

}  // namespace bitlaw
