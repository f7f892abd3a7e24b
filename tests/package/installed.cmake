# Installs the build, moves it elsewhere, and uses it there as other projects do:
#
#   the examples, through find_package, are built and their output is checked
#   one of them again, through pkg-config alone
#   every public header compiles alone, and needs nothing but what is installed (those that an
#   example includes first, there)
#   the whole archive becomes a shared library: it is position-independent
cmake_minimum_required(VERSION 3.25)
set(package ${WORK}/package)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/first)
file(RENAME ${WORK}/first ${package})
run(${package}/bin/bitlaw --version)

# A copy of the examples, so that nothing of the source tree is in reach.
file(COPY ${SOURCE}/examples DESTINATION ${WORK})
set(ENV{CCACHE_BASEDIR} ${WORK})
run(${CMAKE_COMMAND} -S ${WORK}/examples -B ${WORK}/build -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}
    -DCMAKE_PREFIX_PATH=${package} "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror")
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --output-on-failure --no-tests=error)

# What rounds a matrix, and what multiplies, is not part of the public headers.
foreach(component ops ptq)
  file(GLOB internal ${package}/include/bitlaw/internal/${component}/*.h)
  if(internal)
    message(FATAL_ERROR "a public header needs src/engine/${component}")
  endif()
endforeach()

file(GLOB_RECURSE pc ${package}/bitlaw.pc)
cmake_path(GET pc PARENT_PATH pc_folder)
set(ENV{PKG_CONFIG_PATH} ${pc_folder})
file(GLOB headers RELATIVE ${package}/include ${package}/include/bitlaw/*.h)
file(GLOB examples ${WORK}/examples/*.cpp)
foreach(example ${examples})
  file(STRINGS ${example} includes REGEX "^#include" LIMIT_COUNT 1)
  string(REGEX REPLACE "^#include <(.+)>$" "\\1" first "${includes}")
  list(REMOVE_ITEM headers ${first})
endforeach()
foreach(header ${headers})
  string(MAKE_C_IDENTIFIER ${header} name)
  file(WRITE ${WORK}/alone/${name}.cpp "#include <${header}>\n")
endforeach()
run(sh -euc "
cd ${WORK}
cxx='${LAUNCHER} ${COMPILER} -std=c++20'
flags=$(pkg-config --cflags bitlaw)
libs=$(pkg-config --libs bitlaw)
$cxx $flags -c examples/hello_plan.cpp -o hello_plan.o
$cxx hello_plan.o $libs -o hello_plan
./hello_plan 1e20 | grep '^loss'
for file in alone/*.cpp
do
  $cxx $flags -Wall -Wextra -Werror -c \$file -o \${file%.cpp}.o
done
$cxx -shared -Wl,-z,defs,-z,text -o libwhole.so \\
  -Wl,--whole-archive ${pc_folder}/../libbitlaw.a -Wl,--no-whole-archive $libs")
