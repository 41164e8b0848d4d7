# aiserve_module(NAME SOURCES a.cpp... [NEEDS core ...] [PRIVATE target...] [PACKAGES "Name args"...])
#
# One link target aiserve::NAME: static, position independent, hidden visibility, installed and
# exported as find_package component NAME.
#   NEEDS     other aiserve modules, part of the interface
#   PUBLIC    third-party targets whose headers the public headers include
#   PRIVATE   third-party targets used in .cpp files only
#   PACKAGES  what a consumer's find_package has to find for them, as find_dependency arguments
function(aiserve_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;NEEDS;PUBLIC;PRIVATE;PACKAGES" ${ARGN})
  set(target aiserve_${name})

  add_library(${target} STATIC ${arg_SOURCES})
  add_library(aiserve::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    CXX_EXTENSIONS OFF)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<BUILD_INTERFACE:${AISERVE_GENERATED_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  # Header-only and in .cpp files only: consumers need not find it.
  target_include_directories(${target} SYSTEM PRIVATE
    $<TARGET_PROPERTY:nlohmann_json::nlohmann_json,INTERFACE_INCLUDE_DIRECTORIES>)

  list(TRANSFORM arg_NEEDS PREPEND aiserve:: OUTPUT_VARIABLE needs)
  target_link_libraries(${target}
    PUBLIC ${needs} ${arg_PUBLIC}
    PRIVATE ${arg_PRIVATE})
  target_compile_options(${target} PRIVATE
    $<TARGET_PROPERTY:aiserve_warnings,INTERFACE_COMPILE_OPTIONS>)

  # A top-level build precompiles Asio and std once for all modules; the clang preset builds without,
  # so that a missing #include is found.
  if(PROJECT_IS_TOP_LEVEL)
    if(name STREQUAL "core")
      target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src/pch.hpp)
    elseif(NOT name STREQUAL "torch")
      target_precompile_headers(${target} REUSE_FROM aiserve_core)
    endif()
  endif()

  set_property(GLOBAL APPEND PROPERTY AISERVE_MODULES ${name})
  set_property(GLOBAL PROPERTY AISERVE_NEEDS_${name} "${arg_NEEDS}")
  set_property(GLOBAL PROPERTY AISERVE_PACKAGES_${name} "${arg_PACKAGES}")
endfunction()
