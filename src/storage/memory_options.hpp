#pragma once

#include <string>

#include "aiserve/storage/memory_key_value_store.hpp"

namespace aiserve::inline v0::detail {

inline const MemoryStoreOptions& checked(const MemoryStoreOptions& options, const char* store) {
  const std::string name = std::string(store) + ": ";
  if (options.capacity == 0) throw ConfigError(name + "capacity must be above 0");
  if (options.max_value == 0) throw ConfigError(name + "max_value must be above 0");
  return options;
}

}  // namespace aiserve::inline v0::detail
