#include "cache/flight_table.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

Error draining() { return Error(Errc::unavailable, "the service is shutting down"); }

Error crowded(std::string what) {
  return Error(Errc::overloaded, std::move(what)).retry_after(std::chrono::milliseconds(100));
}

// For its own sake, not a child of the caller's: that one's end must not end the flight.
Context own_context(const Context& ctx) {
  ContextOptions options;
  options.tenant = ctx.tenant();
  options.deadline = ctx.deadline();
  options.priority = ctx.priority();
  options.trace = ctx.trace();
  return Context(std::move(options));
}

}  // namespace

/// A member's place in a flight; leaves it when the coroutine ends, however it ends.
class FlightTable::Seat {
 public:
  Seat(FlightTable& table, FlightPtr flight, FlightMemberPtr member) noexcept
      : table_(table), flight_(std::move(flight)), member_(std::move(member)) {}
  ~Seat() { table_.leave(*flight_, *member_); }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  const Flight& flight() const noexcept { return *flight_; }

 private:
  FlightTable& table_;
  FlightPtr flight_;
  FlightMemberPtr member_;
};

/// Cancels the flight at its deadline, which may move while it waits.
struct FlightTable::Timer : TimerNode {
  Timer(FlightTable& owner, Flight& watched)
      : TimerNode(&Timer::fired), table(owner), flight(watched), home(IoThread::current()) {
    arm();
  }
  void arm() {
    const Deadline deadline = flight.context().deadline();
    if (deadline.reachable()) home->arm(*this, deadline.at());
  }
  static void fired(TimerNode* node) noexcept {
    auto& self = *static_cast<Timer*>(node);
    if (!self.table.expire(self.flight)) self.arm();
  }

  FlightTable& table;
  Flight& flight;
  IoThread* home;
};

Async<Bytes> FlightTable::fly(const Context& ctx, const FlightOrder& order,
                              const std::function<void()>& joined) {
  const auto member = make_intrusive<FlightMember>();
  if (!member->bind(&runtime_.core())) {
    co_return Error(Errc::internal, "memoized operations need an I/O thread of the runtime");
  }
  const Result<FlightPtr> boarded = board(ctx, order, *member, joined);
  if (!boarded) co_return boarded.error();
  const Seat seat(*this, *boarded, member);
  member->watch(ctx);
  co_await member->wait();
  if (member->outcome() != Operation::Outcome::completed) co_return member->error();
  co_return seat.flight().outcome;
}

Result<FlightPtr> FlightTable::board(const Context& ctx, const FlightOrder& order,
                                     FlightMember& member, const std::function<void()>& joined) {
  Shard& shard = shard_of(order.key());
  FlightPtr own;
  for (;;) {
    std::unique_lock lock(shard.mutex);
    if (Flight* flight = joinable(shard, order.key())) {
      if (flight->members() >= limits_.members)
        return crowded("too many callers wait for this key");
      FlightPtr boarded = FlightPtr::share(flight);
      extend_deadline(flight->context(), ctx.deadline());
      flight->add(member);
      if (order.store()) flight->want_in_cache();
      lock.unlock();
      joined();
      return boarded;
    }
    if (own) {
      enter(shard, own);
      own->add(member);
      break;
    }
    lock.unlock();
    // The work may copy its input, so it is made without the lock; somebody may be faster.
    Result<FlightPtr> made = make(order, own_context(ctx), false);
    if (!made) return made;
    own = std::move(*made);
  }
  launch(*member.home(), own);
  return own;
}

Flight* FlightTable::joinable(Shard& shard, const FlightKey& key) {
  const auto found = shard.flights.find(key);
  if (found == shard.flights.end() || !found->second->work().current()) return nullptr;
  return found->second.get();
}

Result<FlightPtr> FlightTable::make(const FlightOrder& order, Context context, bool pinned) {
  if (under_way_.load(std::memory_order_relaxed) >= limits_.flights) {
    return crowded("too many loads are under way");
  }
  if (gate_.closed()) return draining();
  auto flight = make_intrusive<Flight>(order.key(), order.work(), std::move(context), pinned);
  if (order.store()) flight->want_in_cache();
  return flight;
}

void FlightTable::enter(Shard& shard, const FlightPtr& flight) {
  under_way_.fetch_add(1, std::memory_order_relaxed);
  shard.flights[flight->key()] = flight;
}

bool FlightTable::refresh(const FlightOrder& order, Context context) {
  IoThread* home = runtime_.core().any_io();
  if (home == nullptr) return false;
  Shard& shard = shard_of(order.key());
  FlightPtr flight;
  {
    const std::scoped_lock lock(shard.mutex);
    if (joinable(shard, order.key()) != nullptr) return true;
    // Nobody waits for it, so its input is copied under the lock rather than in vain.
    const Result<FlightPtr> made = make(order, std::move(context), true);
    if (!made) return false;
    flight = *made;
    enter(shard, flight);
  }
  launch(*home, std::move(flight));
  return true;
}

void FlightTable::launch(IoThread& home, FlightPtr flight) {
  // Drained between begin() and here: it runs all the same, and nobody waits for it to end.
  Gate::Pass inside = gate_.enter();
  asio::co_spawn(home.executor(), run(std::move(flight), std::move(inside)), asio::detached);
}

Task FlightTable::run(FlightPtr flight, Gate::Pass /*inside*/) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const Context& context = flight->context();
  const Timer timer(*this, *flight);
  Result<Bytes> result;
  Deadline began_with;
  do {
    began_with = context.deadline();
    try {
      result = co_await flight->work().run(context, *flight);
    } catch (...) {
      result = error_from_current_exception();
    }
  } while (worth_another_attempt(*flight, began_with, result));
  finish(*flight, std::move(result));
}

// What the work passed on took the deadline of its time along: it gave up for callers who have left
// by now, and others may have joined who have more time.
bool FlightTable::worth_another_attempt(const Flight& flight, Deadline began_with,
                                        const Result<Bytes>& result) {
  if (result.ok() || result.error().code() != Errc::deadline_exceeded) return false;
  const TimePoint now = runtime_.clock().now();
  if (!began_with.expired(now) || !flight.context().check(now)) return false;
  const std::scoped_lock lock(shard_of(flight.key()).mutex);
  return !flight.deserted();
}

// Who comes after this does not join: it may have time where the flight has none.
bool FlightTable::expire(const Flight& flight) noexcept {
  {
    Shard& shard = shard_of(flight.key());
    const std::scoped_lock lock(shard.mutex);
    if (!flight.context().deadline().expired(runtime_.clock().now())) return false;
    forget(shard, flight);
  }
  flight.context().cancel(CancelReason::deadline);
  return true;
}

void FlightTable::finish(Flight& flight, Result<Bytes> result) {
  Shard& shard = shard_of(flight.key());
  std::vector<FlightMemberPtr> members;
  {
    const std::scoped_lock lock(shard.mutex);
    flight.outcome = std::move(result);
    forget(shard, flight);
    members = flight.take_all();
  }
  under_way_.fetch_sub(1, std::memory_order_relaxed);
  SettledBatch batch;
  for (FlightMemberPtr& member : members) {
    batch.settle(std::move(member), Operation::Outcome::completed);
  }
}

void FlightTable::leave(Flight& flight, FlightMember& member) noexcept {
  Shard& shard = shard_of(flight.key());
  {
    const std::scoped_lock lock(shard.mutex);
    if (!flight.remove(member) || !flight.deserted()) return;
    forget(shard, flight);
  }
  flight.context().cancel(CancelReason::user);
}

void FlightTable::detach(const FlightKey& key) {
  Shard& shard = shard_of(key);
  const std::scoped_lock lock(shard.mutex);
  const auto found = shard.flights.find(key);
  if (found == shard.flights.end()) return;
  found->second->forbid_storing();
  shard.flights.erase(found);
}

void FlightTable::forget(Shard& shard, const Flight& flight) noexcept {
  const auto found = shard.flights.find(flight.key());
  if (found != shard.flights.end() && found->second.get() == &flight) shard.flights.erase(found);
}

void FlightTable::cancel_all(CancelReason reason) {
  std::vector<FlightPtr> all;
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    for (const auto& [key, flight] : shard.flights) all.push_back(flight);
  }
  for (const FlightPtr& flight : all) flight->context().cancel(reason);
}

std::size_t FlightTable::size() const {
  std::size_t count = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    count += shard.flights.size();
  }
  return count;
}

}  // namespace aiserve::inline v0::detail
