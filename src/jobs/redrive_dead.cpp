#include "jobs/redrive_dead.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr int kPage = 1000;
constexpr int kMostHeld = 10;  // the store may wait a second for each

bool is_of(const std::string& stored, const std::string& kind) {
  if (!stored.starts_with(kind)) return false;
  return stored.size() == kind.size() || stored[kind.size()] == '@';
}

bool is_passed(const Error& error) {
  return error.code() == Errc::conflict || error.code() == Errc::not_found;
}

}  // namespace

Async<void> redrive_dead(JobReader& store, const Context& ctx, const DeadLetters& which,
                         int& redriven) {
  JobPage page{.state = JobState::discarded, .limit = kPage};
  int held = 0;
  Result<void> done = success();
  while (redriven < which.limit) {
    const Result<std::vector<JobInfo>> dead = co_await store.list(ctx, which.tenant, page);
    if (!dead) co_return dead.error();
    if (dead->empty()) break;
    for (const JobInfo& job : *dead) {
      if (redriven == which.limit) break;
      if (!is_of(job.kind, which.kind)) continue;
      const Result<JobInfo> again =
          co_await store.control(ctx, which.tenant, job.id, JobAction::redrive);
      if (again) ++redriven;
      if (again || is_passed(again.error())) continue;
      if (again.error().code() != Errc::overloaded || ++held == kMostHeld) co_return again.error();
      done = again.error();
    }
    page.before = dead->back().id;
  }
  co_return done;
}

}  // namespace aiserve::inline v0::detail
