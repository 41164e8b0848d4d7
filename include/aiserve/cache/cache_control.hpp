/// CacheControl: what one request asks of the cache, in the words of RFC 9111 section 5.2.1.
/// *Thread safety:* a value.
///
///     CacheControl control = CacheControl::parse(request.header("cache-control"));
///     Result<Tensor> scores = co_await classify(ctx, image, control);
#pragma once

#include <aiserve/core/deadline.hpp>

#include <optional>
#include <string_view>

namespace aiserve::inline v0 {

struct CacheControl {
  /// Compute it anew. A computation that is under way counts as new.
  bool no_cache = false;
  /// Don't keep the result, unless somebody else who waits for it lets it be kept.
  bool no_store = false;
  /// Don't compute: not_found if it is not there.
  bool only_if_cached = false;
  /// Nothing older than this, nor anything stale.
  std::optional<Duration> max_age{};

  /// Reads a Cache-Control field value: the directives above, and a max-age in seconds. Others are
  /// ignored; a max-age that is no number counts as 0 (section 4.2.1: treat as stale).
  static CacheControl parse(std::string_view field) noexcept;

  friend bool operator==(const CacheControl&, const CacheControl&) noexcept = default;
};

}  // namespace aiserve::inline v0
