// bitlaw._core: what the Python package calls.
#include <exception>

#include "base/error.h"
#include "base/version.h"
#include "bindings.h"

namespace {

// An Error becomes bitlaw.Error with the same sentence.
void translate_error(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const bitlaw::Error& error) {
    const nanobind::object type = nanobind::module_::import_("bitlaw._ask").attr("Error");
    PyErr_SetString(type.ptr(), error.what());
  }
}

}  // namespace

NB_MODULE(_core, module) {
  nanobind::register_exception_translator(translate_error);
  module.attr("version") = bitlaw::kVersion;
  bitlaw::bind_ask(module);
  bitlaw::bind_frame(module);
  bitlaw::bind_roundings(module);
  bitlaw::bind_numbers(module);
  bitlaw::bind_runs(module);
  bitlaw::bind_figures(module);
}
