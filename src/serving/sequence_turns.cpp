#include "serving/sequence_turns.hpp"

#include <algorithm>
#include <chrono>

namespace aiserve::inline v0::detail {

using decide::StepAdmission;
using decide::StepEnd;
using decide::StepVerdict;

SequenceTurn::~SequenceTurn() {
  if (owner_ != nullptr) owner_->finish(row_, StepEnd::unchanged, nullptr);
}

void SequenceTurn::succeed(StateTensors state, bool last) noexcept {
  std::exchange(owner_, nullptr)
      ->finish(row_, last ? StepEnd::ended : StepEnd::advanced, last ? nullptr : std::move(state));
}

SequenceTurns::SequenceTurns(Runtime& runtime, const std::string& batcher,
                             const decide::SequenceLimits& limits)
    : runtime_(runtime),
      metrics_(runtime.telemetry().metrics(), batcher),
      table_(limits),
      active_(runtime.telemetry().metrics().gauge(
          "aiserve_sequences_active", "Sequences that have a slot", {{"batcher", batcher}}, [this] {
            const std::scoped_lock lock(mutex_);
            return static_cast<double>(table_.size());
          })) {}

Async<SequenceTurn> SequenceTurns::turn(const Context& ctx, const SequenceId& id, bool start) {
  const Result<Arrival> arrival = arrive(ctx, id, start);
  if (!arrival) co_return arrival.error();
  const std::uint32_t slot = arrival->slot;
  if (const WaiterPtr waiter = arrival->waiter) {
    waiter->watch(ctx);
    co_await waiter->wait();
    if (waiter->outcome() != Operation::Outcome::completed) {
      withdraw(slot, *waiter);
      co_return waiter->error();
    }
  }
  Result<SequenceRow> row = begin(slot, start);
  if (!row) co_return row.error();
  co_return SequenceTurn(*this, *row);
}

Result<SequenceTurns::Arrival> SequenceTurns::arrive(const Context& ctx, const SequenceId& id,
                                                     bool start) {
  if (IoThread::current(&runtime_.core()) == nullptr) {
    return Error(Errc::internal, "step() needs an I/O thread of the runtime");
  }
  const std::scoped_lock lock(mutex_);
  // What is next taken is a slot that was there before, or one more.
  if (records_.size() == table_.slots()) records_.emplace_back();
  const StepAdmission admission = table_.arrive(ctx.tenant().id().view(), id.value(), start, now());
  forget_locked(admission.expired);
  switch (admission.verdict) {
    case StepVerdict::run:
      return Arrival{admission.slot, {}};
    case StepVerdict::wait:
      return Arrival{admission.slot, queue_locked(admission.slot)};
    default:
      return refusal(admission);
  }
}

SequenceTurns::WaiterPtr SequenceTurns::queue_locked(std::uint32_t slot) {
  try {
    WaiterPtr waiter = make_intrusive<Waiter>();
    waiter->bind(&runtime_.core());
    records_[slot].waiters.push_back(waiter);
    ++waiting_;
    return waiter;
  } catch (...) {
    table_.leave(slot);
    throw;
  }
}

Error SequenceTurns::refusal(const StepAdmission& admission) {
  using std::chrono::milliseconds;
  metrics_.refused(admission.verdict);
  const auto later = std::chrono::ceil<milliseconds>(Duration(admission.retry_after));
  switch (admission.verdict) {
    case StepVerdict::unknown:
      return Error(Errc::not_found,
                   "no such sequence: it was not started, has ended, or was idle for too long");
    case StepVerdict::crowded:
      return Error(Errc::overloaded, "too many steps of this sequence wait")
          .retry_after(milliseconds(100));
    case StepVerdict::tenant_full:
      return Error(Errc::overloaded, "this tenant has too many sequences").retry_after(later);
    default:
      return Error(Errc::overloaded, "there are too many sequences").retry_after(later);
  }
}

void SequenceTurns::withdraw(std::uint32_t slot, Waiter& waiter) noexcept {
  const std::scoped_lock lock(mutex_);
  if (!waiter.queued) return;  // its turn has been passed on
  waiter.queued = false;
  std::erase_if(records_[slot].waiters, [&](const WaiterPtr& one) { return one.get() == &waiter; });
  table_.leave(slot);
  --waiting_;
}

Result<SequenceRow> SequenceTurns::begin(std::uint32_t slot, bool start) {
  {
    const std::scoped_lock lock(mutex_);
    if (start || table_.live(slot)) return SequenceRow{records_[slot].state, start, slot};
  }
  finish({nullptr, start, slot}, StepEnd::unchanged, nullptr);
  return refusal({StepVerdict::unknown});
}

void SequenceTurns::finish(const SequenceRow& row, StepEnd end, StateTensors state) noexcept {
  const std::scoped_lock lock(mutex_);
  Record& record = records_[row.slot];
  if (end != StepEnd::unchanged) {
    std::swap(record.state, state);  // the one before is freed after the lock is let go
    if (row.start) started_locked();
  }
  bool free = table_.finish(row.slot, end, now());
  while (!record.waiters.empty()) {
    const WaiterPtr next = std::move(record.waiters.front());
    record.waiters.erase(record.waiters.begin());
    next->queued = false;
    --waiting_;
    table_.take(row.slot);
    if (next->settle(Operation::Outcome::completed)) return;
    // It left a moment ago.
    free = table_.finish(row.slot, StepEnd::unchanged, now());
  }
  if (free) record.state = nullptr;
}

void SequenceTurns::started_locked() noexcept {
  metrics_.started();
  ++started_;
}

void SequenceTurns::forget_locked(std::span<const std::uint32_t> expired) noexcept {
  if (expired.empty()) return;
  metrics_.expired(expired.size());
  expired_ += expired.size();
  for (const std::uint32_t slot : expired) records_[slot].state = nullptr;
}

void SequenceTurns::expire_locked() noexcept { forget_locked(table_.expire(now())); }

void SequenceTurns::expire() noexcept {
  const std::scoped_lock lock(mutex_);
  expire_locked();
}

void SequenceTurns::cancel_all() noexcept {
  const std::scoped_lock lock(mutex_);
  for (const Record& record : records_) {
    for (const WaiterPtr& waiter : record.waiters) waiter->settle(Operation::Outcome::cancelled);
  }
}

SequenceSnapshot SequenceTurns::snapshot() {
  SequenceSnapshot now;
  const std::scoped_lock lock(mutex_);
  expire_locked();
  now.started = started_;
  now.expired = expired_;
  now.active = table_.size();
  now.stepping = table_.busy();
  now.waiting = waiting_;
  return now;
}

}  // namespace aiserve::inline v0::detail
