# One target a folder: gnomon_folder(NAME DEPENDENCIES...) builds every source file of the current folder into a static
# library that others may link, with the project's warnings. Includes are written from the top of the repository.
# Files that hold a main, named after their program, are left out: gnomon_program(NAME LIBRARIES...) builds NAME.cpp,
# with '_' in the file's name where the program's has '-'.

function(gnomon_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wno-unused-parameter)
  if(GNOMON_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(GNOMON_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${GNOMON_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=${GNOMON_SANITIZE})
  endif()
endfunction()

function(gnomon_folder name)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  list(FILTER sources EXCLUDE REGEX "/gnomon[^/]*\\.cpp$")
  get_property(taken DIRECTORY PROPERTY GNOMON_TAKEN)
  if(taken)
    list(REMOVE_ITEM sources ${taken})
  endif()
  gnomon_library(${name} "${sources}" ${ARGN})
endfunction()

# gnomon_part(NAME "FILES..." DEPENDENCIES...): these files of the current folder are a library of their own. Comes before
# gnomon_folder, which takes the others.
function(gnomon_part name files)
  list(TRANSFORM files PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set_property(DIRECTORY APPEND PROPERTY GNOMON_TAKEN ${files})
  gnomon_library(${name} "${files}" ${ARGN})
endfunction()

function(gnomon_library name sources)
  add_library(${name} STATIC)
  if(sources)
    target_sources(${name} PRIVATE ${sources})
  endif()
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${name} PUBLIC ${ARGN})
  gnomon_options(${name})
endfunction()

# The sources of these sub-folders belong to the target as well.
function(gnomon_rooms target)
  foreach(room IN LISTS ARGN)
    file(GLOB sources CONFIGURE_DEPENDS ${room}/*.cpp)
    target_sources(${target} PRIVATE ${sources})
  endforeach()
endfunction()

# Compiles the folder's files eight at a time: CAF's templates take longer than our code, and so they are met once for
# eight files. The files named behind the target are compiled alone.
function(gnomon_batches target)
  if(NOT GNOMON_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU") # takes a file that is included for a header
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
  if(ARGN)
    set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

function(gnomon_program name)
  string(REPLACE "-" "_" source ${name})
  add_executable(${name} ${source}.cpp)
  target_link_libraries(${name} PRIVATE ${ARGN})
  gnomon_options(${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
