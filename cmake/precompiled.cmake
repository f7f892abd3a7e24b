# bitlaw_precompile(TARGET [TESTS])
#
# The standard library's and fmt's headers are parsed once for all components, and once more with GoogleTest for
# all tests (TESTS): one second of every file less. Our own headers stay out: a change to one of them rebuilds
# what includes it, nothing else. Files still include what they use; BITLAW_PRECOMPILE=OFF shows what is missing.
# Files for other instruction sets have other flags, and do without.
option(BITLAW_PRECOMPILE "Parse the headers of others once" ${PROJECT_IS_TOP_LEVEL})
if(BITLAW_FUZZ)  # libFuzzer's flags differ from component to component
  set(BITLAW_PRECOMPILE OFF)
endif()

# The library can be a part of a shared one. Calls inside it are not indirect for that.
set(bitlaw_position_independent $<$<COMPILE_LANGUAGE:CXX>:-fPIC> $<$<COMPILE_LANGUAGE:CXX>:-fno-semantic-interposition>
    $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-fPIC>)

# For components whose own loops are short, and for tests. What they call has its own flags.
set(bitlaw_light_options $<$<CONFIG:Release>:-O1>)
# Under sanitizers, undefined behaviour is looked for in what tests test, not in themselves: a third of their
# compile time.
set(bitlaw_test_options ${bitlaw_light_options})
if(BITLAW_SANITIZE MATCHES "undefined")
  list(APPEND bitlaw_test_options $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=undefined>)
endif()

set(bitlaw_headers <fmt/format.h> <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <limits>
    <map> <memory> <numeric> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <vector>)

function(bitlaw_precompile target)
  cmake_parse_arguments(ARG "TESTS" "" "" ${ARGN})
  if(NOT BITLAW_PRECOMPILE)
    return()
  endif()
  if(ARG_TESTS)
    target_precompile_headers(${target} REUSE_FROM bitlaw_precompiled_tests)
  else()
    target_compile_options(${target} PRIVATE ${bitlaw_position_independent})  # as the header was made
    target_precompile_headers(${target} REUSE_FROM bitlaw_precompiled)
  endif()
endfunction()

if(BITLAW_PRECOMPILE)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "// what a precompiled header is made for\n")
  add_library(bitlaw_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(bitlaw_precompiled PRIVATE fmt::fmt)
  target_compile_options(bitlaw_precompiled PRIVATE ${bitlaw_position_independent})
  target_precompile_headers(bitlaw_precompiled PRIVATE ${bitlaw_headers})
  if(BITLAW_TESTS)
    add_library(bitlaw_precompiled_tests OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(bitlaw_precompiled_tests PRIVATE fmt::fmt GTest::gtest)
    target_compile_options(bitlaw_precompiled_tests PRIVATE ${bitlaw_test_options})
    target_precompile_headers(bitlaw_precompiled_tests PRIVATE <gtest/gtest.h> ${bitlaw_headers})
  endif()
endif()
