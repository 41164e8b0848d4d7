#include <aiserve/config.hpp>
#include <aiserve/core/version.hpp>

#include <string>

#include <doctest/doctest.h>

namespace {

TEST_CASE("the library and its headers carry the same version") {
  const std::string from_numbers = std::to_string(AISERVE_VERSION_MAJOR) + "." +
                                   std::to_string(AISERVE_VERSION_MINOR) + "." +
                                   std::to_string(AISERVE_VERSION_PATCH);
  CHECK(aiserve::version() == AISERVE_VERSION);
  CHECK(aiserve::version() == from_numbers);
}

TEST_CASE("the library knows the commit it was built from") {
  CHECK_FALSE(aiserve::commit().empty());
  CHECK(aiserve::commit().find('\n') == std::string_view::npos);
}

}  // namespace
