// When the verification keys of an issuer are fetched again, and what to do meanwhile. Pure.
//
// Keys are used while they are younger than max_stale, whether or not they can be fetched anew;
// they are fetched after refresh_after, and at once when somebody shows a key that is not known,
// but never more often than once per cool_down, however many unknown keys are shown.
#pragma once

#include <cstdint>
#include <optional>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct KeyRefreshRules {
  Nanos refresh_after = 0;
  Nanos max_stale = 0;  // >= refresh_after
  Nanos cool_down = 0;
};

struct KeyRefreshState {
  std::optional<Nanos> loaded;  // when the keys in use were fetched
  std::optional<Nanos> tried;   // when the last fetch began
  bool fetching = false;
};

enum class KeyStep : std::uint8_t {
  use,              // what there is
  use_and_refresh,  // and begin to fetch
  wait,             // for the fetch: begin it unless one is on its way
  refuse,           // the key is not known, and it is too early to ask again
  unavailable       // there are no keys, and it is too early to ask again
};

// `known`: the key that is asked for is among those in use.
inline KeyStep next_key_step(const KeyRefreshRules& rules, const KeyRefreshState& state, bool known,
                             Nanos now) noexcept {
  const bool may_fetch = !state.tried || now - *state.tried >= rules.cool_down;
  const bool usable = state.loaded && now - *state.loaded < rules.max_stale;
  if (!usable) return state.fetching || may_fetch ? KeyStep::wait : KeyStep::unavailable;
  if (!known) return state.fetching || may_fetch ? KeyStep::wait : KeyStep::refuse;
  const bool due = now - *state.loaded >= rules.refresh_after;
  return due && may_fetch && !state.fetching ? KeyStep::use_and_refresh : KeyStep::use;
}

// Until when a known key may be used without asking next_key_step() again.
inline Nanos next_key_look(const KeyRefreshRules& rules, const KeyRefreshState& state,
                           Nanos now) noexcept {
  if (!state.loaded) return now;
  const Nanos due = *state.loaded + rules.refresh_after;
  const Nanos unusable = *state.loaded + rules.max_stale;
  const Nanos allowed = state.tried ? *state.tried + rules.cool_down : now;
  const Nanos look = due > allowed ? due : allowed;
  return look < unusable ? look : unusable;
}

}  // namespace aiserve::inline v0::decide
