#include "http/multipart.hpp"

#include <doctest/doctest.h>

#include "aiserve/http/request.hpp"
#include "http/head_parser.hpp"
#include "http/request_state.hpp"

namespace aiserve::http {
namespace {

using detail::MultipartParser;
using Outcome = MultipartParser::Outcome;

struct Read {
  std::vector<Part> parts;
  int status = 0;  // 0: complete
  std::string_view reason;
};

Read read(std::string_view body, std::size_t slice, const MultipartLimits& limits = {}) {
  MultipartParser parser("XX", limits);
  Read result;
  std::string content;
  const auto finish = [&] {
    if (!result.parts.empty()) result.parts.back().body = Bytes::copy(content);
    content.clear();
  };
  while (!body.empty()) {
    std::string_view piece = body.substr(0, slice);
    body.remove_prefix(piece.size());
    std::string_view data;
    for (Outcome outcome = parser.next(piece, data); outcome != Outcome::more;
         outcome = parser.next(piece, data)) {
      if (outcome == Outcome::failed) return {{}, parser.status(), parser.reason()};
      if (outcome == Outcome::data) content += data;
      if (outcome == Outcome::done) finish();
      if (outcome != Outcome::part) continue;
      finish();
      result.parts.emplace_back();
      static_cast<PartHead&>(result.parts.back()) = parser.take_head();
    }
  }
  if (!parser.complete()) result.status = 400;
  return result;
}

std::string part(std::string_view disposition, std::string_view content) {
  return "--XX\r\nContent-Disposition: form-data; " + std::string(disposition) + "\r\n\r\n" +
         std::string(content) + "\r\n";
}
const std::string kEnd = "--XX--\r\n";

// What `body` says, checked to be the same in every slicing.
Read parsed(const std::string& body, const MultipartLimits& limits = {}) {
  Read whole = read(body, body.size() + 1, limits);
  for (const std::size_t slice : {1UL, 2UL, 3UL, 7UL, 19UL}) {
    const Read sliced = read(body, slice, limits);
    CHECK(sliced.status == whole.status);
    REQUIRE(sliced.parts.size() == whole.parts.size());
    for (std::size_t i = 0; i < whole.parts.size(); ++i) {
      CHECK(sliced.parts[i].name == whole.parts[i].name);
      CHECK(sliced.parts[i].filename == whole.parts[i].filename);
      CHECK(sliced.parts[i].body == whole.parts[i].body);
    }
  }
  return whole;
}
int status_of(const std::string& body, const MultipartLimits& limits = {}) {
  return parsed(body, limits).status;
}

TEST_CASE("fields and files are read as a browser sends them") {
  const Read form =
      parsed(part(R"(name="who")", "Ada") +
             "--XX\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a b.png\"\r\n"
             "Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\r\n" +
             kEnd);
  REQUIRE(form.status == 0);
  REQUIRE(form.parts.size() == 2);
  CHECK(form.parts[0].name == "who");
  CHECK_FALSE(form.parts[0].filename);
  CHECK(form.parts[0].body.text() == "Ada");
  CHECK(form.parts[1].filename == "a b.png");
  CHECK(form.parts[1].content_type == "image/png");
  CHECK(form.parts[1].body.text() == "\x89PNG\r\n\x1a\n");
}

TEST_CASE("contents that look like boundaries are contents") {
  for (const std::string_view content :
       {"", "\r", "\r\n", "\r\n-", "\r\n--X", "\r\r\n--", "\r\n--Xx", "--X", "--",
        "-\r\n--X\r\n--X", "\r\n--\r\n--X\r\n", "--XY", "\r\n\r\n\r\n"}) {
    CAPTURE(content);
    const Read form = parsed(part("name=a", content) + kEnd);
    REQUIRE(form.status == 0);
    CHECK(form.parts[0].body.text() == content);
  }
}

TEST_CASE("what stands around the boundaries is refused") {
  CHECK(status_of("preamble\r\n" + part("name=a", "1") + kEnd) == 400);
  CHECK(status_of("\r\n" + part("name=a", "1") + kEnd) == 400);
  CHECK(status_of(part("name=a", "1") + kEnd + "epilogue") == 400);
  CHECK(status_of(part("name=a", "1") + kEnd + "\r\n") == 400);
  CHECK(status_of(part("name=a", "1") + "--XX--") == 0);
  CHECK(status_of(part("name=a", "1") + "--XX-- \r\n") == 400);
  CHECK(status_of("--XX \r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" + kEnd) == 400);
  CHECK(status_of("--XXY\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" + kEnd) == 400);
  CHECK(status_of(part("name=a", "x\r\n--XXtra") + kEnd) == 400);
  CHECK(status_of("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n--XX--\r\n") == 400);
  CHECK(status_of(kEnd) == 400);
  CHECK(status_of("--XX\n" + part("name=a", "1").substr(6) + kEnd) == 400);
}

TEST_CASE("a body that is cut off anywhere is not complete") {
  const std::string body = part("name=a", "content") + part("name=b", "") + "--XX--";
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK(read(body.substr(0, size), 5).status == 400);
  }
}

TEST_CASE("heads of parts are read strictly") {
  const auto head = [](std::string_view lines) {
    return status_of("--XX\r\n" + std::string(lines) + "\r\ncontent\r\n" + kEnd);
  };
  CHECK(head("content-DISPOSITION:form-data;name=a\r\n") == 0);
  CHECK(head("Content-Disposition: form-data; name=a; extra=1\r\n") == 0);
  CHECK(head("Content-Disposition: form-data; name=a\r\nX-Any: thing\r\n") == 0);
  CHECK(head("") == 400);
  CHECK(head("Content-Type: text/plain\r\n") == 400);
  CHECK(head("Content-Disposition: form-data\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=\"\"\r\n") == 400);
  CHECK(head("Content-Disposition: attachment; name=a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=a; name=b\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=a; filename=b; filename=c\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=\"a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=a;\r\n") == 400);
  CHECK(head("Content-Disposition: form-data name=a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=\"\xc0\xaf\"\r\n") == 400);
  CHECK(head(std::string_view("Content-Disposition: form-data; name=\"a\0b\"\r\n", 44)) == 400);
  CHECK(
      head(
          "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n") ==
      400);
  CHECK(head("Content-Disposition : form-data; name=a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data;\r\n name=a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=a\n") == 400);
  CHECK(head("no colon\r\nContent-Disposition: form-data; name=a\r\n") == 400);
  CHECK(head("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n") ==
        400);
  CHECK(head("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: binary\r\n") ==
        0);
}

TEST_CASE("names are given as they were meant and as text only") {
  const auto filename = [](std::string_view written) {
    const Read form = parsed(part("name=f; filename=" + std::string(written), "") + kEnd);
    REQUIRE(form.status == 0);
    return form.parts[0].filename.value();
  };
  CHECK(filename(R"("say \"hi\".txt")") == R"(say "hi".txt)");
  CHECK(filename(R"("C:\temp\x.txt")") == R"(C:\temp\x.txt)");
  CHECK(filename(R"("..\\..\\etc")") == R"(..\..\etc)");
  CHECK(filename(R"("../../etc/passwd")") == "../../etc/passwd");
  CHECK(filename(R"("a;b=c.txt")") == "a;b=c.txt");
  CHECK(filename("\"\xe2\x82\xac.txt\"") == "\xe2\x82\xac.txt");
  CHECK(filename(R"("")").empty());
}

TEST_CASE("every limit holds, to the byte") {
  const std::string two = part("name=a", "12345") + part("name=b", "1") + kEnd;
  CHECK(status_of(two, {.max_parts = 2}) == 0);
  CHECK(status_of(two, {.max_parts = 1}) == 413);
  CHECK(status_of(two, {.max_part_size = 5}) == 0);
  CHECK(status_of(two, {.max_part_size = 4}) == 413);
  CHECK(status_of(part("name=abc", "") + kEnd, {.max_name = 3}) == 0);
  CHECK(status_of(part("name=abcd", "") + kEnd, {.max_name = 3}) == 400);
  const std::string head = "Content-Disposition: form-data; name=a\r\n";
  const std::string more = "--XX\r\n" + head + "X: 1\r\n\r\n\r\n" + kEnd;
  CHECK(status_of(more, {.max_headers = 2}) == 0);
  CHECK(status_of(more, {.max_headers = 1}) == 400);
  const std::string one = "--XX\r\n" + head + "\r\n\r\n" + kEnd;
  CHECK(status_of(one, {.max_header_bytes = head.size() + 2}) == 0);
  CHECK(status_of(one, {.max_header_bytes = head.size() + 1}) == 413);
  CHECK(status_of("--XX\r\n" + std::string(100'000, 'h')) == 413);
}

TEST_CASE("a boundary is taken from a good Content-Type only") {
  using detail::multipart_boundary;
  CHECK(multipart_boundary("multipart/form-data; boundary=abc") == "abc");
  CHECK(multipart_boundary("Multipart/Form-Data;charset=utf-8; boundary=\"a b?c\"") == "a b?c");
  CHECK(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'b')));
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/mixed; boundary=a"),
        std::string("multipart/form-data; boundary="),
        std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary=a; boundary=b"),
        std::string("multipart/form-data; boundary=\"a "),
        std::string("multipart/form-data; boundary=\"a \""),
        std::string("multipart/form-data; boundary=\"a\\\\b\""),
        "multipart/form-data; boundary=" + std::string(71, 'b')}) {
    CAPTURE(bad);
    CHECK_FALSE(multipart_boundary(bad));
  }
}

TEST_CASE("a request gives its parts as slices of its body") {
  const std::string form = part("name=a", "first") + part("name=b; filename=x", "second") +
                           part("name=a", "third") + kEnd;
  detail::RequestState state;
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=XX\r\n\r\n";
  detail::HeadParser parser;
  REQUIRE(parser.parse(head, {}, state.head) == detail::HeadParser::Outcome::done);
  REQUIRE(state.bind(head.data()));
  state.body_block = Bytes::copy(form);
  state.body = state.body_block.view();
  const Request request(state);
  const auto parts = multipart(request).value();
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].body.text() == "first");
  CHECK(parts[1].body.text() == "second");
  CHECK(parts[2].body.text() == "third");
  const std::byte* const in = parts[1].body.data();
  CHECK((in > state.body.data() && in < state.body.data() + state.body.size()));
  CHECK(find(parts, "a")->body.text() == "first");
  CHECK(find(parts, "c") == nullptr);
  CHECK(multipart(request, {.max_parts = 1}).error().code() == Errc::too_large);
  state.body = state.body.first(20);
  state.body_block = {};
  CHECK(multipart(request).error().code() == Errc::malformed);
}

TEST_CASE("another Content-Type is told from a malformed body") {
  detail::RequestState state;
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n\r\n";
  detail::HeadParser parser;
  REQUIRE(parser.parse(head, {}, state.head) == detail::HeadParser::Outcome::done);
  REQUIRE(state.bind(head.data()));
  CHECK(multipart(Request(state)).error().code() == Errc::invalid_argument);
}

}  // namespace
}  // namespace aiserve::http
