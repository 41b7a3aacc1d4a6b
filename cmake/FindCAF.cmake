# Finds the C++ Actor Framework 0.17, for which Debian and Ubuntu ship no CMake package.
#
#   find_package(CAF 0.17.6...<0.18 REQUIRED COMPONENTS core io test)
#
# Defines CAF_FOUND, CAF_VERSION and the targets CAF::core, CAF::io and CAF::test (headers only).
# CAF_ROOT points to an installation outside the usual places.

find_path(CAF_INCLUDE_DIR NAMES caf/actor_system.hpp HINTS ${CAF_ROOT} ENV CAF_ROOT PATH_SUFFIXES include)
mark_as_advanced(CAF_INCLUDE_DIR)

if(CAF_INCLUDE_DIR AND EXISTS "${CAF_INCLUDE_DIR}/caf/config.hpp")
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _caf_line REGEX "^#define CAF_VERSION +[0-9]+")
  if(_caf_line MATCHES "CAF_VERSION +([0-9]+)")
    math(EXPR _caf_major "${CMAKE_MATCH_1} / 10000")
    math(EXPR _caf_minor "${CMAKE_MATCH_1} / 100 % 100")
    math(EXPR _caf_patch "${CMAKE_MATCH_1} % 100")
    set(CAF_VERSION "${_caf_major}.${_caf_minor}.${_caf_patch}")
  endif()
endif()

find_package(Threads QUIET)
set(_caf_needed CAF_INCLUDE_DIR)

foreach(_part IN LISTS CAF_FIND_COMPONENTS)
  if(_part STREQUAL "test")
    if(EXISTS "${CAF_INCLUDE_DIR}/caf/test/dsl.hpp")
      set(CAF_test_FOUND TRUE)
      if(NOT TARGET CAF::test)
        add_library(CAF::test INTERFACE IMPORTED)
        target_include_directories(CAF::test INTERFACE "${CAF_INCLUDE_DIR}")
      endif()
    endif()
    continue()
  endif()
  find_library(CAF_${_part}_LIBRARY NAMES caf_${_part} HINTS ${CAF_ROOT} ENV CAF_ROOT PATH_SUFFIXES lib)
  mark_as_advanced(CAF_${_part}_LIBRARY)
  list(APPEND _caf_needed CAF_${_part}_LIBRARY)
  if(CAF_${_part}_LIBRARY)
    set(CAF_${_part}_FOUND TRUE)
    if(NOT TARGET CAF::${_part})
      add_library(CAF::${_part} UNKNOWN IMPORTED)
      set_target_properties(CAF::${_part} PROPERTIES IMPORTED_LOCATION "${CAF_${_part}_LIBRARY}"
                                                     INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}")
    endif()
  endif()
endforeach()
if(TARGET CAF::core)
  target_link_libraries(CAF::core INTERFACE Threads::Threads)
endif()
if(TARGET CAF::io AND TARGET CAF::core)
  target_link_libraries(CAF::io INTERFACE CAF::core)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS ${_caf_needed} VERSION_VAR CAF_VERSION HANDLE_VERSION_RANGE
                                  HANDLE_COMPONENTS)
