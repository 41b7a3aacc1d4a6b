# cmake -DSOURCE=... -DBUILD=... -DCOMPILER=... -DTYPE=... -DSANITIZE=... -P examples.cmake
set(place ${BUILD}/install-test)
file(REMOVE_RECURSE ${place})
file(MAKE_DIRECTORY ${place})

function(run what seconds)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT ${seconds})
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} ended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect text)
  if(NOT output MATCHES "${text}")
    message(FATAL_ERROR "expected '${text}' in:\n${output}")
  endif()
endfunction()

set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
run("install" 60 ${CMAKE_COMMAND} --install ${BUILD} --prefix ${place}/tree)
# Only what is installed may be needed: the examples are taken from there as well.
function(build folder where)
  run("configure" 60 ${CMAKE_COMMAND} -S ${folder} -B ${where} -DCMAKE_PREFIX_PATH=${place}/tree
      -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=${TYPE} "-DCMAKE_CXX_FLAGS=${flags}")
  run("build" 500 ${CMAKE_COMMAND} --build ${where} --parallel 2)
endfunction()

build(${place}/tree/share/gnomon/examples ${place}/build)

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
build(${place}/readme ${place}/readme/build)
file(READ ${SOURCE}/configs/single.toml config)
file(WRITE ${place}/readme/configs/single.toml "${config}
[listen] # ports that are free
tunnel = \"127.0.0.1:0\"
http = \"127.0.0.1:0\"
")
run("the README's program" 30 ${CMAKE_COMMAND} -E chdir ${place}/readme ${place}/readme/build/readme)
expect("hello")

# The headers stand by themselves.
file(GLOB headers RELATIVE ${place}/tree/include ${place}/tree/include/gnomon/*.hpp)
foreach(header IN LISTS headers)
  file(WRITE ${place}/header.cpp "#include <${header}>\n#include <${header}>\n")
  run("${header}" 120 ${COMPILER} -std=c++20 -fsyntax-only -Wall -Wextra -Wpedantic -Werror -I${place}/tree/include
      ${place}/header.cpp)
endforeach()
run("gnomon --version" 10 ${place}/tree/bin/gnomon --version)
file(REMOVE_RECURSE ${place})
