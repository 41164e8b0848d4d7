find_package(doctest REQUIRED)

add_library(aiserve_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/unit/main.cpp)
target_link_libraries(aiserve_test_main PUBLIC doctest::doctest aiserve::core aiserve_warnings)

# A precompiled header belongs to a target that compiles something with it.
file(CONFIGURE OUTPUT pch.cpp CONTENT "// Compiled for its precompiled header only.\n")
add_library(aiserve_test_pch OBJECT ${CMAKE_CURRENT_BINARY_DIR}/pch.cpp)
target_link_libraries(aiserve_test_pch PRIVATE doctest::doctest aiserve::core aiserve_warnings)
target_precompile_headers(aiserve_test_pch PRIVATE ${PROJECT_SOURCE_DIR}/tests/unit/pch.hpp)

function(aiserve_tests module)
  cmake_parse_arguments(arg "" "" "LIBS;FILES;CONCURRENT" ${ARGN})
  if(AISERVE_CONCURRENT_TESTS_ONLY)
    set(arg_FILES)
  endif()
  set(files ${arg_FILES} ${arg_CONCURRENT})
  if(NOT files)
    return()
  endif()

  set(target tests_${module})
  set(sources ${files})
  list(TRANSFORM sources PREPEND unit/${module}/)
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE aiserve_test_main ${arg_LIBS})
  target_include_directories(${target} PRIVATE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  target_precompile_headers(${target} REUSE_FROM aiserve_test_pch)

  foreach(file IN LISTS files)
    get_filename_component(stem ${file} NAME_WE)
    string(REGEX REPLACE "_test$" "" test ${module}.${stem})
    add_test(NAME ${test} COMMAND ${target} --source-file=*/unit/${module}/${file})
    # A filter that matches nothing must not pass.
    set_tests_properties(${test} PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 ")
    if(file IN_LIST arg_CONCURRENT)
      set_property(TEST ${test} APPEND PROPERTY LABELS concurrent)
    endif()
  endforeach()
endfunction()
