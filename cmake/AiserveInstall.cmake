# install() and the package for find_package(aiserve COMPONENTS core serving http torch testing).
# Each module is an export set of its own, with a file that finds what it depends on.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/aiserve)
get_property(modules GLOBAL PROPERTY AISERVE_MODULES)

foreach(module IN LISTS modules)
  install(TARGETS aiserve_${module} EXPORT aiserve-${module}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${module})
  install(EXPORT aiserve-${module} NAMESPACE aiserve:: DESTINATION ${config_dir}
    FILE aiserve-${module}-targets.cmake COMPONENT ${module})
  if(EXISTS ${PROJECT_SOURCE_DIR}/include/aiserve/${module})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/aiserve/${module}
      DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/aiserve COMPONENT ${module} FILES_MATCHING PATTERN *.hpp)
  endif()

  get_property(needs GLOBAL PROPERTY AISERVE_NEEDS_${module})
  get_property(packages GLOBAL PROPERTY AISERVE_PACKAGES_${module})
  set(lines "")
  foreach(need IN LISTS needs)
    string(APPEND lines "aiserve_load_component(${need})\n")
  endforeach()
  foreach(package IN LISTS packages)
    string(APPEND lines "find_dependency(${package})\n")
  endforeach()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/package/aiserve-${module}-dependencies.cmake
    CONTENT "# What aiserve::${module} needs.\n${lines}")
  install(FILES ${PROJECT_BINARY_DIR}/package/aiserve-${module}-dependencies.cmake
    DESTINATION ${config_dir} COMPONENT ${module})
endforeach()

install(FILES ${AISERVE_GENERATED_DIR}/include/aiserve/config.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/aiserve COMPONENT core)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/aiserve COMPONENT core)

list(JOIN modules " " AISERVE_MODULES)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/aiserveConfig.cmake.in
  ${PROJECT_BINARY_DIR}/package/aiserveConfig.cmake INSTALL_DESTINATION ${config_dir}
  NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/aiserveConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/package/aiserveConfig.cmake
    ${PROJECT_BINARY_DIR}/package/aiserveConfigVersion.cmake
  DESTINATION ${config_dir} COMPONENT core)
