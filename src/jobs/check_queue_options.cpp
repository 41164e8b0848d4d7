#include "jobs/check_queue_options.hpp"

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 30);
constexpr int kMostVersions = 1'000'000;
constexpr std::int64_t kMostWaiting = std::int64_t{1} << 40;

/// Speaks for one part of a queue: the queue itself, a kind, a schedule.
class Check {
 public:
  explicit Check(std::string part) : part_(std::move(part)) {}
  template <class T>
  void between(T value, T least, T most, const char* what) const {
    require(value >= least && value <= most, what);
  }
  void require(bool holds, const char* what) const {
    if (!holds) throw ConfigError(part_ + ": " + what);
  }

 private:
  std::string part_;
};

void check_backoff(const Check& check, const JobBackoff& backoff) {
  check.between(backoff.first, 0ms, kLongest, "backoff.first must be 0 to 30 days");
  check.between(backoff.longest, backoff.first, kLongest,
                "backoff.longest must be backoff.first to 30 days");
  check.between(backoff.factor, 1.0, 10.0, "backoff.factor must be 1 to 10");
}

bool is_rate(const JobRate& rate, double least) {
  return rate.per_second == 0 || (rate.per_second >= least && rate.per_second <= 1e9);
}

void check_rates(const Check& check, const JobKindOptions& options) {
  check.require(is_rate(options.rate, 1e-6), "rate.per_second must be 0, or 0.000001 to 1e9");
  check.require(options.rate.burst >= 1, "rate.burst must be at least 1");
  check.require(is_rate(options.order_rate, 1e-3),
                "order_rate.per_second must be 0, or 0.001 to 1e9");
  check.require(options.order_rate.burst >= 1, "order_rate.burst must be at least 1");
}

void check_offload(const Check& check, const JobOffload& offload, std::chrono::milliseconds lease) {
  check.between(offload.above, std::size_t{1024}, std::size_t{1'000'000'000},
                "offload.above must be 1024 to 1000000000");
  check.between(offload.prefix.size(), std::size_t{1}, std::size_t{200},
                "offload.prefix has 1 to 200 bytes");
  check.between<std::chrono::milliseconds>(offload.orphan_age, 2min, kLongest,
                                           "offload.orphan_age must be 2 min to 30 days");
  check.between<std::chrono::milliseconds>(offload.sweep, 10s, 24h,
                                           "offload.sweep must be 10 s to 1 day");
  check.require(offload.objects == nullptr || offload.orphan_age >= 2 * lease + 2min,
                "offload.orphan_age must be at least 2 leases and 2 min");
}

}  // namespace

void check_queue_options(const JobQueueOptions& options) {
  const Check check("jobs " + options.name);
  check.require(!options.name.empty(), "name must not be empty");
  check.between(options.concurrency, 0, 10'000, "concurrency must be 0 to 10000");
  check.between(options.max_attempts, 1, 1000, "max_attempts must be 1 to 1000");
  check.between(options.max_crashes, 1, 1000, "max_crashes must be 1 to 1000");
  check.between<std::chrono::milliseconds>(options.lease, 1s, 1h, "lease must be 1 s to 1 h");
  check.between(options.timeout, 1ms, kLongest, "timeout must be 1 ms to 30 days");
  check.between(options.max_waiting, std::int64_t{1}, kMostWaiting,
                "max_waiting must be 1 to 2^40");
  check.between(options.max_result, std::size_t{1}, std::size_t{1'000'000'000},
                "max_result must be 1 to 1000000000");
  check.between<std::chrono::milliseconds>(options.poll, 10ms, 1min, "poll must be 10 ms to 1 min");
  check.between<std::chrono::milliseconds>(options.local_wait, 1ms, 1min,
                                           "local_wait must be 1 ms to 1 min");
  check.require(static_cast<bool>(options.codec.encode) == static_cast<bool>(options.codec.decode),
                "codec needs both encode and decode, or neither");
  check_backoff(check, options.backoff);
  check_offload(check, options.offload, options.lease);
  check.between(options.rates.prefix.size(), std::size_t{1}, std::size_t{200},
                "rates.prefix has 1 to 200 bytes");
}

void check_kind(const JobQueueOptions& queue, const std::string& name,
                const JobKindOptions& options, bool handler) {
  const Check check("jobs " + queue.name + ", kind " + name);
  check.require(handler, "the handler is empty");
  check.require(!name.empty() && name.size() <= 100, "its name has 1 to 100 bytes");
  check.require(name.find('@') == std::string::npos, "its name must not contain @");
  check.between(options.version, 1, kMostVersions, "version must be 1 to 1000000");
  check.between(options.max_attempts.value_or(1), 1, 1000, "max_attempts must be 1 to 1000");
  check.between(options.timeout.value_or(1ms), 1ms, kLongest, "timeout must be 1 ms to 30 days");
  check.between(options.soft_timeout.value_or(1ms), 1ms, options.timeout.value_or(queue.timeout),
                "soft_timeout must be 1 ms to the timeout");
  check.require(options.max_running.value_or(1) >= 1, "max_running must be at least 1");
  check.require(options.max_running_per_tenant.value_or(1) >= 1,
                "max_running_per_tenant must be at least 1");
  check.between(options.order_concurrency, 1, 1000, "order_concurrency must be 1 to 1000");
  check_rates(check, options);
  if (options.backoff) check_backoff(check, *options.backoff);
}

void check_schedule(const JobQueueOptions& queue, const std::string& name,
                    const JobSchedule& schedule) {
  const Check check("jobs " + queue.name + ", schedule " + name);
  check.require(!name.empty() && name.size() <= 200, "its name has 1 to 200 bytes");
  check.require(!schedule.kind.empty(), "kind must not be empty");
}

}  // namespace aiserve::inline v0::detail
