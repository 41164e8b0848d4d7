#include "aiserve/http/response.hpp"

#include <array>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/context.hpp"
#include "aiserve/core/tensor.hpp"
#include "http/response_writer.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using detail::OutBuffer;
using detail::ResponseWriter;
using Framing = ResponseWriter::Framing;
using Persistence = ResponseWriter::Persistence;

std::string pending_of(const OutBuffer& out) {
  std::array<iovec, 16> pieces;
  std::string text;
  const std::size_t used = out.gather(pieces);
  for (std::size_t i = 0; i < used; ++i) {
    text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return text;
}

std::string written(Response response, const Framing& framing = {}) {
  OutBuffer out;
  ResponseWriter::write(out, response, framing, "Date: now\r\n");
  return pending_of(out);
}

Context context() { return Context({.request_id = "r1"}); }

TEST_CASE("a response is written with its length, type and fields") {
  CHECK(written(text("hi")) ==
        "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 2\r\n\r\nhi");
  CHECK(written(json("{}").status(201).header("Location", "/x")) ==
        "HTTP/1.1 201 Created\r\nDate: now\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nLocation: /x\r\n\r\n{}");
  CHECK(written(Response(418)) == "HTTP/1.1 418 Unknown\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
}

TEST_CASE("HEAD gets the length but no body, 204 and 304 get neither") {
  CHECK(written(text("hi"), {.head_only = true}).ends_with("Content-Length: 2\r\n\r\n"));
  CHECK(written(no_content()) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
  CHECK(written(text("x").status(304)).find("Content-Length") == std::string::npos);
  CHECK(written(text("x").status(304)).ends_with("\r\n\r\n"));
}

TEST_CASE("Connection is said when it isn't understood by itself") {
  CHECK(written(text(""), {.persistence = Persistence::close}).find("Connection: close\r\n") !=
        std::string::npos);
  CHECK(written(text(""), {.persistence = Persistence::keep_on_http10})
            .find("Connection: keep-alive\r\n") != std::string::npos);
  CHECK(written(text("")).find("Connection") == std::string::npos);
}

TEST_CASE("setting a field replaces it, adding keeps both") {
  Response response = text("").header("X-A", "1").header("x-a", "2");
  CHECK(response.header("X-A") == "2");
  response.add_header("Set-Cookie", "a=1").add_header("Set-Cookie", "b=2");
  CHECK(written(response).find("x-a: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n") !=
        std::string::npos);
  CHECK(text("").header("content-type") == "text/plain; charset=utf-8");
  CHECK(text("").header("Content-Type", "text/csv").header("content-type") == "text/csv");
}

TEST_CASE("fields that would split or reframe a response make it a fault") {
  using namespace std::string_view_literals;
  for (const std::string_view value :
       {"a\r\nSet-Cookie: x"sv, "a\nb"sv, "a\rb"sv, "a\0b"sv, "\x7f"sv}) {
    CHECK_FALSE(ResponseWriter::fault(text("").header("X", value)).empty());
    CHECK_FALSE(ResponseWriter::fault(see_other(value)).empty());
  }
  for (const std::string_view name : {""sv, "a b"sv, "a:"sv, "a\r\nb"sv, "Content-Length"sv,
                                      "transfer-encoding"sv, "Connection"sv, "Date"sv}) {
    CHECK_FALSE(ResponseWriter::fault(text("").header(name, "1")).empty());
  }
  CHECK_FALSE(ResponseWriter::fault(Response(99)).empty());
  CHECK_FALSE(ResponseWriter::fault(Response(101)).empty());
  CHECK(ResponseWriter::fault(text("").header("X", "a\tb \xc3\xa4")).empty());
}

TEST_CASE("a problem tells type, title, status, detail and request id") {
  const Response response =
      problem(context(), Error(Errc::overloaded, "the \"queue\" is full").retry_after(1500ms));
  CHECK(response.status() == 503);
  CHECK(response.header("content-type") == "application/problem+json");
  CHECK(response.header("Retry-After") == "2");
  CHECK(response.body() == R"({"type":"urn:aiserve:overloaded","title":"Overloaded","status":503,)"
                           R"("detail":"the \"queue\" is full","request_id":"r1"})");
  CHECK(problem(context(), 405, "no").body() ==
        R"({"type":"about:blank","title":"Method Not Allowed","status":405,)"
        R"("detail":"no","request_id":"r1"})");
}

TEST_CASE("the detail of an error stays out of its problem") {
  const Error error = Error(Errc::internal, "internal error").with_detail("/etc/secret");
  CHECK(problem(context(), error).body().find("secret") == std::string_view::npos);
}

TEST_CASE("a tensor is written with dtype, shape and data") {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor tensor = Tensor::from<float>(Shape{2, 1}, {0.5F, nan}).value();
  CHECK(json(tensor).body() == R"({"dtype":"float32","shape":[2,1],"data":[0.5,null]})");
}

TEST_CASE("the Date line follows RFC 9110 and changes with the second") {
  detail::DateLine date;
  const WallTime when{std::chrono::seconds(784'111'777)};
  CHECK(date.at(when) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(date.at(when + 999ms) == "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(date.at(when + 1s) == "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
}

TEST_CASE("large bodies are referenced, and any way of sending gives the same bytes") {
  const Bytes large = Bytes::copy(std::string(100'000, 'L'));
  const std::string expected =
      "head1" + std::string(100'000, 'L') + "head2" + std::string(100'000, 'L') + "end";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096},
                                 std::size_t{100'003}, std::size_t{1'000'000}}) {
    if (step == 1 && expected.size() > 300'000) continue;
    OutBuffer out;
    out.text() += "head1";
    out.append(large);
    out.text() += "head2";
    out.append(large);
    out.text() += "end";
    CHECK(out.pending() == expected.size());
    std::string sent;
    while (!out.empty()) {
      std::array<iovec, 2> pieces;
      REQUIRE(out.gather(pieces) > 0);
      const std::size_t n = std::min(step, pieces[0].iov_len);
      sent.append(static_cast<const char*>(pieces[0].iov_base), n);
      out.consume(n);
    }
    CHECK(sent == expected);
  }
}

}  // namespace
}  // namespace aiserve::http
