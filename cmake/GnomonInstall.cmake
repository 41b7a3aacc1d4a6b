# Installs programs, headers, configs, docs, and a package. find_package(gnomon) gives two shared libraries: gnomon::client,
# for programs that talk to a node, and gnomon::gnomon, which also has whole nodes. With COMPONENTS static there are
# gnomon::client_static and gnomon::gnomon_static as well. pkg-config knows gnomon-client and gnomon.
#
# All of them are made of the objects of the folders, which are compiled once.
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

set(client_parts "")
gnomon_closure(gnomon_client client_parts)
set(node_parts "")
gnomon_closure(gnomon_runtime node_parts)
list(REMOVE_ITEM node_parts ${client_parts})
list(TRANSFORM client_parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE client_objects)
list(TRANSFORM node_parts REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE node_objects)

# What all installed libraries have in common. A program links one `kind`, which CMake checks: each shared library is whole
# by itself, so a program with both would have two logs and two sets of threads.
function(gnomon_package target kind output)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME ${output} INTERFACE_GNOMON_LIBRARY ${kind}
                        COMPATIBLE_INTERFACE_STRING GNOMON_LIBRARY)
  set_target_properties(${target} PROPERTIES ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib
                        LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endfunction()

# A shared library exports the public namespace and nothing else; the linker resolves all other calls within it.
function(gnomon_shared target kind output)
  set(script ${CMAKE_BINARY_DIR}/${output}.map)
  string(TOUPPER ${kind} node)
  configure_file(cmake/exports.map.in ${script} @ONLY)
  gnomon_package(${target} ${kind} ${output})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${kind} VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} LINK_DEPENDS ${script})
  target_link_options(${target} PRIVATE LINKER:--version-script=${script} LINKER:-Bsymbolic-functions LINKER:--as-needed)
  target_link_libraries(${target} PUBLIC CAF::io)
  if(GNOMON_SANITIZE)
    target_link_options(${target} PRIVATE -fsanitize=${GNOMON_SANITIZE})
  endif()
endfunction()

# The archives behind the whole objects bring what these need, and no more.
add_library(gnomon_client_shared SHARED $<TARGET_OBJECTS:gnomon_client>)
target_link_libraries(gnomon_client_shared PRIVATE gnomon_client)
gnomon_shared(gnomon_client_shared client gnomon_client)
add_library(gnomon_shared SHARED $<TARGET_OBJECTS:gnomon_client> $<TARGET_OBJECTS:gnomon_runtime>)
target_link_libraries(gnomon_shared PRIVATE gnomon_runtime)
gnomon_shared(gnomon_shared gnomon gnomon)

# Names instead of the paths of this machine.
foreach(library LEVELDB DLIB BLAS)
  get_filename_component(name ${${library}_LIBRARY} NAME_WE)
  string(REGEX REPLACE "^lib" "" ${library}_NAME ${name})
endforeach()
add_library(gnomon_client_static STATIC ${client_objects})
gnomon_package(gnomon_client_static static gnomon_client)
set_target_properties(gnomon_client_static PROPERTIES EXPORT_NAME client_static)
target_link_libraries(gnomon_client_static PUBLIC CAF::io PRIVATE Boost::serialization spdlog::spdlog ZLIB::ZLIB
                      OpenSSL::SSL OpenSSL::Crypto)
add_library(gnomon_static STATIC ${node_objects})
gnomon_package(gnomon_static static gnomon)
set_target_properties(gnomon_static PROPERTIES EXPORT_NAME gnomon_static)
target_link_libraries(gnomon_static PUBLIC gnomon_client_static PRIVATE prometheus-cpp::core
                      INTERFACE ${LEVELDB_NAME} ${DLIB_NAME} ${BLAS_NAME} tomlplusplus maxminddb ldns)
target_link_options(gnomon_static INTERFACE LINKER:--as-needed)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gnomon)
install(TARGETS gnomon_client_shared gnomon_shared EXPORT gnomon LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS gnomon_client_static gnomon_static EXPORT gnomon_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT gnomon NAMESPACE gnomon:: FILE gnomonTargets.cmake DESTINATION ${package})
install(EXPORT gnomon_static NAMESPACE gnomon:: FILE gnomonStaticTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/gnomonConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfig.cmake
                              INSTALL_DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/gnomonConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/gnomonConfigVersion.cmake
              cmake/FindCAF.cmake DESTINATION ${package})

file(RELATIVE_PATH PREFIX_FROM_PC ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" PREFIX_FROM_PC ${PREFIX_FROM_PC})
foreach(pc "gnomon-client|gnomon_client|clients of Gnomon nodes" "gnomon|gnomon|Gnomon nodes and clients")
  string(REGEX MATCH "(.*)\\|(.*)\\|(.*)" found ${pc})
  set(PC_NAME ${CMAKE_MATCH_1})
  set(PC_LIBRARY ${CMAKE_MATCH_2})
  set(PC_TITLE ${CMAKE_MATCH_3})
  configure_file(cmake/gnomon.pc.in ${CMAKE_CURRENT_BINARY_DIR}/${PC_NAME}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${PC_NAME}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(DIRECTORY runtime/include/gnomon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gnomon/configs PATTERN CMakeLists.txt EXCLUDE)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gnomon/examples)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
