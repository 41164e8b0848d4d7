#include "http/target.hpp"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

std::string decoded(std::string_view raw) {
  std::string storage;
  const auto path = decode_path(raw, storage);
  return path ? std::string(*path) : "refused";
}

TEST_CASE("a plain path is a view of itself") {
  std::string storage;
  const std::string_view raw = "/v1/models/a-b_c~d.e";
  const auto path = decode_path(raw, storage);
  REQUIRE(path);
  CHECK(path->data() == raw.data());
  CHECK(*path == raw);
}

TEST_CASE("escapes are decoded exactly once") {
  CHECK(decoded("/a%20b") == "/a b");
  CHECK(decoded("/%41%7a") == "/Az");
  CHECK(decoded("/%25%32%65") == "/%2e");
  CHECK(decoded("/%c3%a4") == "/\xc3\xa4");
  CHECK(decoded("") == "/");
  CHECK(decoded("/a/") == "/a/");
  CHECK(decoded("/...") == "/...");
  CHECK(decoded("/.well-known/x") == "/.well-known/x");
}

TEST_CASE("paths that two readers could take for different resources are refused") {
  for (const char* raw : {"//",          "//admin",       "/a//b",      "/./a",
                          "/a/.",        "/a/..",         "/../a",      "/%2e%2e/a",
                          "/%2E%2e%2fa", "/.%2e/a",       "/a%2fb",     "/a%2Fb",
                          "/a\\b",       "/a%5cb",        "/%00",       "/a%00.html",
                          "/%0d%0aX",    "/%7f",          "/%",         "/%4",
                          "/%zz",        "/%2",           "/a%c0%af",   "/%c0%ae%c0%ae/",
                          "/%e0%80%af",  "/%f0%80%80%af", "/%ed%a0%80", "/%ff",
                          "/%c3",        "/%f4%90%80%80", "a",          "*"}) {
    CHECK_MESSAGE(decoded(raw) == "refused", raw);
  }
}

TEST_CASE("query values are found by name and decoded") {
  CHECK(query_value("a=1&b=2", "b") == "2");
  CHECK(query_value("a=1&a=2", "a") == "1");
  CHECK(query_value("a=x+y%21", "a") == "x y!");
  CHECK(query_value("%61=1", "a") == "1");
  CHECK(query_value("a", "a") == "");
  CHECK(query_value("a=", "a") == "");
  CHECK(query_value("a=b=c", "a") == "b=c");
  CHECK(query_value("a=100%", "a") == "100%");
  CHECK(query_value("a=%zz", "a") == "%zz");
  CHECK_FALSE(query_value("", ""));
  CHECK_FALSE(query_value("a=1&&b=2", "c"));
  CHECK_FALSE(query_value("aa=1", "a"));
}

TEST_CASE("UTF-8 is checked as RFC 3629 defines it") {
  CHECK(is_valid_utf8(""));
  CHECK(is_valid_utf8("a\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x28\xa1", "a\xff"}) {
    CHECK_FALSE(is_valid_utf8(bad));
  }
}

}  // namespace
}  // namespace aiserve::http::detail
