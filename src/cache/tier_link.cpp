#include "cache/tier_link.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "core/operation.hpp"
#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace asio = boost::asio;
namespace {

// Calls that have not returned, those left behind included.
constexpr int kMostCalls = 128;

TierOptions checked(const std::string& cache, std::string_view tier, const TierOptions& options) {
  const auto need = [&](bool fine, const char* what) {
    if (!fine) throw ConfigError("cache " + cache + ", tier " + std::string(tier) + ": " + what);
  };
  using std::chrono::milliseconds;
  need(options.read_timeout > milliseconds::zero(), "read_timeout must be above 0");
  need(options.write_timeout > milliseconds::zero(), "write_timeout must be above 0");
  need(options.max_batch >= 1 && options.max_batch <= 4'096, "max_batch must be 1 to 4096");
  need(options.max_reads >= 1 && options.max_reads <= 64, "max_reads must be 1 to 64");
  need(options.max_waiting >= 1, "max_waiting must be at least 1");
  need(options.window >= 1 && options.window <= 64, "window must be 1 to 64");
  need(options.failures >= 1 && options.failures <= options.window, "failures must be 1 to window");
  need(options.first_pause > milliseconds::zero(), "first_pause must be above 0");
  need(options.longest_pause >= options.first_pause, "longest_pause must be at least first_pause");
  return options;
}

decide::BreakerPolicy policy_of(const TierOptions& options) {
  return {.window = options.window,
          .failures = options.failures,
          .first_pause = Duration(options.first_pause).count(),
          .longest_pause = Duration(options.longest_pause).count()};
}

TierLink::Counters counters_of(Metrics& metrics, const Labels& labels) {
  const auto counter = [&](const char* name, const char* help, const char* result) -> Counter& {
    Labels all = labels;
    all.add({"result", result});
    return metrics.counter(name, help, all);
  };
  const char* reads = "aiserve_cache_tier_reads_total";
  const char* of_reads = "Keys asked of a tier below memory.";
  const char* writes = "aiserve_cache_tier_writes_total";
  const char* of_writes = "Results to be written to a tier below memory.";
  return {counter(reads, of_reads, "hit"),      counter(reads, of_reads, "miss"),
          counter(reads, of_reads, "error"),    counter(reads, of_reads, "garbled"),
          counter(writes, of_writes, "ok"),     counter(writes, of_writes, "error"),
          counter(writes, of_writes, "dropped")};
}

}  // namespace

/// What a call and its caller share; whoever is last frees it.
template <class T>
struct TierLink::Call : Operation {
  Call(Context ctx, std::function<Async<T>(const Context&)> work)
      : context(std::move(ctx)), operation(std::move(work)) {}
  Context context;
  std::function<Async<T>(const Context&)> operation;
  std::shared_ptr<std::atomic<int>> under_way;
  Result<T> result;
};

TierLink::TierLink(Runtime& runtime, const std::string& cache, CacheTier& tier, TierOptions options)
    : runtime_(runtime),
      tier_(tier),
      options_(checked(cache, tier.name(), options)),
      name_(tier.name()),
      counters_(counters_of(runtime.telemetry().metrics(), {{"cache", cache}, {"tier", name_}})),
      breaker_(policy_of(options_)),
      open_gauge_(runtime.telemetry().metrics().gauge(
          "aiserve_cache_tier_open", "1 while a failing tier is left alone.",
          {{"cache", cache}, {"tier", name_}}, [this] { return open() ? 1.0 : 0.0; })) {}

bool TierLink::open() const {
  const std::scoped_lock lock(mutex_);
  return breaker_.state() != decide::CircuitBreaker::State::closed;
}

bool TierLink::resting() const {
  const std::scoped_lock lock(mutex_);
  return breaker_.state() != decide::CircuitBreaker::State::closed &&
         runtime_.clock().now().time_since_epoch().count() < breaker_.retry_at();
}

bool TierLink::allow() {
  if (under_way_->load(std::memory_order_relaxed) >= kMostCalls) return false;
  const std::scoped_lock lock(mutex_);
  return breaker_.allow(runtime_.clock().now().time_since_epoch().count());
}

void TierLink::report(const Result<void>& outcome) {
  using State = decide::CircuitBreaker::State;
  State before, after;
  {
    const std::scoped_lock lock(mutex_);
    before = breaker_.state();
    if (outcome) {
      breaker_.succeeded();
    } else {
      breaker_.failed(runtime_.clock().now().time_since_epoch().count());
    }
    after = breaker_.state();
  }
  Logger& log = runtime_.telemetry().log();
  if (before == State::closed && after == State::open) {
    log.warn("a cache tier fails and is left alone",
             {{"tier", name_}, {"error", outcome.error().to_string()}});
  } else if (before != State::closed && after == State::closed) {
    log.info("a cache tier works again", {{"tier", name_}});
  }
}

template <class T>
Task TierLink::perform(IntrusivePtr<Call<T>> call) {
  co_await asio::this_coro::throw_if_cancelled(false);
  try {
    call->result = co_await call->operation(call->context);
  } catch (...) {
    call->result = error_from_current_exception();
  }
  call->under_way->fetch_sub(1, std::memory_order_relaxed);
  call->settle(Operation::Outcome::completed);
}

template <class T>
Async<T> TierLink::bounded(std::chrono::milliseconds timeout,
                           std::function<Async<T>(const Context&)> operation) {
  if (!allow()) co_return Error(Errc::unavailable, "the tier is left alone for a while");
  ContextOptions options;
  options.deadline = Deadline::after(runtime_.clock().now(), timeout);
  options.priority = Priority::background;
  const auto call = make_intrusive<Call<T>>(Context(std::move(options)), std::move(operation));
  if (!call->bind(&runtime_.core())) co_return Error(Errc::internal, "not on an I/O thread");
  call->under_way = under_way_;
  under_way_->fetch_add(1, std::memory_order_relaxed);
  asio::co_spawn(call->home()->executor(), perform<T>(call), asio::detached);
  call->watch(call->context);
  co_await call->wait();
  if (call->outcome() != Operation::Outcome::completed) {
    call->context.cancel(CancelReason::deadline);
    const Error late = call->error();
    report(late);
    co_return late;
  }
  report(call->result ? success() : Result<void>(call->result.error()));
  co_return std::move(call->result);
}

Async<TierValues> TierLink::get(std::vector<TierKey> keys) {
  const std::size_t count = keys.size();
  const std::function<Async<TierValues>(const Context&)> operation =
      [tier = &tier_, keys = std::move(keys)](const Context& ctx) { return tier->get(ctx, keys); };
  Result<TierValues> values = co_await bounded<TierValues>(options_.read_timeout, operation);
  if (values && values->size() != count) co_return Error(Errc::data_loss, "not a value per key");
  co_return values;
}

Async<void> TierLink::put(std::vector<TierEntry> entries) {
  const std::function<Async<void>(const Context&)> operation =
      [tier = &tier_, entries = std::move(entries)](const Context& ctx) {
        return tier->put(ctx, entries);
      };
  co_return co_await bounded<void>(options_.write_timeout, operation);
}

Async<void> TierLink::erase(std::vector<TierKey> keys) {
  const std::function<Async<void>(const Context&)> operation =
      [tier = &tier_, keys = std::move(keys)](const Context& ctx) {
        return tier->erase(ctx, keys);
      };
  co_return co_await bounded<void>(options_.write_timeout, operation);
}

Async<void> TierLink::erase_tenant(TenantId tenant) {
  const std::function<Async<void>(const Context&)> operation =
      [tier = &tier_, tenant = std::move(tenant)](const Context& ctx) {
        return tier->erase_tenant(ctx, tenant);
      };
  co_return co_await bounded<void>(options_.write_timeout, operation);
}

}  // namespace aiserve::inline v0::detail
