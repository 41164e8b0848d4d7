// When requests come in an open loop: the times are fixed before the first one is sent, whatever
// the answers do. All times are nanoseconds from the start, ascending; the same seed gives the same
// times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tuner {

using Nanos = std::int64_t;

enum class ArrivalKind : std::uint8_t {
  poisson,  ///< independent users: exponential gaps
  uniform,  ///< a metronome; flatters every system
  bursty,   ///< Poisson, but only in the `on` part of every on + off
  replay,   ///< the times of a file
};

struct ArrivalPlan {
  ArrivalKind kind = ArrivalKind::poisson;
  double on_seconds = 0.1;        ///< bursty: > 0
  double off_seconds = 0.1;       ///< bursty: >= 0
  std::vector<Nanos> recorded{};  ///< replay
};

/// `per_second` is the mean over all of `seconds`, bursts and pauses together. A replay keeps its
/// own rate when `per_second` is 0, else its times are stretched to it; it repeats until `seconds`
/// are over.
std::vector<Nanos> make_arrivals(const ArrivalPlan& plan, double per_second, double seconds,
                                 std::uint64_t seed);

/// Of the recorded times alone; 0 when there are fewer than two.
double recorded_rate(std::span<const Nanos> recorded) noexcept;

struct Arrival {
  Nanos at = 0;
  std::uint32_t tenant = 0;

  friend bool operator==(const Arrival&, const Arrival&) = default;
};

/// One stream per tenant, merged by time.
std::vector<Arrival> merge_streams(std::span<const std::vector<Nanos>> streams);

}  // namespace tuner
