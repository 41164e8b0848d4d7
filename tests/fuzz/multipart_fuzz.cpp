// libFuzzer over the multipart parser.
//
// The first byte picks the slicing, the rest is a body with the boundary "b".
// Promises held on every input: the outcome doesn't depend on the slicing; contents are never
// longer than the body; limits hold; a failure is final.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/multipart.hpp"

namespace {

using aiserve::http::MultipartLimits;
using aiserve::http::detail::MultipartParser;
using Outcome = MultipartParser::Outcome;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

constexpr MultipartLimits kLimits{
    .max_parts = 4, .max_part_size = 64, .max_headers = 3, .max_header_bytes = 128, .max_name = 16};

struct Outcomes {
  std::string said;  // all that came out
  std::string_view failure;
};

Outcomes run(std::string_view body, std::size_t slice) {
  MultipartParser parser("b", kLimits);
  std::string said;
  std::size_t part_size = 0;
  std::size_t parts = 0;
  while (!body.empty()) {
    std::string_view piece = body.substr(0, slice);
    body.remove_prefix(piece.size());
    std::string_view data;
    for (Outcome outcome = parser.next(piece, data); outcome != Outcome::more;
         outcome = parser.next(piece, data)) {
      if (outcome == Outcome::failed) {
        std::string_view more = "--b";
        promise(parser.next(more, data) == Outcome::failed, "a failure is final");
        return {said, parser.reason()};
      }
      if (outcome == Outcome::part) {
        part_size = 0;
        promise(++parts <= kLimits.max_parts, "no more parts than the limit");
        promise(parser.head().name.size() <= kLimits.max_name, "no longer names than the limit");
        said += "[" + parser.head().name + "|" + parser.head().filename.value_or("-") + "]";
      }
      if (outcome == Outcome::data) {
        part_size += data.size();
        promise(part_size <= kLimits.max_part_size, "no larger parts than the limit");
        said += data;
      }
    }
  }
  return {said + (parser.complete() ? "." : "?"), {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcomes whole = run(body, body.size() + 1);
  const Outcomes sliced = run(body, 1 + (data[0] & 0x3f));
  promise(whole.failure == sliced.failure, "what is refused doesn't depend on the slicing");
  // In slices, a part that becomes too large has given the beginning of its content by then.
  promise(whole.failure.empty() ? whole.said == sliced.said : sliced.said.starts_with(whole.said),
          "what is read doesn't depend on the slicing");
  return 0;
}
