// libFuzzer over the readers of single header fields, and of compressed bodies.
//
// Promises held on every input: ranges lie inside the file and are not longer than it together; a
// date that is read is written as one that is read the same; a decoded body obeys its limit however
// it is sliced.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "http/body_decoder.hpp"
#include "http/byte_range.hpp"
#include "http/coding.hpp"
#include "http/http_date.hpp"
#include "http/preconditions.hpp"

namespace {

namespace detail = aiserve::http::detail;

void promise(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

void check_ranges(std::string_view field, std::uint64_t size) {
  const detail::RangeChoice choice = detail::choose_ranges(field, size, 4);
  std::uint64_t together = 0;
  promise(choice.ranges.size() <= 4, "no more ranges than the limit");
  for (const detail::ByteRange& range : choice.ranges) {
    promise(range.size != 0 && range.begin < size && range.size <= size - range.begin,
            "a range lies inside the file");
    together += range.size;
  }
  promise(together <= size, "ranges are not longer than the file");
}

void check_date(std::string_view field) {
  const auto at = detail::parse_http_date(field);
  if (!at) return;
  std::string text;
  detail::append_http_date(text, *at);
  promise(detail::parse_http_date(text) == at, "a date is written as it was read");
}

void check_coding(std::string_view field) {
  detail::AcceptEncoding accept;
  accept.add(field);
  for (std::size_t i = 0; i < detail::kCodings; ++i) {
    const int weight = accept.weight(static_cast<detail::Coding>(i));
    promise(weight >= 0 && weight <= 1000, "a weight is 0 to 1");
  }
}

void check_body(std::string_view bytes, std::size_t slice) {
  constexpr std::uint64_t kLimit = 4096;
  const auto body = std::as_bytes(std::span(bytes));
  const detail::DecodedBody whole = detail::decode_body(detail::Coding::gzip, body, kLimit);
  promise(whole.body.size() <= kLimit, "a decoded body obeys its limit");
  detail::BodyDecoder decoder(detail::Coding::gzip, kLimit);
  std::string out;
  auto outcome = detail::BodyDecoder::Outcome::more;
  for (std::size_t at = 0; at < body.size(); at += slice) {
    aiserve::ByteView piece = body.subspan(at, std::min(slice, body.size() - at));
    outcome = decoder.feed(piece, out);
    if (outcome != detail::BodyDecoder::Outcome::more) break;
  }
  const bool decoded = outcome == detail::BodyDecoder::Outcome::more && decoder.complete();
  promise(decoded == (whole.status == 0), "slicing changes nothing");
  if (decoded) promise(out == whole.body.text(), "nor the content");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_ranges(bytes, data[0]);
  check_date(bytes);
  check_coding(bytes);
  check_body(bytes, 1 + (data[0] & 0x3f));
  const detail::Validators have{R"("a-1")", 784'111'777};
  const int status = detail::check_conditions({bytes, bytes, bytes, bytes, bytes}, have);
  promise(status == 200 || status == 304 || status == 412, "a condition has three outcomes");
  (void)detail::range_applies(bytes, have);
  return 0;
}
