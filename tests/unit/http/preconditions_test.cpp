#include "http/preconditions.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

constexpr std::string_view kOlder = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kNewer = "Sun, 06 Nov 1994 08:49:38 GMT";
const Validators kHave{R"("a,b")", 784'111'777};

int check(const Conditions& conditions) { return check_conditions(conditions, kHave); }

TEST_CASE("without conditions there is an answer") { CHECK(check({}) == 200); }

TEST_CASE("If-Match compares strongly and goes before If-Unmodified-Since") {
  CHECK(check({.if_match = R"("a,b")"}) == 200);
  CHECK(check({.if_match = R"("x", "a,b")"}) == 200);
  CHECK(check({.if_match = "*"}) == 200);
  CHECK(check({.if_match = R"("x")"}) == 412);
  CHECK(check({.if_match = R"(W/"a,b")"}) == 412);
  CHECK(check({.if_match = R"("a)"}) == 412);
  CHECK(check({.if_match = R"("a,b")", .if_unmodified_since = kOlder}) == 200);
  CHECK(check({.if_unmodified_since = kOlder}) == 412);
  CHECK(check({.if_unmodified_since = kSame}) == 200);
  CHECK(check({.if_unmodified_since = "rubbish"}) == 200);
}

TEST_CASE("If-None-Match compares weakly and goes before If-Modified-Since") {
  CHECK(check({.if_none_match = R"("a,b")"}) == 304);
  CHECK(check({.if_none_match = R"(W/"a,b")"}) == 304);
  CHECK(check({.if_none_match = R"("x" , W/"y","a,b")"}) == 304);
  CHECK(check({.if_none_match = "*"}) == 304);
  CHECK(check({.if_none_match = R"("x")"}) == 200);
  CHECK(check({.if_none_match = "a,b"}) == 200);
  CHECK(check({.if_none_match = R"("x")", .if_modified_since = kNewer}) == 200);
  CHECK(check({.if_modified_since = kSame}) == 304);
  CHECK(check({.if_modified_since = kNewer}) == 304);
  CHECK(check({.if_modified_since = kOlder}) == 200);
  CHECK(check({.if_modified_since = "rubbish"}) == 200);
}

TEST_CASE("a failed precondition goes before not modified") {
  CHECK(check({.if_match = R"("x")", .if_none_match = R"("a,b")"}) == 412);
}

TEST_CASE("a range is heeded when its condition is met exactly") {
  CHECK(range_applies("", kHave));
  CHECK(range_applies(R"("a,b")", kHave));
  CHECK(range_applies(kSame, kHave));
  CHECK_FALSE(range_applies(R"("x")", kHave));
  CHECK_FALSE(range_applies(R"(W/"a,b")", kHave));
  CHECK_FALSE(range_applies(kNewer, kHave));
  CHECK_FALSE(range_applies(kOlder, kHave));
  CHECK_FALSE(range_applies("rubbish", kHave));
}

}  // namespace
}  // namespace aiserve::http::detail
