/// JsonLimits: what the JSON of a typed request may cost before it is refused with 400.
///
/// The number of bytes is bounded by ServerOptions::max_body, or the route's.
/// *Thread safety:* a value.
///
///     server.post("/v1/tree", http::typed(plant, {.limits = {.max_depth = 8}}));
#pragma once

#include <cstddef>

namespace aiserve::inline v0::http {

struct JsonLimits {
  /// Arrays and objects inside each other, 1 to 256.
  std::size_t max_depth = 64;
  /// Values of any kind, at least 1. Two bytes of text may become one value of a vector, so this is
  /// what bounds memory: times the size of the largest element.
  std::size_t max_values = 1'000'000;
  /// Bytes of one string, key or not, once its escapes are resolved.
  std::size_t max_string = 4 * 1024 * 1024;
  /// Characters of one number, at least 1. A double written out in full has no more than 1,077.
  std::size_t max_number = 1100;
  /// Bad fields that are listed in one answer, at least 1; with the last the reading ends.
  std::size_t max_problems = 100;
};

}  // namespace aiserve::inline v0::http
