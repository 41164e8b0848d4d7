// SavedResponse: a Response as bytes, to be kept in a store and answered again.
#pragma once

#include <cstddef>
#include <optional>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/result.hpp"
#include "aiserve/http/response.hpp"

namespace aiserve::inline v0::http::detail {

class SavedResponse {
 public:
  // Nothing if it streams, cannot be sent, or would be longer than `at_most` bytes.
  static std::optional<Bytes> save(const Response& response, std::size_t at_most);
  // data_loss if it is none.
  static Result<Response> restore(const Bytes& saved);
};

}  // namespace aiserve::inline v0::http::detail
