#include "aiserve/cache/cache_control.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>

namespace aiserve::inline v0 {
namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

bool equals(std::string_view text, std::string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// RFC 9111 section 1.2.2: what is too large is taken as 2^31 seconds.
Duration seconds(std::string_view digits) noexcept {
  if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"') {
    digits = digits.substr(1, digits.size() - 2);
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 31;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) return std::chrono::seconds(kMost);
  if (error != std::errc() || end != digits.data() + digits.size()) return Duration::zero();
  return std::chrono::seconds(static_cast<std::int64_t>(std::min<std::uint64_t>(value, kMost)));
}

// The end of the directive that begins the text; commas inside quotes don't count.
std::size_t end_of_directive(std::string_view text) noexcept {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] == ',' && !quoted) return i;
  }
  return text.size();
}

void apply(CacheControl& control, std::string_view name, std::string_view argument) noexcept {
  if (equals(name, "no-cache")) control.no_cache = true;
  if (equals(name, "no-store")) control.no_store = true;
  if (equals(name, "only-if-cached")) control.only_if_cached = true;
  if (!equals(name, "max-age")) return;
  const Duration age = seconds(argument);
  control.max_age = control.max_age ? std::min(*control.max_age, age) : age;
}

}  // namespace

CacheControl CacheControl::parse(std::string_view field) noexcept {
  CacheControl control;
  while (!field.empty()) {
    const std::size_t end = end_of_directive(field);
    const std::string_view directive = trimmed(field.substr(0, end));
    const std::size_t equal = std::min(directive.find('='), directive.size());
    apply(control, trimmed(directive.substr(0, equal)),
          trimmed(directive.substr(std::min(equal + 1, directive.size()))));
    field.remove_prefix(std::min(end + 1, field.size()));
  }
  return control;
}

}  // namespace aiserve::inline v0
