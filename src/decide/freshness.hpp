// Freshness: what an entry of some age is good for. Pure.
//
//     stored ----------- soft ------------- hard ------------ last
//     |      fresh       |      stale       |    on error     |   gone
//
// Between soft and hard it is served while it is refreshed (RFC 5861, stale-while-revalidate), then
// only in the place of an error (stale-if-error).
#pragma once

#include <cstdint>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

enum class Freshness : std::uint8_t { fresh, stale, on_error, gone };

/// Durations; kNever where there is no such limit.
struct Lifetimes {
  Nanos soft = kNever;       ///< at most hard
  Nanos hard = kNever;       ///< since it was stored
  Nanos stale_if_error = 0;  ///< after hard
  double jitter = 0;         ///< 0 to 1: soft and hard are shortened or extended by up to this
};

/// Points in time, ascending.
struct Expiry {
  Nanos stored = 0;
  Nanos soft = kNever;
  Nanos hard = kNever;
  Nanos last = kNever;
};

/// `random` is uniform over all 64 bits: entries stored together don't expire together.
Expiry expiry(const Lifetimes& lifetimes, Nanos now, std::uint64_t random) noexcept;

Freshness freshness(const Expiry& expiry, Nanos now) noexcept;

}  // namespace aiserve::inline v0::decide
