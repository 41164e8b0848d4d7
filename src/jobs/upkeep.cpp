#include "jobs/upkeep.hpp"

#include <algorithm>

#include "core/random.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr int kRows = 1000;
constexpr Duration kCallTimeout = 10s;
constexpr Duration kFirstRest = 20ms;
constexpr Duration kLongestRest = 1s;

}  // namespace

void Upkeep::end() noexcept {
  ended_.store(true, std::memory_order_release);
  bell_.ring();
}

void Upkeep::due_at(WallTime at) {
  {
    const std::scoped_lock lock(mutex_);
    if (due_ && *due_ <= at) return;
    due_ = at;
  }
  bell_.ring();
}

Task Upkeep::run() {
  while (!ended_.load(std::memory_order_acquire)) {
    const bool more = co_await maintain();
    if (more) continue;
    // A ring may only say that a job is due earlier than was known.
    const TimePoint began = runtime_.clock().now();
    while (!ended_.load(std::memory_order_acquire)) {
      const Deadline due = next(began);
      if (due.expired(runtime_.clock().now())) break;
      co_await bell_.wait(due);
    }
  }
}

// Jittered, so that processes that started together don't ask together.
Deadline Upkeep::next(TimePoint began) {
  const auto jitter = static_cast<std::int64_t>(
      random_u64() % static_cast<std::uint64_t>(std::max<std::int64_t>(interval_.count() / 4, 1)));
  Deadline next = Deadline::after(began, interval_ - Duration(jitter));
  const std::scoped_lock lock(mutex_);
  if (!due_) return next;
  const TimePoint now = runtime_.clock().now();
  const Duration left = *due_ - runtime_.clock().wall_now();
  return next.earlier(Deadline::after(now, std::max(left, began + rest_ - now)));
}

// A job that is due here and not yet by the store's clock, which is behind: asked again ever less
// often.
void Upkeep::pace(const MaintenanceReport& report) {
  const bool behind = report.promoted == 0 && report.next_due.has_value() &&
                      *report.next_due <= runtime_.clock().wall_now();
  rest_ = behind ? std::clamp(rest_ * 2, kFirstRest, kLongestRest) : Duration(0);
}

boost::asio::awaitable<bool> Upkeep::maintain() {
  {
    const std::scoped_lock lock(mutex_);
    due_.reset();
  }
  const Context ctx =
      Context::background().with_deadline(Deadline::after(runtime_.clock().now(), kCallTimeout));
  const Result<MaintenanceReport> report = co_await store_.maintain(ctx, kRows);
  if (!report) {
    metrics_.store_errors.inc();
    co_return false;
  }
  metrics_.rescued.inc(static_cast<std::uint64_t>(report->rescued));
  metrics_.quarantined.inc(static_cast<std::uint64_t>(report->discarded));
  pace(*report);
  if (report->next_due) due_at(*report->next_due);
  co_return report->promoted >= kRows || report->rescued >= kRows || report->pruned >= kRows;
}

}  // namespace aiserve::inline v0::detail
