#include "security/key_ring.hpp"

#include <utility>

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kMaxWaiters = 4096;
constexpr const char* kFetches = "aiserve_jwks_fetches_total";
constexpr const char* kFetchesHelp = "Attempts to get the keys of an issuer";

}  // namespace

KeyRing::KeyRing(Runtime& runtime, KeyRingOptions options)
    : runtime_(runtime),
      options_(std::move(options)),
      fetched_(runtime.telemetry().metrics().counter(
          kFetches, kFetchesHelp, {{"issuer", options_.issuer}, {"result", "ok"}})),
      failed_(runtime.telemetry().metrics().counter(
          kFetches, kFetchesHelp, {{"issuer", options_.issuer}, {"result", "failed"}})) {}

std::shared_ptr<const JwkSet> KeyRing::keys() const {
  const std::scoped_lock lock(mutex_);
  return keys_;
}

decide::Nanos KeyRing::now() const noexcept {
  return runtime_.clock().now().time_since_epoch().count();
}

decide::KeyStep KeyRing::step(bool known) {
  using decide::KeyStep;
  const decide::Nanos at = now();
  if (known && at < next_look_.load(std::memory_order_relaxed)) return KeyStep::use;
  std::uint64_t begun = 0;
  KeyStep next = KeyStep::use;
  {
    const std::scoped_lock lock(mutex_);
    next = decide::next_key_step(options_.refresh, state_, known, at);
    const bool asks = next == KeyStep::use_and_refresh || next == KeyStep::wait;
    if (asks && !state_.fetching) {
      begun = ++fetch_;
      state_.fetching = true;
      state_.tried = at;
    }
    next_look_.store(decide::next_key_look(options_.refresh, state_, at),
                     std::memory_order_relaxed);
  }
  if (begun != 0) begin_fetch(begun);
  return next == KeyStep::use_and_refresh ? KeyStep::use : next;
}

// Detached: whoever asked first may go away before it has ended.
void KeyRing::begin_fetch(std::uint64_t number) {
  const auto alive = std::make_shared<bool>(true);  // as long as the fetch
  spawn(runtime_, Context(ContextOptions{}),
        [this, alive](const Context& ctx) -> Async<void> { return fetch(ctx); });
  // Over already, or refused by a runtime that has not started, or drains.
  if (alive.use_count() == 1) let_go(number);
}

Async<void> KeyRing::fetch(const Context& ctx) {
  Result<void> loaded;
  try {
    Result<std::string> text = co_await with_deadline(ctx, options_.fetch_timeout, options_.fetch);
    loaded = text.ok() ? load(*text) : Result<void>(std::move(text).error());
  } catch (...) {
    loaded = error_from_current_exception();
  }
  end_fetch(loaded);
  co_return success();
}

Result<void> KeyRing::load(std::string_view text) {
  if (text.size() > options_.max_size) return Error(Errc::too_large, "the key set is too large");
  {
    const std::scoped_lock lock(mutex_);
    if (keys_ != nullptr && text == text_) {
      state_.loaded = now();
      return success();
    }
  }
  Result<JwkSet> parsed = JwkSet::parse(text, options_.rules);
  if (!parsed) return std::move(parsed).error();
  auto fresh = std::make_shared<const JwkSet>(std::move(*parsed));
  for (const std::string& line : fresh->left_out()) {
    runtime_.telemetry().log().warn("jwks: left out",
                                    {{"issuer", options_.issuer}, {"what", line}});
  }
  const std::scoped_lock lock(mutex_);
  keys_ = std::move(fresh);
  text_ = text;
  state_.loaded = now();
  next_look_.store(0, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  return success();
}

void KeyRing::end_fetch(const Result<void>& result) {
  tell(result);
  let_go(fetch_);  // nobody begins another before
}

void KeyRing::let_go(std::uint64_t number) {
  std::vector<WaiterPtr> waiters;
  {
    const std::scoped_lock lock(mutex_);
    if (!state_.fetching || number != fetch_) return;
    state_.fetching = false;
    next_look_.store(0, std::memory_order_relaxed);
    waiters.swap(waiters_);
  }
  for (const WaiterPtr& waiter : waiters) waiter->settle(Operation::Outcome::completed);
}

// Fetches come one after the other, so what only they touch needs no lock.
void KeyRing::tell(const Result<void>& result) {
  Logger& log = runtime_.telemetry().log();
  if (result.ok()) {
    fetched_.inc();
    if (std::exchange(failing_, false)) log.info("jwks: keys again", {{"issuer", options_.issuer}});
    return;
  }
  failed_.inc();
  failing_ = true;
  const std::string why = result.error().to_string();
  log.warn("jwks: cannot get keys, those there are stay in use",
           {{"issuer", options_.issuer}, {"reason", why}});
}

Async<void> KeyRing::wait(const Context& ctx) {
  const auto waiter = make_intrusive<Operation>();
  if (!waiter->bind(&runtime_.core())) co_return Error(Errc::internal, "not on an I/O thread");
  {
    const std::scoped_lock lock(mutex_);
    if (!state_.fetching) co_return success();
    if (waiters_.size() >= kMaxWaiters) {
      co_return Error(Errc::overloaded, "too many requests wait for the issuer's keys")
          .retry_after(std::chrono::seconds(1));
    }
    waiters_.push_back(waiter);
  }
  const Context bounded = ctx.with_deadline(deadline_after(options_.fetch_timeout));
  waiter->watch(bounded);
  co_await waiter->wait();
  if (waiter->outcome() == Operation::Outcome::completed) co_return success();
  co_return waiter->error();
}

}  // namespace aiserve::inline v0::detail
