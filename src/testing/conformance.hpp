// Words that the conformance suites share.
#pragma once

#include <string>

#include "aiserve/testing/store_conformance.hpp"

namespace aiserve::inline v0::testing {

inline const TenantId kOne("conformance-1");
inline const TenantId kTwo("conformance-2");

inline Error broken(std::string message) { return Error(Errc::internal, std::move(message)); }

inline Result<void> require(bool held, const char* otherwise) {
  if (held) return success();
  return broken(otherwise);
}

/// It failed, and with this code.
template <class T>
Result<void> require_error(const Result<T>& result, Errc code, const char* what) {
  if (!result && result.error().code() == code) return success();
  return broken(std::string(what) +
                (result ? " succeeded" : " ended as " + result.error().to_string()));
}

/// Every byte there is.
inline std::string all_bytes() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

}  // namespace aiserve::inline v0::testing
