#include "security/base64url.hpp"

#include <string>

#include <doctest/doctest.h>

namespace aiserve::detail {
namespace {

TEST_CASE("bytes come back from base64url as they went in") {
  CHECK(to_base64url("") == "");
  CHECK(to_base64url("f") == "Zg");
  CHECK(to_base64url("fo") == "Zm8");
  CHECK(to_base64url("foo") == "Zm9v");
  CHECK(to_base64url("\xff\xfe\xfb") == "__77");
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    bytes += static_cast<char>(i * 7);
    CHECK(from_base64url(to_base64url(bytes)) == bytes);
  }
}

TEST_CASE("only the one canonical text of some bytes is taken") {
  CHECK(from_base64url("Zg") == "f");
  CHECK_FALSE(from_base64url("Zh").has_value());  // bits left over that are not zero
  CHECK_FALSE(from_base64url("Zm9").has_value());
  for (const char* bad : {"Z", "Zg==", "Zg=", "Zm9v\n", " Zm9v", "Zm+v", "Zm/v", "Zm.v", "Zm9v?"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64url(bad).has_value());
  }
  CHECK_FALSE(from_base64url(std::string_view("Zm\0v", 4)).has_value());
}

}  // namespace
}  // namespace aiserve::detail
