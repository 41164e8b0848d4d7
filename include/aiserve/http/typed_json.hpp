/// to_json() and from_json(): JSON of described types outside of requests, by the same rules.
///
/// *Thread safety:* any thread. *Errors:* from_json() gives malformed for what is no JSON, and
/// invalid_argument for what doesn't fit: the message lists the first problems with their pointers.
/// to_json() gives internal for an enum value that has no name. NaN and infinities become null,
/// invalid UTF-8 U+FFFD.
///
///     const std::string text = http::to_json(Pet{.name = "Rex"}).value();  //
///     {"name":"Rex","age":0} const Pet pet = http::from_json<Pet>(text).value();
#pragma once

#include <aiserve/core/result.hpp>
#include <aiserve/http/description.hpp>
#include <aiserve/http/json_limits.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0::http {

namespace detail {
Result<void> read_text(const DescribedType& type, std::string_view text, const JsonLimits& limits,
                       void* value);
Result<std::string> write_text(const DescribedType& type, const void* value);
}  // namespace detail

template <class T>
Result<T> from_json(std::string_view text, const JsonLimits& limits = {}) {
  T value{};
  const Result<void> read = detail::read_text(detail::type_of<T>(), text, limits, &value);
  if (!read) return read.error();
  return value;
}

template <class T>
Result<std::string> to_json(const T& value) {
  return detail::write_text(detail::type_of<T>(), &value);
}

}  // namespace aiserve::inline v0::http
