// What KeyValueStore::add() makes of the value that a key has.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "storage/checks.hpp"

namespace aiserve::inline v0::detail {

inline Result<void> check_add(const StoreKey& key, const AddOptions& options) {
  if (auto good = key.check(); !good) return good;
  return options.ttl ? check_duration(*options.ttl, "ttl") : success();
}

/// `old` is the value there is. Errors: data_loss if it is no number.
inline Result<Sum> added_to(std::optional<std::string_view> old, std::int64_t amount,
                            std::int64_t at_most) {
  std::int64_t value = 0;
  if (old) {
    const char* const end = old->data() + old->size();
    const auto read = std::from_chars(old->data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) {
      return Error(Errc::data_loss, "the value to be added to is no number");
    }
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(value, amount, &sum)) return Sum{value, false};
  if (amount > 0 && sum > at_most) return Sum{value, false};
  return Sum{sum, true};
}

inline Bytes number_bytes(std::int64_t number) { return Bytes::adopt(std::to_string(number)); }

}  // namespace aiserve::inline v0::detail
