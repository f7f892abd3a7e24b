# bitlaw_test_on_every_engine(NAME [SLOW] [ONLY pattern ...] [WITHOUT pattern ...])
#
# What a machine multiplies with is decided once a process, so a component's test program NAME_test runs again, as
# one more test each, with what the environment can forbid: the tile unit, BF16 products, AVX-512, AVX2. On a machine
# that has less than is asked for the test is skipped. WITHOUT: tests of what no product is part of, which the first
# run has tested for every instruction set. SLOW: left out under sanitizers, which see the parts on every engine.
function(bitlaw_test_on_every_engine name)
  cmake_parse_arguments(ARG "SLOW" "" "ONLY;WITHOUT" ${ARGN})
  if(NOT TARGET ${name}_test)
    return()
  endif()
  list(JOIN ARG_ONLY ":" only)
  list(JOIN ARG_WITHOUT ":" without)
  set(filter "${only}-*Slow*:*DeathTest*:*Reference*:${without}")
  set(no_amx BITLAW_AMX=0)
  set(no_bf16 BITLAW_AMX=0 ONEDNN_MAX_CPU_ISA=AVX512_CORE)
  set(avx2 BITLAW_ISA=avx2)
  set(plain BITLAW_ISA=plain)
  set(label engine)
  if(ARG_SLOW)
    set(label slow)
  endif()
  foreach(engine no_amx no_bf16 avx2 plain)
    add_test(NAME ${name}_test.${engine} COMMAND ${name}_test "--gtest_filter=${filter}")
    set_tests_properties(${name}_test.${engine} PROPERTIES
      ENVIRONMENT "${${engine}}" TIMEOUT 600 LABELS ${label}
      SKIP_REGULAR_EXPRESSION "this machine has (plain|avx2) at most")
  endforeach()
endfunction()
