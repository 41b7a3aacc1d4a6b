# Installs programs, headers, configs, docs, and a package: find_package(gnomon) gives gnomon::gnomon.
# The library is what gnomon_runtime and the folders below it are made of, exported together.
include(CMakePackageConfigHelpers)

# Our own targets that `target` links, itself included, each once.
function(gnomon_closure target result)
  set(found ${${result}})
  if(NOT target IN_LIST found)
    list(APPEND found ${target})
    get_target_property(links ${target} LINK_LIBRARIES)
    foreach(link IN LISTS links)
      if(link MATCHES "^gnomon_" AND TARGET ${link})
        gnomon_closure(${link} found)
      endif()
    endforeach()
  endif()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

set(libraries "")
gnomon_closure(gnomon_runtime libraries)
foreach(library IN LISTS libraries)
  string(REPLACE "gnomon_" "" part ${library})
  set_target_properties(${library} PROPERTIES EXPORT_NAME ${part})
endforeach()
set_target_properties(gnomon_runtime PROPERTIES EXPORT_NAME gnomon)
target_compile_features(gnomon_runtime PUBLIC cxx_std_20)
target_include_directories(gnomon_base PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gnomon)
install(TARGETS ${libraries} EXPORT gnomon ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT gnomon NAMESPACE gnomon:: FILE gnomonTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/gnomonConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gnomonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfigVersion.cmake
              cmake/FindCAF.cmake DESTINATION ${package})

install(DIRECTORY runtime/include/gnomon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gnomon/configs PATTERN CMakeLists.txt EXCLUDE)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gnomon/examples)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
