#include "aiserve/storage/memory_idempotency_store.hpp"

#include <map>
#include <mutex>

#include "storage/checks.hpp"
#include "storage/memory_options.hpp"

namespace aiserve::inline v0 {

using State = IdempotentRun::State;

struct MemoryIdempotencyStore::Impl {
  struct Run {
    Bytes fingerprint;
    Bytes answer;
    std::int64_t fence = 0;
    bool finished = false;
    Deadline until;  // of the lease, then of the answer
  };
  using Runs = std::map<StoreKey, Run>;

  explicit Impl(const MemoryStoreOptions& given)
      : options(detail::checked(given, "memory idempotency store")),
        clock(options.clock != nullptr ? *options.clock : Clock::steady()) {}

  static std::size_t size_of(const StoreKey& key, const Run& run) noexcept {
    return key.name().size() + run.fingerprint.size() + run.answer.size() +
           sizeof(Runs::value_type);
  }

  Runs::iterator drop(Runs::iterator run) {
    used -= size_of(run->first, run->second);
    return runs.erase(run);
  }

  Result<IdempotentRun> begin(const StoreKey& key, const Bytes& fingerprint,
                              std::chrono::milliseconds lease) {
    const TimePoint now = clock.now();
    const auto found = runs.find(key);
    if (found != runs.end() && !found->second.until.expired(now)) {
      const Run& run = found->second;
      if (run.fingerprint != fingerprint) return IdempotentRun(State::mismatch, 0, Bytes());
      if (run.finished) return IdempotentRun(State::finished, 0, run.answer);
      return IdempotentRun(State::in_flight, 0, Bytes());
    }
    if (found != runs.end()) drop(found);
    Run run{fingerprint.compact(), Bytes(), ++last_fence, false, Deadline::after(now, lease)};
    const std::size_t size = size_of(key, run);
    if (used + size > options.capacity) drop_expired(now);
    if (used + size > options.capacity) {
      return Error(Errc::overloaded, "the store is full").retry_after(std::chrono::seconds(1));
    }
    used += size;
    runs.emplace(key, std::move(run));
    return IdempotentRun(State::started, last_fence, Bytes());
  }

  void drop_expired(TimePoint now) {
    for (auto run = runs.begin(); run != runs.end();) {
      run = run->second.until.expired(now) ? drop(run) : std::next(run);
    }
  }

  /// The run that the fence proves to be the caller's: also after its lease, while nobody else
  /// took it.
  Runs::iterator owned(const StoreKey& key, std::int64_t fence) {
    const auto found = runs.find(key);
    const bool owner =
        found != runs.end() && found->second.fence == fence && !found->second.finished;
    return owner ? found : runs.end();
  }

  const MemoryStoreOptions options;
  const Clock& clock;
  std::mutex mutex;
  Runs runs;
  std::size_t used = 0;
  std::int64_t last_fence = 0;
};

MemoryIdempotencyStore::MemoryIdempotencyStore(MemoryStoreOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
MemoryIdempotencyStore::~MemoryIdempotencyStore() = default;

Async<IdempotentRun> MemoryIdempotencyStore::begin(const Context& /*ctx*/, const StoreKey& key,
                                                   const Bytes& fingerprint,
                                                   std::chrono::milliseconds lease) {
  if (auto good = key.check(); !good) co_return good.error();
  if (auto good = detail::check_duration(lease, "lease"); !good) co_return good.error();
  const std::scoped_lock lock(impl_->mutex);
  co_return impl_->begin(key, fingerprint, lease);
}

Async<bool> MemoryIdempotencyStore::finish(const Context& /*ctx*/, const StoreKey& key,
                                           std::int64_t fence, const Bytes& answer,
                                           std::chrono::milliseconds ttl) {
  if (auto good = detail::check_duration(ttl, "ttl"); !good) co_return good.error();
  const Result<void> fits =
      detail::check_size(answer.size(), impl_->options.max_value, "the answer");
  if (!fits) co_return fits.error();
  const std::scoped_lock lock(impl_->mutex);
  const auto run = impl_->owned(key, fence);
  if (run == impl_->runs.end()) co_return false;
  run->second.answer = answer.compact();
  run->second.finished = true;
  run->second.until = Deadline::after(impl_->clock.now(), ttl);
  impl_->used += answer.size();
  co_return true;
}

Async<bool> MemoryIdempotencyStore::abandon(const Context& /*ctx*/, const StoreKey& key,
                                            std::int64_t fence) {
  const std::scoped_lock lock(impl_->mutex);
  const auto run = impl_->owned(key, fence);
  if (run == impl_->runs.end()) co_return false;
  impl_->drop(run);
  co_return true;
}

}  // namespace aiserve::inline v0
