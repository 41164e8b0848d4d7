// libFuzzer over what a server may answer to http::Client: head, framing and body.
//
// The first byte picks the slicing and whether it was a HEAD, the rest is what the server sends.
// Promises held on every input: outcome, body and reason don't depend on the slicing; a body never
// exceeds its limit; no field holds a line end; an answer that may be followed by another on its
// connection named its own end.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/client/response_parser.hpp"

namespace {

using aiserve::http::detail::ResponseLimits;
using aiserve::http::detail::ResponseParser;
using Outcome = ResponseParser::Outcome;

constexpr ResponseLimits kLimits{2048, 16, 4096};

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

struct Parsed {
  Outcome outcome = Outcome::more;
  std::string body;
  std::string reason;
  std::size_t left = 0;
  bool reusable = false;
};

Parsed parse(std::string_view bytes, std::size_t slice, bool bodiless) {
  ResponseParser parser(kLimits, bodiless);
  Parsed parsed;
  while (!bytes.empty() && parsed.outcome == Outcome::more) {
    const std::string copy(bytes.substr(0, slice));
    std::string_view input = copy;
    do {
      std::string_view piece;
      parsed.outcome = parser.next(input, piece);
      if (parsed.outcome == Outcome::data) parsed.body += piece;
    } while (parsed.outcome == Outcome::data || parsed.outcome == Outcome::head);
    bytes.remove_prefix(copy.size() - input.size());
  }
  if (parsed.outcome == Outcome::more) parsed.outcome = parser.end();
  parsed.left = bytes.size();
  parsed.reason = parser.reason();
  parsed.reusable = parsed.outcome == Outcome::done && parser.reusable();
  promise(parsed.body.size() <= kLimits.body_bytes, "a body stays within its limit");
  promise(parser.head().fields.size() <= kLimits.headers, "no more fields than the limit");
  for (const auto& [name, value] : parser.head().fields) {
    const std::string_view bad("\r\n\0", 3);
    promise(value.find_first_of(bad) == std::string::npos, "a field is one line");
    promise(!name.empty() && name.find_first_of(" \t:\r\n") == std::string::npos, "a name is one");
  }
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool bodiless = (data[0] & 0x80) != 0;
  const Parsed whole = parse(bytes, bytes.size() + 1, bodiless);
  const Parsed sliced = parse(bytes, 1 + (data[0] & 0x3f), bodiless);
  promise(whole.outcome == sliced.outcome, "slicing changes nothing");
  promise(whole.reason == sliced.reason, "nor the reason");
  if (whole.outcome != Outcome::done) return 0;
  promise(whole.body == sliced.body && whole.left == sliced.left, "nor the body");
  promise(whole.reusable == sliced.reusable, "nor what may follow");
  promise(!bodiless || whole.body.empty(), "the answer to a HEAD has no body");
  return 0;
}
