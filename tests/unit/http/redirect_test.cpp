#include "aiserve/http/redirect.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

TEST_CASE("redirects have the status they were given") {
  for (const int status : {301, 302, 303, 307, 308}) {
    const Response response = redirect("/there", status);
    CHECK(response.status() == status);
    CHECK(response.header("Location") == "/there");
  }
  CHECK(redirect("/there").status() == 303);
}

TEST_CASE("a status that is no redirect, and a location that would split, are answered with 500") {
  InProcess host;
  host.server.get("/a", [](const Context&, const Request&) { return redirect("/b", 200); });
  host.server.get("/b", [](const Context&, const Request&) { return redirect("/c\r\nX: y"); });
  host.server.get("/c", [](const Context&, const Request&) { return redirect("/d"); });
  host.sim.start();
  CHECK(host.client.get("/a").status == 500);
  CHECK(host.client.get("/b").status == 500);
  CHECK(host.client.get("/c").status == 303);
}

TEST_CASE("only what no browser takes for another host is local") {
  for (const std::string_view local : {"/", "/inbox", "/a/b?c=d", "/a#b", "/a//b", "/?u=//x"}) {
    CHECK_MESSAGE(is_local_target(local), local);
  }
  for (const std::string_view other :
       {"", "inbox", "//evil.example", "/\\evil.example", "\\\\evil.example",
        "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/\r\n/evil.example",
        " /x", "/a b", "/\xe2\x80\xae", "///evil.example"}) {
    CHECK_MESSAGE(!is_local_target(other), other);
  }
}

TEST_CASE("who asked to go elsewhere goes to the fallback") {
  CHECK(redirect_within("/inbox?x=1").header("Location") == "/inbox?x=1");
  CHECK(redirect_within("//evil.example").header("Location") == "/");
  CHECK(redirect_within("https://evil.example", "/home", 302).header("Location") == "/home");
}

}  // namespace
}  // namespace aiserve::http
