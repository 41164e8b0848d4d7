#include "jobs/settler.hpp"

#include <algorithm>

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstPause = 50ms;
constexpr Duration kLongestPause = 5s;

}  // namespace

std::vector<Settlement> Settler::take() {
  std::vector<Settlement> settlements;
  while (!waiting_.empty() && taken_.size() < kBatch) {
    const bool alone = waiting_.front()->alone;
    if (alone && !taken_.empty()) break;
    settlements.push_back(to_settlement(*waiting_.front()));
    taken_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (alone) break;
  }
  return settlements;
}

Settlement Settler::to_settlement(JobRun& run) {
  Settlement settlement(run.claimed, run.worker, run.verdict);
  settlement.at = run.at;
  settlement.error = run.outcome.error();
  if (run.verdict == JobOutcomeKind::done) settlement.result = run.outcome.result();
  if (run.verdict == JobOutcomeKind::give_back) return settlement;
  settlement.next = run.outcome.next();
  settlement.events = run.outcome.events();
  return settlement;
}

void Settler::done(const Result<std::vector<Settled>>& answer, TimePoint now) {
  if (!answer) {
    metrics_.store_errors.inc();
    const bool again =
        traits(answer.error().code()).retryable || answer.error().code() == Errc::cancelled;
    if (!again) return refused(answer.error());
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    return put_back(now + pause_);
  }
  pause_ = Duration(0);
  metrics_.settle_batch.observe(static_cast<double>(taken_.size()));
  for (std::size_t i = 0; i < taken_.size(); ++i) record(*taken_[i], answer->at(i));
  taken_.clear();
}

void Settler::record(const JobRun& run, Settled settled) {
  const LogFields fields{{"kind", run.kind.stored},
                         {"job", run.claimed.id.value()},
                         {"attempt", run.claimed.attempt},
                         {"outcome", to_string(run.verdict)},
                         {"error", run.outcome.error()}};
  if (settled == Settled::stale) {
    metrics_.stale.inc();
    log_.warn(run.ctx, "the outcome of a job came too late", fields);
    return;
  }
  run.kind.metrics.outcomes[static_cast<std::size_t>(run.verdict)]->inc();
  if (run.verdict == JobOutcomeKind::give_back) metrics_.given_back.inc();
  if (run.verdict == JobOutcomeKind::discard) log_.warn(run.ctx, "a job was discarded", fields);
  if (run.verdict == JobOutcomeKind::retry) log_.info(run.ctx, "a job failed", fields);
}

// One of them is not as the store wants it: each is told alone, and that one is discarded.
void Settler::refused(const Error& error) {
  if (taken_.size() > 1) {
    for (const JobRunPtr& run : taken_) run->alone = true;
    return put_back(TimePoint::min());
  }
  JobRun& run = *taken_.front();
  if (run.verdict == JobOutcomeKind::discard) {
    const std::string text = error.to_string();
    log_.error(run.ctx, "the outcome of a job cannot be recorded",
               {{"kind", run.kind.stored}, {"job", run.claimed.id.value()}, {"error", text}});
    return taken_.clear();
  }
  run.outcome = JobOutcome::discard(error);
  run.verdict = JobOutcomeKind::discard;
  put_back(TimePoint::min());
}

void Settler::put_back(TimePoint until) {
  resting_until_ = until;
  waiting_.insert(waiting_.begin(), std::move_iterator(taken_.begin()),
                  std::move_iterator(taken_.end()));
  taken_.clear();
}

void Settler::give_up() {
  if (!empty()) {
    log_.warn("outcomes could not be recorded; their jobs run again",
              {{"jobs", static_cast<std::int64_t>(size())}});
  }
  waiting_.clear();
  taken_.clear();
}

}  // namespace aiserve::inline v0::detail
