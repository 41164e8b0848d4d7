#include "aiserve/cache/cache_control.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "aiserve/cache/etag.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

CacheControl parsed(std::string_view field) { return CacheControl::parse(field); }

}  // namespace

TEST_CASE("the directives of a request are read, in any case and with any spaces") {
  CHECK(parsed("no-cache").no_cache);
  CHECK(parsed("No-Store").no_store);
  CHECK(parsed(" only-if-cached ,no-cache").only_if_cached);
  CHECK(parsed("no-cache,\tmax-age = 5 ,").max_age == Duration(5s));
  CHECK(parsed("max-age=\"7\"").max_age == Duration(7s));
  CHECK(parsed("") == CacheControl());
  CHECK(parsed(",,  ,") == CacheControl());
}

TEST_CASE("directives that are unknown, or inside quotes, are ignored") {
  CHECK(parsed("min-fresh=3, x, no-cachex, no-stor") == CacheControl());
  CHECK(parsed("private=\"no-cache, no-store\"") == CacheControl());
  CHECK(parsed("x=\"no-cache") == CacheControl());
}

TEST_CASE(
    "a max-age that is no number counts as 0, a huge one as 2^31 s, the least of several counts") {
  for (const char* bad :
       {"max-age", "max-age=", "max-age=x", "max-age=-1", "max-age=1x", "max-age=\""}) {
    CHECK_MESSAGE(parsed(bad).max_age == Duration(0s), bad);
  }
  CHECK(parsed("max-age=99999999999999999999999").max_age == Duration(2'147'483'648s));
  CHECK(parsed("max-age=2147483649").max_age == Duration(2'147'483'648s));
  CHECK(parsed("max-age=9, max-age=3").max_age == Duration(3s));
}

TEST_CASE("the tag of a digest is its text in quotes") {
  CHECK(etag(Digest(1, 2)) == "\"00000000000000010000000000000002\"");
}

TEST_CASE("If-None-Match is compared weakly with each of its tags") {
  CHECK(etag_matches("\"a\"", "\"a\""));
  CHECK(etag_matches("*", "\"a\""));
  CHECK(etag_matches(" *", "\"a\""));
  CHECK(etag_matches("W/\"a\"", "\"a\""));
  CHECK(etag_matches("\"a\"", "W/\"a\""));
  CHECK(etag_matches("\"x\", W/\"y\" , \"a\"", "\"a\""));
  CHECK(etag_matches("\"x\",,\"a\"", "\"a\""));
  CHECK(etag_matches("\"x,\", \"a\"", "\"a\""));
  CHECK_FALSE(etag_matches("\"b\"", "\"a\""));
  CHECK_FALSE(etag_matches("", "\"a\""));
}

TEST_CASE("an If-None-Match that is malformed matches nothing from there on") {
  for (const char* bad : {"a", "\"a", "\"x\" \"a\"", "w/\"a\"", "x, \"a\"", "**", "\"x\";\"a\""}) {
    CHECK_FALSE_MESSAGE(etag_matches(bad, "\"a\""), bad);
  }
}
