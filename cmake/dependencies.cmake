# What the library links to. The build reads this file, and so does find_package(bitlaw) for an
# installed library.
set(BITLAW_PACKAGES Threads fmt ZLIB PkgConfig)
set(BITLAW_PKG_CONFIG_MODULES sentencepiece sqlite3 libzstd libxxhash tomlplusplus libpcre2-8 libutf8proc libarchive libxml-2.0 libcrypto cpp-httplib)

# Finds all of it as imported targets: PkgConfig::BITLAW_SQLITE3 and so on for the modules, whose
# names keep out of the way of a parent project's own. MISSING lists what is not installed.
function(bitlaw_find_dependencies missing_variable)
  set(missing "")
  foreach(package ${BITLAW_PACKAGES})
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      list(APPEND missing ${package})
    endif()
  endforeach()
  if(PkgConfig_FOUND)
    foreach(module ${BITLAW_PKG_CONFIG_MODULES})
      string(MAKE_C_IDENTIFIER BITLAW_${module} prefix)
      string(TOUPPER ${prefix} prefix)
      pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module})
      if(NOT ${prefix}_FOUND)
        list(APPEND missing ${module})
      endif()
    endforeach()
  endif()
  # Debian's dnnl-config.cmake asks for OpenCL, which the CPU engine does not use.
  find_library(BITLAW_DNNL_LIBRARY dnnl)
  find_path(BITLAW_DNNL_INCLUDE_DIR dnnl.hpp)
  mark_as_advanced(BITLAW_DNNL_LIBRARY BITLAW_DNNL_INCLUDE_DIR)
  if(NOT BITLAW_DNNL_LIBRARY OR NOT BITLAW_DNNL_INCLUDE_DIR)
    list(APPEND missing dnnl)
  elseif(NOT TARGET bitlaw::dnnl)
    add_library(bitlaw::dnnl UNKNOWN IMPORTED)
    set_target_properties(bitlaw::dnnl PROPERTIES IMPORTED_LOCATION ${BITLAW_DNNL_LIBRARY}
                          INTERFACE_INCLUDE_DIRECTORIES ${BITLAW_DNNL_INCLUDE_DIR})
  endif()
  set(${missing_variable} ${missing} PARENT_SCOPE)
endfunction()
