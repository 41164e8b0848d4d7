// FlightTable: at most one Flight per key under way, however many callers want it.
//
// The flight's deadline is the latest of its members'; it is cancelled when the last of them
// leaves. A member leaves when its own Context ends, or when its coroutine is destroyed. *Thread
// safety:* any thread; fly() and refresh() from I/O threads.
#pragma once

#include <array>
#include <mutex>
#include <unordered_map>

#include "aiserve/core/gate.hpp"
#include "aiserve/core/runtime.hpp"
#include "cache/flight.hpp"

namespace aiserve::inline v0::detail {

struct FlightLimits {
  std::size_t members = 65'536;  ///< per flight
  std::size_t flights = 65'536;
};

/// What a caller wants computed; `make_work` is called when nobody computes it already.
class FlightOrder {
 public:
  using MakeWork = std::function<std::shared_ptr<FlightWork>()>;
  FlightOrder(FlightKey key, bool store, MakeWork make_work)
      : key_(std::move(key)), make_work_(std::move(make_work)), store_(store) {}

  const FlightKey& key() const noexcept { return key_; }
  bool store() const noexcept { return store_; }
  std::shared_ptr<FlightWork> work() const { return make_work_(); }

 private:
  FlightKey key_;
  MakeWork make_work_;
  bool store_;
};

class FlightTable {
 public:
  FlightTable(Runtime& runtime, Gate& gate, FlightLimits limits) noexcept
      : runtime_(runtime), gate_(gate), limits_(limits) {}

  /// The result of the flight; or overloaded, unavailable (draining), or the error of `ctx`.
  /// `joined` is called if it was under way.
  Async<Bytes> fly(const Context& ctx, const FlightOrder& order,
                   const std::function<void()>& joined);
  /// Begins a flight that nobody waits for, unless one is under way. False: refused.
  bool refresh(const FlightOrder& order, Context context);
  /// Lets the flight of this key go on for its members only: it is not joined and not stored.
  void detach(const FlightKey& key);

  void cancel_all(CancelReason reason);
  /// In the table; those whose members have all left are not.
  std::size_t size() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<FlightKey, FlightPtr, FlightKeyHash> flights;
  };
  class Seat;
  struct Timer;

  Shard& shard_of(const FlightKey& key) noexcept {
    return shards_[key.digest.high() % shards_.size()];
  }
  Result<FlightPtr> board(const Context& ctx, const FlightOrder& order, FlightMember& member,
                          const std::function<void()>& joined);
  static Flight* joinable(Shard& shard, const FlightKey& key);
  Result<FlightPtr> make(const FlightOrder& order, Context context, bool pinned);
  void enter(Shard& shard, const FlightPtr& flight);
  void leave(Flight& flight, FlightMember& member) noexcept;
  void launch(IoThread& home, FlightPtr flight);
  Task run(FlightPtr flight, Gate::Pass inside);
  bool worth_another_attempt(const Flight& flight, Deadline began_with,
                             const Result<Bytes>& result);
  bool expire(const Flight& flight) noexcept;
  void finish(Flight& flight, Result<Bytes> result);
  static void forget(Shard& shard, const Flight& flight) noexcept;

  Runtime& runtime_;
  Gate& gate_;
  const FlightLimits limits_;
  std::atomic<std::size_t> under_way_{0};  // those that were deserted included
  std::array<Shard, 16> shards_;
};

}  // namespace aiserve::inline v0::detail
