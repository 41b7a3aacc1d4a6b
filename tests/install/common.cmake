# What the scripts of this folder have in common. ${PLACE}/tree is the installed tree; each script has a folder of its own.
cmake_minimum_required(VERSION 3.25)
set(tree ${PLACE}/tree)

# Runs a program and keeps what it printed in `output`. It must succeed, and be quicker than `seconds`.
function(run what seconds)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT ${seconds})
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} ended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# The same for what must fail.
function(run_in_vain what seconds)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT ${seconds})
  if(status EQUAL 0)
    message(FATAL_ERROR "${what} should have failed")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect text)
  if(NOT output MATCHES "${text}")
    message(FATAL_ERROR "expected '${text}' in:\n${output}")
  endif()
endfunction()

function(expect_not text)
  if(output MATCHES "${text}")
    message(FATAL_ERROR "did not expect '${text}' in:\n${output}")
  endif()
endfunction()

set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()

# build(FOLDER WHERE "TARGETS..." OPTIONS...): only what is installed may be needed.
function(build folder where targets)
  run("configure" 60 ${CMAKE_COMMAND} -S ${folder} -B ${where} -DCMAKE_PREFIX_PATH=${tree} -DCMAKE_CXX_COMPILER=${COMPILER}
      -DCMAKE_BUILD_TYPE=${TYPE} "-DCMAKE_CXX_FLAGS=${flags}" ${ARGN})
  run("build" 500 ${CMAKE_COMMAND} --build ${where} --parallel 2 --target ${targets})
endfunction()
