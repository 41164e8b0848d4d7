// decide_lookup: what to do with what the cache found, given what the request asks for. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

enum class Found : std::uint8_t {
  nothing,
  fresh,
  stale,     ///< past its soft limit
  expired,   ///< past its hard limit, good in the place of an error
  negative,  ///< stands for an error
};

/// As in aiserve::CacheControl.
struct Ask {
  bool no_cache = false;
  bool only_if_cached = false;
  std::optional<Nanos> max_age{};
};

enum class LookupAction : std::uint8_t {
  serve,
  serve_and_refresh,
  fail,  ///< with the error that was cached
  load,
  load_or_expired,  ///< what was found may stand in for an error
  refuse,           ///< it is not there, and must not be computed
};

constexpr LookupAction decide_lookup(Found found, Nanos age, const Ask& ask) noexcept {
  const LookupAction miss = ask.only_if_cached ? LookupAction::refuse : LookupAction::load;
  if (ask.no_cache || found == Found::nothing) return miss;
  const bool too_old = ask.max_age && age > *ask.max_age;
  switch (found) {
    case Found::fresh:
      return too_old ? miss : LookupAction::serve;
    case Found::negative:
      return too_old ? miss : LookupAction::fail;
    // Who names an age wants nothing stale (RFC 9111 section 5.2.1.1).
    case Found::stale:
      return ask.max_age ? miss : LookupAction::serve_and_refresh;
    default:
      return ask.only_if_cached ? LookupAction::refuse : LookupAction::load_or_expired;
  }
}

}  // namespace aiserve::inline v0::decide
