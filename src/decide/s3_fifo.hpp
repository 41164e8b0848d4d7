// S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP
// 2023): which queue gives, and what becomes of the entry at its end. Pure.
//
// What is new enters the small queue. Reaching its end, it moves to the main queue if it was asked
// for in the meantime, else it leaves and only its fingerprint stays, in the ghost; what is put
// while its fingerprint is there enters the main queue at once. The end of the main queue goes
// round again while it has hits left. A hit only counts up to 3.
//
// Laps are ours: an entry that was dear for its size (decide/retention.hpp) goes round so many
// times without a hit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace aiserve::inline v0::decide {

enum class FifoQueue : std::uint8_t { small, main };
enum class Fate : std::uint8_t { evict, promote, again };

inline constexpr std::uint8_t kMostHits = 3;
inline constexpr std::uint8_t kMostLaps = 3;

struct FifoSizes {
  std::size_t small_bytes = 0;
  std::size_t small_entries = 0;
  std::size_t main_bytes = 0;
  std::size_t main_entries = 0;
};

/// What an entry remembers.
struct FifoMarks {
  std::uint8_t hits = 0;  ///< since it entered its queue, less one per round; at most kMostHits
  std::uint8_t laps = 0;  ///< rounds it may still take without a hit; at most kMostLaps
  friend bool operator==(const FifoMarks&, const FifoMarks&) noexcept = default;
};

/// The queue that gives when something has to leave. One of them is not empty.
FifoQueue queue_to_evict(const FifoSizes& sizes) noexcept;

struct Verdict {
  Fate fate = Fate::evict;
  FifoMarks marks{};  ///< to go on with, unless evicted
};

/// What becomes of the entry at the end of `queue`.
Verdict judge(FifoQueue queue, FifoMarks marks) noexcept;

/// Fingerprints to remember: as many as the main queue has entries.
inline std::size_t ghost_entries(const FifoSizes& sizes) noexcept {
  return sizes.main_entries + sizes.small_entries;
}

}  // namespace aiserve::inline v0::decide
