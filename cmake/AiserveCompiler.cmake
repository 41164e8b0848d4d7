# How our own code is compiled. Nothing here reaches a host that links aiserve: warnings live in a
# build-only interface target, sanitizers and ccache apply to a top-level build.

add_library(aiserve_warnings INTERFACE)
target_compile_options(aiserve_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${AISERVE_WERROR}>:-Werror>)
# False alarms of g++ 12 once it optimises: inside its own <string> (GCC bugs 105329, 105651, 105562),
# and where it inlines one half of Asio's frame allocation only and takes the other for a mismatch.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(aiserve_warnings INTERFACE
    -Wno-array-bounds -Wno-restrict -Wno-mismatched-new-delete -Wno-stringop-overflow)
endif()

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# ccache needs to be told that a precompiled header is an ordinary input.
find_program(AISERVE_CCACHE ccache)
mark_as_advanced(AISERVE_CCACHE)
if(AISERVE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${AISERVE_CCACHE})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-fpch-preprocess)
endif()

if(AISERVE_SANITIZE)
  add_compile_options(-fsanitize=${AISERVE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${AISERVE_SANITIZE})
  if(AISERVE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(AISERVE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # Asio's atomic_thread_fence
  endif()
endif()

if(AISERVE_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# Asio compiled once instead of in every file: a third to a half of the build time. Only for builds
# that nobody installs: a host that compiles Asio header-only next to such a library would see two
# error categories where there is one.
if(AISERVE_SEPARATE_ASIO)
  add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION)
endif()
