#include "serving/front.hpp"

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {

BatchFront::BatchFront(Runtime& runtime, std::unique_ptr<BatchBackend> backend,
                       std::unique_ptr<BatchPlacer> placer, BatcherOptions options,
                       decide::BatchPolicy policy)
    : runtime_(runtime),
      engine_(runtime, std::move(backend), std::move(placer), std::move(options), policy) {}

Result<TimePoint> BatchFront::admit(const Context& ctx) {
  const TimePoint now = runtime_.clock().now();
  if (Result<void> alive = ctx.check(now); !alive) {
    engine_.metrics().refused(alive.error().code());
    return alive.error();
  }
  return now;
}

Async<void> BatchFront::ride(EntryPtr entry) {
  if (!entry->bind(&runtime_.core())) {
    co_return Error(Errc::internal, "infer() needs an I/O thread of the runtime: use submit()");
  }
  engine_.push(std::span(&entry, 1));
  if (entry->refused) co_return *entry->failure();
  entry->watch(entry->context);
  co_await entry->wait();
  if (entry->outcome() != Operation::Outcome::completed) {
    engine_.forget(*entry);
    co_return entry->error();
  }
  if (const Error* error = entry->failure()) co_return *error;
  co_return success();
}

// Those that stay together wait through the first of them.
std::vector<EntryPtr> BatchFront::grouped(std::span<const EntryPtr> entries,
                                          Grouping grouping) const {
  if (grouping == Grouping::split) return {entries.begin(), entries.end()};
  std::vector<EntryPtr> leaders;
  const std::size_t most = engine_.largest_group();
  for (std::size_t first = 0; first < entries.size(); first += most) {
    const auto part = entries.subspan(first, std::min(most, entries.size() - first));
    leaders.push_back(part.front());
    part.front()->companions.assign(part.begin() + 1, part.end());
    part.front()->rows = static_cast<std::uint32_t>(part.size());
    for (const EntryPtr& companion : part.subspan(1)) part.front()->cost += companion->cost;
  }
  return leaders;
}

Async<void> BatchFront::ride_all(std::span<const EntryPtr> entries, Grouping grouping) {
  for (const EntryPtr& entry : entries) {
    if (entry->bind(&runtime_.core())) continue;
    co_return Error(Errc::internal, "infer_many() needs an I/O thread of the runtime");
  }
  const std::vector<EntryPtr> leaders = grouped(entries, grouping);
  engine_.push(leaders);
  for (const EntryPtr& entry : entries) {
    if (!entry->refused) entry->watch(entry->context);
  }
  for (const EntryPtr& entry : entries) {
    if (!entry->refused) co_await entry->wait();
  }
  for (const EntryPtr& leader : leaders) {
    if (leader->outcome() != Operation::Outcome::completed) engine_.forget(*leader);
  }
  co_return success();
}

void BatchFront::submit(const EntryPtr& entry) {
  IoThread* home = runtime_.core().any_io();
  if (home == nullptr) {
    const Error stopped(Errc::unavailable, "the runtime has stopped");
    return entry->done(*entry, &stopped);
  }
  entry->bind(*home);
  entry->owner = &engine_;
  entry->on_settled([](Operation& operation, Operation::Outcome) noexcept {
    deliver(static_cast<BatchEntry&>(operation));
  });
  if (!entry->refused) engine_.push(std::span(&entry, 1));
  if (entry->refused) {
    entry->settle(Operation::Outcome::completed);
  } else if (entry->context.cancellable() || entry->context.deadline().reachable()) {
    entry->watch_at_home(entry->context);
  }
}

void BatchFront::deliver(BatchEntry& entry) noexcept {
  std::optional<Error> error;
  if (entry.outcome() != Operation::Outcome::completed) {
    entry.owner->forget(entry);
    error = entry.error();
  } else if (const Error* failure = entry.failure()) {
    error = *failure;
  }
  try {
    entry.done(entry, error ? &*error : nullptr);
  } catch (...) {
    entry.owner->log_callback_error(error_from_current_exception());
  }
  entry.done = nullptr;
}

}  // namespace aiserve::inline v0::detail
