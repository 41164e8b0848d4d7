// Parsed: what came out of a text or file, or why nothing did.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace aiserve::inline v0::decide {

template <class T>
struct Parsed {
  Parsed(T parsed) : value(std::move(parsed)) {}
  static Parsed failed(std::string why) {
    Parsed result;
    result.error = std::move(why);
    return result;
  }

  explicit operator bool() const noexcept { return value.has_value(); }

  std::optional<T> value;
  std::string error;  ///< for whoever wrote the text; empty if there is a value

 private:
  Parsed() = default;
};

}  // namespace aiserve::inline v0::decide
