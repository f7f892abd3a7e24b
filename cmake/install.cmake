# cmake --install: the program, the library with its public headers, and what find_package(bitlaw)
# and pkg-config read. All of it may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(TARGET bitlaw)
  install(TARGETS bitlaw)
endif()
install(TARGETS bitlaw_library EXPORT bitlaw INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ${PROJECT_BINARY_DIR}/include/bitlaw DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/bitlaw)
install(EXPORT bitlaw NAMESPACE bitlaw:: DESTINATION ${package} FILE bitlaw-targets.cmake)
configure_package_config_file(cmake/bitlaw-config.cmake.in ${PROJECT_BINARY_DIR}/bitlaw-config.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bitlaw-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/bitlaw-config.cmake ${PROJECT_BINARY_DIR}/bitlaw-config-version.cmake
              cmake/dependencies.cmake DESTINATION ${package})

set(pc_folder ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH prefix_from_pc ${pc_folder} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
file(RELATIVE_PATH libdir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH includedir ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
list(JOIN BITLAW_PKG_CONFIG_MODULES " " modules)
configure_file(cmake/bitlaw.pc.in ${PROJECT_BINARY_DIR}/bitlaw.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/bitlaw.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
