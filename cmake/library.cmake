# bitlaw::bitlaw, the library as other programs link it: all components in one static, position-
# independent archive, and the public headers (docs/decisions/0011-a-library.md). What links it sees
# include/bitlaw/ and nothing of src/.
get_property(objects GLOBAL PROPERTY BITLAW_COMPONENTS)
list(TRANSFORM objects REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>")
add_library(bitlaw_library STATIC ${objects})
add_library(bitlaw::bitlaw ALIAS bitlaw_library)
set_target_properties(bitlaw_library PROPERTIES OUTPUT_NAME bitlaw EXPORT_NAME bitlaw LINKER_LANGUAGE CXX)
target_compile_features(bitlaw_library INTERFACE cxx_std_20)

# The public headers do not use these header-only libraries, so an installed package does not need
# them.
get_property(libraries GLOBAL PROPERTY BITLAW_LIBRARIES)
list(FILTER libraries EXCLUDE REGEX "^(nlohmann_json|Eigen3)::")
list(REMOVE_DUPLICATES libraries)
target_link_libraries(bitlaw_library INTERFACE ${libraries})

set(headers ${PROJECT_BINARY_DIR}/include)
file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/bitlaw/*.h)
set(make_headers ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DDESTINATION=${headers}
    -DDEPFILE=${headers}.d -P ${PROJECT_SOURCE_DIR}/cmake/public_headers.cmake)
# They are byproducts, so that what includes them is compiled again in the same build. For that their
# names are needed now.
execute_process(COMMAND ${make_headers} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE made_headers ${headers}/*.h)
add_custom_command(
  OUTPUT ${headers}.stamp
  BYPRODUCTS ${made_headers}
  COMMAND ${make_headers}
  DEPENDS ${public_headers} ${PROJECT_SOURCE_DIR}/cmake/public_headers.cmake
  DEPFILE ${headers}.d
  VERBATIM)
add_custom_target(bitlaw_headers DEPENDS ${headers}.stamp)
add_dependencies(bitlaw_library bitlaw_headers)
target_include_directories(bitlaw_library INTERFACE $<BUILD_INTERFACE:${headers}>)
