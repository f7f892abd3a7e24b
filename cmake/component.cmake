# bitlaw_sources(FOLDER SOURCES TESTS)
#
# The files of a folder (sub-folders included) by their names: *_test.cpp are tests, every other *.cpp is a source, and
# so is *_cuda.cu where the build has a CUDA compiler (-DBITLAW_CUDA=ON). Nothing needs one.
function(bitlaw_sources folder sources_variable tests_variable)
  set(look_again CONFIGURE_DEPENDS)
  if(CMAKE_SCRIPT_MODE_FILE)  # component_test.cmake
    set(look_again "")
  endif()
  file(GLOB_RECURSE sources ${look_again} ${folder}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  if(CMAKE_CUDA_COMPILER)
    file(GLOB_RECURSE cuda ${look_again} ${folder}/*_cuda.cu)
    list(APPEND sources ${cuda})
  endif()
  set(${sources_variable} ${sources} PARENT_SCOPE)
  set(${tests_variable} ${tests} PARENT_SCOPE)
endfunction()

# bitlaw_component(PATH [LIGHT] [DEPENDS component ...] [TEST_DEPENDS component ...] [LIBRARIES target ...]
#                  [TEST_LABELS label] [THREAD_TESTS pattern ...])
#
# One folder of src/ is one component is one static library, bitlaw_NAME, where NAME is the last part of
# PATH. Sources are found by bitlaw_sources; its tests become the test program NAME_test. Includes begin with NAME: the folder that holds it is an include root.
# Files named *_avx2.cpp, *_avx512.cpp, *_avx512bf16.cpp and *_amx.cpp alone are compiled for those instruction sets.
# LIGHT: its own loops are short, so it is compiled with -O1, which takes a third less time and gives
# the same bits.
# TEST_LABELS: `threads` for components whose tests run under the thread sanitizer; THREAD_TESTS: those of its
# tests that do, where the others use no threads and take long there. A test with Slow in its name gets the label
# `slow` and is left out under sanitizers.
# DEPENDS is the architecture: tools/check_layers.py checks every #include against it.
# TEST_DEPENDS: components that only the tests include.
function(bitlaw_component path)
  cmake_parse_arguments(ARG "LIGHT" "" "DEPENDS;TEST_DEPENDS;LIBRARIES;TEST_LABELS;THREAD_TESTS" ${ARGN})
  cmake_path(GET path FILENAME name)
  cmake_path(GET path PARENT_PATH tower)
  bitlaw_sources(${CMAKE_CURRENT_SOURCE_DIR}/${path} sources tests)

  set(library bitlaw_${name})
  set(visibility PUBLIC)
  if(sources)
    add_library(${library} STATIC ${sources})
  else()
    add_library(${library} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(${library} ${visibility} ${PROJECT_SOURCE_DIR}/src/${tower})
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(${library} ${visibility} bitlaw_${dependency})
  endforeach()
  target_link_libraries(${library} ${visibility} ${ARG_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY BITLAW_LIBRARIES ${ARG_LIBRARIES})
  if(sources)
    set_property(GLOBAL APPEND PROPERTY BITLAW_COMPONENTS ${library})
    target_compile_options(${library} PRIVATE ${bitlaw_position_independent})
    if(ARG_LIGHT)
      target_compile_options(${library} PRIVATE ${bitlaw_light_options})
    endif()
    bitlaw_precompile(${library})
  endif()
  foreach(source ${sources})
    if(source MATCHES "_avx2\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-O3;-mavx2;-mfma;-mf16c")
    elseif(source MATCHES "_avx512\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
        "-O3;-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mprefer-vector-width=512")
    elseif(source MATCHES "_(avx512bf16|amx)\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS
        "-O3;-mavx2;-mfma;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mprefer-vector-width=512;-mavx512bf16;-mamx-tile;-mamx-bf16")
    endif()
    if(source MATCHES "_(avx2|avx512|avx512bf16|amx)\\.cpp$")
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()

  if(BITLAW_TESTS AND tests)
    if(NOT ARG_TEST_LABELS)
      set(ARG_TEST_LABELS fast)
    endif()
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${library} bitlaw_source_folder GTest::gtest_main)
    foreach(dependency ${ARG_TEST_DEPENDS})
      target_link_libraries(${name}_test PRIVATE bitlaw_${dependency})
    endforeach()
    target_compile_options(${name}_test PRIVATE ${bitlaw_test_options})
    bitlaw_precompile(${name}_test TESTS)
    list(JOIN ARG_THREAD_TESTS ":" threads)
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         TEST_FILTER "-*Slow*:${threads}" NO_PRETTY_VALUES PROPERTIES TIMEOUT 600 LABELS "${ARG_TEST_LABELS}")
    if(threads)
      gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                           TEST_FILTER "${threads}" TEST_LIST ${name}_threads NO_PRETTY_VALUES PROPERTIES TIMEOUT 600 LABELS threads)
    endif()
    gtest_discover_tests(${name}_test DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         TEST_FILTER "*Slow*" TEST_LIST ${name}_slow NO_PRETTY_VALUES PROPERTIES TIMEOUT 900 LABELS "slow")
  endif()
endfunction()
