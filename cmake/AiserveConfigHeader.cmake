# Two generated headers. <aiserve/config.hpp> is public and changes only with the version or Boost.
# build_info.hpp carries the commit; only src/core/version.cpp includes it, so that a commit does not
# rebuild the world.

# A host that uses add_subdirectory links these through aiserve::core from its own directory.
if(NOT PROJECT_IS_TOP_LEVEL)
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
endif()

find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)

set(AISERVE_GENERATED_DIR ${PROJECT_BINARY_DIR}/generated)
set(AISERVE_BOOST_VERSION_MACRO ${Boost_VERSION_MACRO})
if(NOT AISERVE_BOOST_VERSION_MACRO)
  math(EXPR AISERVE_BOOST_VERSION_MACRO
    "${Boost_VERSION_MAJOR} * 100000 + ${Boost_VERSION_MINOR} * 100 + ${Boost_VERSION_PATCH}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/cmake/config.hpp.in
  ${AISERVE_GENERATED_DIR}/include/aiserve/config.hpp @ONLY)

add_custom_target(aiserve_build_info
  COMMAND ${CMAKE_COMMAND}
    -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
    -DTEMPLATE=${PROJECT_SOURCE_DIR}/cmake/build_info.hpp.in
    -DOUTPUT=${AISERVE_GENERATED_DIR}/private/build_info.hpp
    -P ${PROJECT_SOURCE_DIR}/cmake/WriteBuildInfo.cmake
  BYPRODUCTS ${AISERVE_GENERATED_DIR}/private/build_info.hpp
  COMMENT "" VERBATIM)
