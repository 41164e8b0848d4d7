#include "http/client/url.hpp"

#include <doctest/doctest.h>

namespace aiserve::http::detail {
namespace {

Url url(std::string_view text) {
  Result<Url> parsed = Url::parse(text);
  REQUIRE_MESSAGE(parsed.ok(), text);
  return *parsed;
}

std::string resolved(std::string_view base, std::string_view reference) {
  const Result<Url> to = url(base).resolve(reference);
  return to.ok() ? to->origin() + to->target() : "refused";
}

TEST_CASE("a URL is taken apart") {
  const Url parsed = url("HTTPS://Models.Example:8443/v1/a?b=c#d");
  CHECK(parsed.secure());
  CHECK(parsed.host() == "models.example");
  CHECK(parsed.port() == 8443);
  CHECK(parsed.target() == "/v1/a?b=c");
  CHECK(parsed.authority() == "models.example:8443");
  CHECK(parsed.origin() == "https://models.example:8443");
}

TEST_CASE("the scheme's own port is left out of the Host field") {
  CHECK(url("http://a.example").authority() == "a.example");
  CHECK(url("http://a.example:80/").authority() == "a.example");
  CHECK(url("https://a.example:80/").authority() == "a.example:80");
  CHECK(url("https://a.example").target() == "/");
  CHECK(url("https://a.example?x").target() == "/?x");
}

TEST_CASE("IPv6 addresses stand in brackets") {
  const Url parsed = url("http://[2001:DB8::1]:81/");
  CHECK(parsed.host() == "2001:db8::1");
  CHECK(parsed.authority() == "[2001:db8::1]:81");
}

TEST_CASE("what two readers could take for two hosts is refused") {
  for (const std::string_view text : {"",
                                      "a.example",
                                      "//a.example",
                                      "ftp://a.example",
                                      "file:///etc/passwd",
                                      "http:/a.example",
                                      "http://",
                                      "http:///path",
                                      "http://user@a.example/",
                                      "http://user:secret@a.example/",
                                      "http://a.example@evil.example/",
                                      "http://a.example\\@evil.example/",
                                      "http://a.example\\.evil.example/",
                                      "http://a%2eexample/",
                                      "http://a..example/",
                                      "http://.example/",
                                      "http://a.example./",
                                      "http://a b.example/",
                                      "http://n\xc3\xb6rd.example/",
                                      "http://a.example:/",
                                      "http://a.example:0/",
                                      "http://a.example:65536/",
                                      "http://a.example:80x/",
                                      "http://a.example:-1/",
                                      "http://a.example:+80/",
                                      "http://[::1/",
                                      "http://::1/",
                                      "http://[127.0.0.1]/",
                                      "http://[fe80::1%25eth0]/",
                                      "http://[::1]x/",
                                      "http://a.example/a b",
                                      "http://a.example/\r\nX: y",
                                      "http://a.example/\\..\\x",
                                      "http://a.example/\x7f",
                                      "http://a.example/\xc3\xa4"}) {
    CHECK_MESSAGE(!Url::parse(text).ok(), text);
  }
  const std::string with_nul("http://a.example/\0x", 19);
  CHECK_FALSE(Url::parse(with_nul).ok());
  CHECK_FALSE(Url::parse("http://a.example/" + std::string(9'000, 'x')).ok());
  CHECK_FALSE(Url::parse("http://" + std::string(64, 'a') + ".example/").ok());
}

TEST_CASE("numbers that only some resolvers take for an address are refused") {
  for (const std::string_view host : {"2130706433", "0x7f.1", "0x7f000001", "127.1", "127.0.1",
                                      "017700000001", "1.2.3.4.5", "256.1.1.1", "a.1", "a.0xff"}) {
    CHECK_MESSAGE(!Url::parse("http://" + std::string(host) + "/").ok(), host);
  }
  CHECK(Url::parse("http://127.0.0.1/").ok());
  CHECK(Url::parse("http://1.example/").ok());
}

TEST_CASE("references are resolved as RFC 3986 says") {
  const std::string_view base = "http://a.example/b/c/d?q";
  CHECK(resolved(base, "g") == "http://a.example:80/b/c/g");
  CHECK(resolved(base, "./g") == "http://a.example:80/b/c/g");
  CHECK(resolved(base, "g/") == "http://a.example:80/b/c/g/");
  CHECK(resolved(base, "/g") == "http://a.example:80/g");
  CHECK(resolved(base, "//h.example/g") == "http://h.example:80/g");
  CHECK(resolved(base, "?y") == "http://a.example:80/b/c/d?y");
  CHECK(resolved(base, "g?y") == "http://a.example:80/b/c/g?y");
  CHECK(resolved(base, "") == "http://a.example:80/b/c/d?q");
  CHECK(resolved(base, "#s") == "http://a.example:80/b/c/d?q");
  CHECK(resolved(base, ".") == "http://a.example:80/b/c/");
  CHECK(resolved(base, "..") == "http://a.example:80/b/");
  CHECK(resolved(base, "../g") == "http://a.example:80/b/g");
  CHECK(resolved(base, "../../../../g") == "http://a.example:80/g");
  CHECK(resolved(base, "/./g") == "http://a.example:80/g");
  CHECK(resolved(base, "/a/../b") == "http://a.example:80/b");
  CHECK(resolved(base, "g;x=1/../y") == "http://a.example:80/b/c/y");
  CHECK(resolved(base, "https://s.example/x") == "https://s.example:443/x");
  CHECK(resolved("https://a.example/", "//h.example/") == "https://h.example:443/");
}

TEST_CASE("references to other schemes or with raw characters are refused") {
  for (const std::string_view reference :
       {"javascript:alert(1)", "file:///etc/passwd", "gopher://a/", "http:g", "g h", "/\\evil",
        "//user@h.example/", "//", "g\r\nX: y"}) {
    CHECK_MESSAGE(resolved("http://a.example/", reference) == "refused", reference);
  }
}

TEST_CASE("query parameters are encoded as a form is") {
  Url to = url("http://a.example/p?x=1");
  to.add_query("a b", "c&d=\xc3\xa4/~");
  CHECK(to.target() == "/p?x=1&a+b=c%26d%3D%C3%A4%2F~");
  Url plain = url("http://a.example");
  plain.add_query("q", "\r\n");
  CHECK(plain.target() == "/?q=%0D%0A");
}

}  // namespace
}  // namespace aiserve::http::detail
