#include "aiserve/http/cookies.hpp"

#include <doctest/doctest.h>

#include "aiserve/http/response.hpp"
#include "unit/http/made_request.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;

std::string set(std::string_view name, std::string_view value, const CookieOptions& options = {}) {
  Response response;
  const Result<void> done = set_cookie(response, name, value, options);
  return done.ok() ? std::string(response.header("Set-Cookie")) : "refused";
}

TEST_CASE("cookies are found by their exact names, over several fields") {
  const Made made(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2;c = 3 \r\nCookie: d=\"4\"; A=5\r\n\r\n");
  CHECK(cookie(made.request, "a") == "1");
  CHECK(cookie(made.request, "b") == "2");
  CHECK(cookie(made.request, "c") == "3");
  CHECK(cookie(made.request, "d") == "4");
  CHECK(cookie(made.request, "A") == "5");
  CHECK_FALSE(cookie(made.request, "e"));
  CHECK(cookies(made.request).size() == 5);
}

TEST_CASE("of two cookies of one name the first counts, an empty value is a value") {
  const Made made("GET / HTTP/1.1\r\nHost: a\r\nCookie: s=first; s=second; empty=; x=a=b\r\n\r\n");
  CHECK(cookie(made.request, "s") == "first");
  CHECK(cookie(made.request, "empty") == "");
  CHECK(cookie(made.request, "x") == "a=b");
}

TEST_CASE("what is no cookie is left out") {
  const Made made(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: ;;novalue; =x; a b=c; \"q\"=1;;ok=1;\r\n\r\n");
  CHECK(cookies(made.request).size() == 1);
  CHECK(cookie(made.request, "ok") == "1");
  const Made none("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(cookies(none.request).empty());
}

TEST_CASE("a cookie is safe unless its options say otherwise") {
  CHECK(set("id", "7") == "id=7; Path=/; Secure; HttpOnly; SameSite=Lax");
  CHECK(set("id", "7",
            {.max_age = 1h,
             .path = "/a",
             .domain = "a.example",
             .secure = false,
             .http_only = false,
             .same_site = SameSite::strict}) ==
        "id=7; Path=/a; Domain=a.example; Max-Age=3600; SameSite=Strict");
  CHECK(set("id", "", {.same_site = SameSite::none}) ==
        "id=; Path=/; Secure; HttpOnly; SameSite=None");
}

TEST_CASE("several cookies are several fields, and one can be removed") {
  Response response;
  CHECK(set_cookie(response, "a", "1").ok());
  CHECK(remove_cookie(response, "b", {.path = "/b"}).ok());
  Response only;
  CHECK(remove_cookie(only, "b", {.path = "/b"}).ok());
  CHECK(only.header("Set-Cookie") == "b=; Path=/b; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
  CHECK(response.header("Set-Cookie").starts_with("a=1"));
}

TEST_CASE("what could become two cookies, or two fields, is refused") {
  for (const std::string_view name : {"", "a b", "a=b", "a;b", "a\r\nX", "a,b", "\"a\""}) {
    CHECK_MESSAGE(set(name, "1") == "refused", name);
  }
  for (const std::string_view value :
       {"a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nX: y", "\x7f", "\xc3\xa4", "a\tb"}) {
    CHECK_MESSAGE(set("a", value) == "refused", value);
  }
  CHECK(set("a", std::string_view("a\0b", 3)) == "refused");
  CHECK(set("a", std::string(5'000, 'x')) == "refused");
  CHECK(set("a", "1", {.path = "/a; Domain=evil.example"}) == "refused");
  CHECK(set("a", "1", {.path = "a"}) == "refused");
  CHECK(set("a", "1", {.domain = "a\r\nX: y"}) == "refused");
  CHECK(set("a", "1", {.max_age = -1s}) == "refused");
  CHECK(set("a", "1", {.max_age = 401 * 24h}) == "refused");
}

TEST_CASE("what browsers refuse is refused here") {
  CHECK(set("a", "1", {.secure = false, .same_site = SameSite::none}) == "refused");
  CHECK(set("__Host-a", "1") == "__Host-a=1; Path=/; Secure; HttpOnly; SameSite=Lax");
  CHECK(set("__Host-a", "1", {.domain = "a.example"}) == "refused");
  CHECK(set("__Host-a", "1", {.path = "/a"}) == "refused");
  CHECK(set("__host-a", "1", {.secure = false}) == "refused");
  CHECK(set("__Secure-a", "1", {.secure = false}) == "refused");
}

}  // namespace
}  // namespace aiserve::http
