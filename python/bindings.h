#pragma once
// The parts of bitlaw._core, a file each.
#include <nanobind/nanobind.h>

namespace bitlaw {

void bind_ask(nanobind::module_& module);
void bind_figures(nanobind::module_& module);
void bind_frame(nanobind::module_& module);
void bind_roundings(nanobind::module_& module);
void bind_runs(nanobind::module_& module);
void bind_numbers(nanobind::module_& module);

}  // namespace bitlaw
