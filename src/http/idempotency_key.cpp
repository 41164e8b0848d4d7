#include "http/idempotency_key.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kKeyField = "Idempotency-Key";
constexpr std::size_t kLongest = 255;

std::size_t fields_of(const Request& request) noexcept {
  std::size_t count = 0;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    if (iequals(request.header_at(i).first, kKeyField)) ++count;
  }
  return count;
}

}  // namespace

Result<std::optional<std::string>> idempotency_key(const Request& request) {
  if (!request.has_header(kKeyField)) return std::optional<std::string>();
  if (fields_of(request) > 1) return Error(Errc::invalid_argument, "a second Idempotency-Key");
  std::string_view key = request.header(kKeyField);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"') {
    key = key.substr(1, key.size() - 2);
  }
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (key.empty() || key.size() > kLongest || !printable) {
    return Error(Errc::invalid_argument, "Idempotency-Key has 1 to 255 printable characters");
  }
  return std::optional<std::string>(key);
}

}  // namespace aiserve::inline v0::http::detail
