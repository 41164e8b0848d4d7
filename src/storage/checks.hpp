// What every store refuses before it looks at its data.
#pragma once

#include "aiserve/storage/key_value_store.hpp"

namespace aiserve::inline v0::detail {

inline Result<void> check_size(std::size_t size, std::size_t largest, const char* what) {
  if (size <= largest) return success();
  return Error(Errc::too_large, std::string(what) + " is larger than the store takes");
}

inline Result<void> check_duration(std::chrono::milliseconds given, const char* what) {
  if (given.count() >= 1) return success();
  return Error(Errc::invalid_argument, std::string(what) + " must be at least 1 ms");
}

inline Result<void> check_limit(int limit) {
  if (limit >= 1 && limit <= 1000) return success();
  return Error(Errc::invalid_argument, "limit must be 1 to 1000");
}

inline Result<void> check_put(const StoreKey& key, const Bytes& value, std::size_t largest,
                              const PutOptions& options) {
  if (auto good = key.check(); !good) return good;
  if (options.ttl) {
    if (auto good = check_duration(*options.ttl, "ttl"); !good) return good;
  }
  return check_size(value.size(), largest, "the value");
}

inline Error version_conflict() {
  return Error(Errc::conflict, "the value was changed by somebody else");
}

}  // namespace aiserve::inline v0::detail
