# Builds the examples against the installed tree as a stranger would, and runs them.
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
set(place ${PLACE}/examples)
file(REMOVE_RECURSE ${place})
file(MAKE_DIRECTORY ${place})

# The examples are taken from the tree as well.
build(${tree}/share/gnomon/examples ${place}/build all)

run("embedded_node" 30 ${place}/build/embedded_node ${place}/embedded)
expect("wrote greetings/1 for the first time")
expect("read: hello from inside")
expect("a durable copy is at embedded")
run("embedded_node, again" 30 ${place}/build/embedded_node ${place}/embedded)
expect("wrote greetings/1 again")

run("watching_actor" 30 ${place}/build/watching_actor ${place}/watched)
expect("the actor saw 3 changes")

run("derived_items" 60 ${place}/build/derived_items ${place}/deriving)
expect("lengths: 6 7")

run("shared_counter" 60 sh ${SOURCE}/tests/install/shared_counter.sh ${place}/build/shared_counter ${place})
expect("the counter says 3")

# The program in the README, word for word.
file(READ ${SOURCE}/README.md readme)
if(NOT readme MATCHES "```cpp\n([^`]*)```")
  message(FATAL_ERROR "README.md shows no program")
endif()
file(WRITE ${place}/readme/main.cpp "${CMAKE_MATCH_1}")
file(WRITE ${place}/readme/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(readme LANGUAGES CXX)
find_package(gnomon REQUIRED)
add_executable(readme main.cpp)
target_link_libraries(readme PRIVATE gnomon::gnomon)
")
build(${place}/readme ${place}/readme/build all)
file(READ ${SOURCE}/configs/single.toml config)
file(WRITE ${place}/readme/configs/single.toml "${config}
[listen] # ports that are free
tunnel = \"127.0.0.1:0\"
http = \"127.0.0.1:0\"
")
run("the README's program" 30 ${CMAKE_COMMAND} -E chdir ${place}/readme ${place}/readme/build/readme)
expect("hello")

# The headers stand by themselves.
file(GLOB headers RELATIVE ${tree}/include ${tree}/include/gnomon/*.hpp)
foreach(header IN LISTS headers)
  file(WRITE ${place}/header.cpp "#include <${header}>\n#include <${header}>\n")
  run("${header}" 120 ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I${tree}/include
      ${place}/header.cpp)
endforeach()
run("gnomon --version" 10 ${tree}/bin/gnomon --version)
