#include "aiserve/http/typed_json.hpp"

#include "http/json_decoder.hpp"
#include "http/json_encoder.hpp"

namespace aiserve::inline v0::http::detail {

Result<void> read_text(const DescribedType& type, std::string_view text, const JsonLimits& limits,
                       void* value) {
  FieldErrors errors(limits.max_problems);
  JsonReader reader(text, limits);
  const bool whole = JsonDecoder(reader, errors).read(type, Checks{}, Step{}, value);
  if (whole) reader.finish();
  if (reader.failed()) return reader.error();
  if (!errors.empty()) return Error(Errc::invalid_argument, errors.summary());
  return success();
}

Result<std::string> write_text(const DescribedType& type, const void* value) {
  constexpr std::size_t kMost = 256;  // of the answers to most requests
  std::string text;
  text.reserve(kMost);
  if (write_json(type, value, text)) return text;
  constexpr const char* kNoName = "an enum or variant holds what its description doesn't name";
  return Error().with_detail(type.name + ": " + kNoName);
}

}  // namespace aiserve::inline v0::http::detail
