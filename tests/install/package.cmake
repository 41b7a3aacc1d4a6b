# The installed files: they name no folder of this machine, the shared libraries show the public interface only, and wrong
# uses are told why.
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
set(place ${PLACE}/package)
file(REMOVE_RECURSE ${place})
file(MAKE_DIRECTORY ${place})
string(REGEX MATCH "^[0-9]+[.][0-9]+" minor ${VERSION})

# -- they can be moved
file(GLOB_RECURSE packages ${tree}/lib*/gnomon*.cmake ${tree}/lib*/gnomon*.pc)
list(LENGTH packages count)
if(count LESS 8)
  message(FATAL_ERROR "only ${count} files of packages: ${packages}")
endif()
foreach(file IN LISTS packages)
  file(STRINGS ${file} paths REGEX "(^|[\";= I])/[a-z]+/")
  if(paths)
    message(FATAL_ERROR "${file} names folders of this machine: ${paths}")
  endif()
endforeach()

# -- what they show
file(GLOB_RECURSE libraries ${tree}/lib*/libgnomon*.so.${VERSION})
foreach(library IN LISTS libraries)
  run("readelf" 10 readelf -d ${library})
  expect("soname: [[]libgnomon(_client)?[.]so[.]${minor}[]]")
  expect_not("RPATH|RUNPATH")
  run("nm" 30 sh -c "nm -DC --defined-only ${library} | grep -c ' gnomon::v[0-9_]*::client::'")
  run("nm" 30 sh -c "nm -DC --defined-only ${library} | grep -vE '( | for )gnomon::v[0-9_]+::| A GNOMON_|get_process_id' || true")
  if(output)
    message(FATAL_ERROR "${library} shows what is not public:\n${output}")
  endif()
endforeach()
list(LENGTH libraries count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "there are ${count} shared libraries: ${libraries}")
endif()

# -- wrong uses
file(GLOB headers RELATIVE ${tree}/include ${tree}/include/gnomon/*.hpp)
foreach(header IN LISTS headers)
  file(WRITE ${place}/header.cpp "#include <${header}>\n")
  run_in_vain("${header} in C++17" 60 ${COMPILER} -std=c++17 -fsyntax-only -fmax-errors=1 -I${tree}/include ${place}/header.cpp)
  expect("Gnomon's headers need C[+][+]20")
endforeach()

file(WRITE ${place}/both/main.cpp "int main() {}\n")
file(WRITE ${place}/both/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(both LANGUAGES CXX)
find_package(gnomon REQUIRED)
add_executable(both main.cpp)
target_link_libraries(both PRIVATE gnomon::gnomon gnomon::client)
")
run_in_vain("two libraries in one program" 60 ${CMAKE_COMMAND} -S ${place}/both -B ${place}/both/build
            -DCMAKE_PREFIX_PATH=${tree} -DCMAKE_CXX_COMPILER=${COMPILER})
expect("GNOMON_LIBRARY")

# -- without CMake
file(GLOB_RECURSE pc ${tree}/lib*/gnomon-client.pc)
get_filename_component(pc ${pc} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${pc})
run("pkg-config" 10 pkg-config --cflags --libs gnomon-client)
separate_arguments(words UNIX_COMMAND "${flags} ${output}")
run("the compiler alone" 120 ${COMPILER} -std=c++20 ${tree}/share/gnomon/examples/client_only.cpp -o ${place}/client_only ${words})
run("pkg-config" 10 pkg-config --variable=libdir gnomon-client)
string(STRIP "${output}" libdir)

# CAF's ids of processes are drawn by us (runtime/net/random_node_id.cpp), also where CAF itself asks for one.
set(ENV{LD_LIBRARY_PATH} ${libdir})
run_in_vain("a client without a node" 60 ${CMAKE_COMMAND} -E env LD_DEBUG=bindings LD_BIND_NOW=1 ${place}/client_only
            ${place}/nobody.sock)
expect("is gnomond running")
expect("libcaf_core[^\n]* to [^\n]*libgnomon_client[^\n]*get_process_id")
