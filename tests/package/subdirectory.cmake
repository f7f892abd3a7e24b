# A project with bitlaw as a subdirectory: its settings stay (parent/CMakeLists.txt checks that while
# it is configured), and a file that includes a public header compiles.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/package/parent -B ${WORK} -G Ninja -DBITLAW=${SOURCE}
    -DCMAKE_CXX_COMPILER=${COMPILER})
run(${CMAKE_COMMAND} --build ${WORK} --target CMakeFiles/own.dir/own.cpp.o)
