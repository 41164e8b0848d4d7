// libFuzzer over the head gate: request line, header fields and path.
//
// The first byte picks the slicing, the rest is what a peer sends.
// Promises held on every input: the outcome doesn't depend on the slicing; whatever the head points
// to lies inside it; an accepted head names one host and one framing; an accepted path has no way
// up.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/char_class.hpp"
#include "http/head_parser.hpp"
#include "http/target.hpp"

namespace {

using aiserve::http::detail::Head;
using aiserve::http::detail::HeadLimits;
using aiserve::http::detail::HeadParser;
using aiserve::http::detail::Span;
using Outcome = HeadParser::Outcome;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

const HeadLimits kLimits{2048, 512, 16};

Outcome parse(HeadParser& parser, std::string_view bytes, std::size_t slice, Head& head) {
  Outcome outcome = Outcome::more;
  for (std::size_t end = slice; outcome == Outcome::more; end += slice) {
    outcome = parser.parse(bytes.substr(0, end), kLimits, head);
    if (end >= bytes.size()) break;
  }
  return outcome;
}

void check_path(std::string_view raw) {
  std::string storage;
  const auto path = aiserve::http::detail::decode_path(raw, storage);
  if (!path) return;
  promise(path->starts_with('/'), "a path begins with a slash");
  promise(path->find("//") == std::string_view::npos, "a path has no empty segment");
  promise((std::string(*path) + "/").find("/../") == std::string::npos, "a path leads nowhere up");
  promise(path->find('\0') == std::string_view::npos, "a path has no NUL");
  promise(aiserve::http::detail::is_valid_utf8(*path), "a path is UTF-8");
}

// The characters of `bytes` that the parser lets into a path, behind a slash.
std::string target_of(std::string_view bytes) {
  std::string target = "/";
  for (const char c : bytes) {
    if (c != '?' && aiserve::http::detail::is(c, aiserve::http::detail::kTarget)) target += c;
  }
  return target;
}

void check_head(const Head& head, std::string_view bytes) {
  const auto inside = [&](const Span& span) {
    return std::size_t{span.offset} + span.size <= head.bytes;
  };
  promise(head.bytes <= bytes.size() && head.bytes <= kLimits.head_bytes,
          "a head is what was sent");
  promise(inside(head.target) && inside(head.path) && inside(head.query) && inside(head.host),
          "the parts of a head lie inside");
  promise(head.header_count <= kLimits.headers, "no more fields than the limit");
  promise(!(head.chunked && (head.has_length || head.http10)), "one framing");
  int hosts = 0;
  for (std::size_t i = 0; i < head.header_count; ++i) {
    promise(inside(head.headers[i].name) && inside(head.headers[i].value), "fields lie inside");
    const std::string_view value = head.headers[i].value.in(bytes.data());
    promise(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
            "a field is one line");
    if (aiserve::http::detail::iequals(head.headers[i].name.in(bytes.data()), "host")) ++hosts;
  }
  promise(hosts == 1 || (hosts == 0 && head.http10), "one host");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadParser whole;
  HeadParser sliced;
  Head head;
  Head other;
  const Outcome outcome = parse(whole, bytes, bytes.size() + 1, head);
  promise(parse(sliced, bytes, 1 + (data[0] & 0x3f), other) == outcome, "slicing changes nothing");
  if (outcome == Outcome::failed) promise(whole.status() == sliced.status(), "nor the status");
  if (outcome == Outcome::done) {
    promise(head.bytes == other.bytes, "nor the length");
    check_head(head, bytes);
    check_path(head.path.in(bytes.data()));
  }
  check_path(target_of(bytes));
  return 0;
}
