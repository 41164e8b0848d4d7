// SequenceTable: which sequences are open, in which slot each one lives, whose step has the turn,
// and which have been idle for too long. The states themselves are the caller's, by slot.
//
// A slot is *busy* while a step has its turn, *idle* between steps, and free else. At most one step
// of a sequence has the turn; the caller keeps those that wait, in order. Keys are (tenant, id), so
// no tenant can name the sequence of another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "decide/nanos.hpp"

namespace aiserve::inline v0::decide {

struct SequenceLimits {
  std::size_t max_sequences = 1024;
  std::size_t max_per_tenant = 1024;
  std::size_t max_waiting = 16;  // steps of one sequence, beside the one that has the turn
  Nanos idle_timeout = 0;        // > 0
};

enum class StepVerdict : std::uint8_t {
  run,          // it has the turn; finish() ends it
  wait,         // it counts among the waiting; take() or leave() ends that
  unknown,      // no such sequence, and the step does not start one
  crowded,      // too many steps of this sequence wait
  full,         // all slots are taken
  tenant_full,  // all that this tenant may have
};

struct StepAdmission {
  StepVerdict verdict;
  std::uint32_t slot = 0;  // of run and wait
  Nanos retry_after = 0;   // of full and tenant_full: when an idle one will have expired
  std::span<const std::uint32_t> expired{};  // as expire()
};

/// What a step leaves behind.
enum class StepEnd : std::uint8_t {
  unchanged,  // it failed: the sequence is what it was before it
  advanced,   // the sequence is there, with a new state
  ended,      // it was the last one
};

class SequenceTable {
 public:
  explicit SequenceTable(const SequenceLimits& limits) noexcept : limits_(limits) {}

  /// A step has come. `now` must never go back. Throws bad_alloc and has changed nothing then, but
  /// for what had expired.
  StepAdmission arrive(std::string_view tenant, std::string_view id, bool start, Nanos now);
  /// Precondition: one waits and none has the turn. The first that waits has it now.
  void take(std::uint32_t slot) noexcept;
  /// Precondition: one has the turn. One of those that wait gives up.
  void leave(std::uint32_t slot) noexcept { --slots_[slot].waiting; }
  /// Precondition: one has the turn. Whether the sequence has a state: a step that does not start
  /// one may only run then.
  bool live(std::uint32_t slot) const noexcept { return slots_[slot].live; }
  /// Precondition: one has the turn, which ends now. True: the slot is free. Else, if some wait,
  /// take() must follow before anything else.
  bool finish(std::uint32_t slot, StepEnd end, Nanos now) noexcept;

  /// Frees the slots of those that have been idle for idle_timeout or longer, and names them; valid
  /// until the next call.
  std::span<const std::uint32_t> expire(Nanos now) noexcept;

  /// Slots that were ever taken: all are below this number.
  std::size_t slots() const noexcept { return slots_.size(); }
  /// Taken slots.
  std::size_t size() const noexcept { return index_.size(); }
  std::size_t busy() const noexcept { return busy_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct KeyView {
    std::string_view tenant;
    std::string_view id;
  };
  struct Key {
    std::string tenant;
    std::string id;
    operator KeyView() const noexcept { return {tenant, id}; }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(KeyView key) const noexcept {
      const std::hash<std::string_view> hash;
      return hash(key.tenant) * 0x9E3779B97F4A7C15u ^ hash(key.id);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(KeyView a, KeyView b) const noexcept {
      return a.id == b.id && a.tenant == b.tenant;
    }
  };
  struct TenantHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view tenant) const noexcept {
      return std::hash<std::string_view>()(tenant);
    }
  };

  struct Slot {
    const Key* key = nullptr;  // in index_
    std::size_t* of_tenant = nullptr;
    bool live = false;
    bool busy = false;
    std::size_t waiting = 0;
    Nanos idle_since = 0;
    std::uint32_t older = kNone;  // in the list of idle ones
    std::uint32_t newer = kNone;
  };

  StepAdmission join(std::uint32_t slot) noexcept;
  StepAdmission open(KeyView key, Nanos now);
  Nanos until_expiry(Nanos now) const noexcept;
  std::uint32_t free_slot();
  void release(std::uint32_t slot) noexcept;
  void set_idle(std::uint32_t slot, Nanos now) noexcept;
  void unset_idle(std::uint32_t slot) noexcept;

  SequenceLimits limits_;
  std::unordered_map<Key, std::uint32_t, Hash, Equal> index_;
  std::unordered_map<std::string, std::size_t, TenantHash, std::equal_to<>> tenants_;  // slots each
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;  // both have room for all of slots_
  std::vector<std::uint32_t> expired_;
  std::uint32_t oldest_ = kNone;  // the list of idle ones, by the end of their last step
  std::uint32_t newest_ = kNone;
  std::size_t busy_ = 0;
};

}  // namespace aiserve::inline v0::decide
