#include "jobs/schedules.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "aiserve/core/telemetry.hpp"
#include "decide/tz_file.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr Duration kWindow = 24h;
// A wall clock that is set is noticed so late at most.
constexpr Duration kLongestSleep = 1min;
constexpr Duration kRetry = 1s;
constexpr Duration kCallTimeout = 10s;
constexpr const char* kZones = "/usr/share/zoneinfo/";

decide::Parsed<decide::TimeZone> read_zone(const std::string& name) {
  using Zone = decide::Parsed<decide::TimeZone>;
  if (name == "UTC") return decide::TimeZone();
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos) {
    return Zone::failed("the time zone has no such name");
  }
  std::ifstream file(kZones + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file || bytes.empty()) return Zone::failed("the time zone is not in " + std::string(kZones));
  return decide::parse_tz_file(bytes);
}

decide::CatchUp mode_of(CatchUp catch_up) noexcept {
  switch (catch_up) {
    case CatchUp::none:
      return decide::CatchUp::none;
    case CatchUp::latest:
      return decide::CatchUp::latest;
    case CatchUp::all:
      return decide::CatchUp::all;
  }
  return decide::CatchUp::none;
}

}  // namespace

void Schedules::add(const std::string& name, const JobSchedule& schedule) {
  const auto fail = [&](const std::string& why) {
    throw ConfigError("jobs, schedule " + name + ": " + why);
  };
  const auto cron = decide::parse_cron(schedule.cron);
  if (!cron) fail(cron.error);
  const auto zone = read_zone(schedule.time_zone);
  if (!zone) fail(zone.error);
  if (std::any_of(entries_.begin(), entries_.end(),
                  [&](const Entry& entry) { return entry.name == name; })) {
    fail("there is one of this name");
  }
  const decide::Nanos now = runtime_.clock().wall_now().time_since_epoch().count();
  const decide::Nanos since = schedule.since.time_since_epoch().count();
  const decide::CatchUpPolicy policy{.mode = mode_of(schedule.catch_up), .window = kWindow.count()};
  // What ran in the window is known by its unique keys.
  const decide::Nanos last =
      schedule.catch_up == CatchUp::none ? now : std::max(now - kWindow.count(), since - 1);
  entries_.push_back({name, NewJob(schedule.tenant, schedule.kind, schedule.input), *cron.value,
                      *zone.value, policy, last});
}

void Schedules::end() noexcept {
  ended_.store(true, std::memory_order_release);
  bell_.ring();
}

Task Schedules::run(Enqueue enqueue) {
  while (!ended_.load(std::memory_order_acquire)) {
    decide::Nanos next = decide::kNever;
    for (Entry& entry : entries_) {
      const decide::Nanos own = co_await tend(entry, enqueue);
      next = std::min(next, own);
    }
    const decide::Nanos now = runtime_.clock().wall_now().time_since_epoch().count();
    const Duration pause(std::clamp<decide::Nanos>(next - now, 0, kLongestSleep.count()));
    co_await bell_.wait(Deadline::after(runtime_.clock().now(), pause));
  }
}

boost::asio::awaitable<decide::Nanos> Schedules::tend(Entry& entry, const Enqueue& enqueue) {
  const decide::Nanos now = runtime_.clock().wall_now().time_since_epoch().count();
  const decide::DueRuns due = due_runs(entry.cron, entry.zone, entry.policy, entry.last, now);
  const Context ctx =
      Context::background().with_deadline(Deadline::after(runtime_.clock().now(), kCallTimeout));
  for (const decide::Nanos run : due.runs) {
    NewJob job = entry.job;
    job.unique = JobUnique("schedule/" + entry.name + '/' + std::to_string(run / 1'000'000'000),
                           JobUniqueScope::retained, 48h);
    const Result<void> done = co_await enqueue(ctx, job);
    if (done) continue;
    const std::string why = done.error().to_string();
    runtime_.telemetry().log().warn("a scheduled job could not be enqueued yet",
                                    {{"schedule", entry.name}, {"error", why}});
    // Those that were are found by their keys.
    co_return now + kRetry.count();
  }
  entry.last = due.decided_until;
  co_return due.next;
}

}  // namespace aiserve::inline v0::detail
