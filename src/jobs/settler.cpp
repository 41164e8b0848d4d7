#include "jobs/settler.hpp"

#include <algorithm>
#include <iterator>

#include "jobs/payload_mark.hpp"

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstPause = 50ms;
constexpr Duration kLongestPause = 5s;
// Of outcomes whose keys others hold. The store spends a moment on each try.
constexpr Duration kHeldUpPause = 1s;

}  // namespace

std::vector<Settlement> Settler::take(TimePoint now) {
  std::vector<Settlement> settlements;
  if (now >= held_up_until_) {
    std::move(held_up_.begin(), held_up_.end(), std::back_inserter(waiting_));
    held_up_.clear();
  }
  while (!waiting_.empty() && taken_.size() < kBatch) {
    const bool alone = waiting_.front()->alone;
    if (alone && !taken_.empty()) break;
    JobRunPtr run = std::move(waiting_.front());
    waiting_.pop_front();
    if (outdated(*run, now)) continue;
    settlements.push_back(to_settlement(*run));
    taken_.push_back(std::move(run));
    if (alone) break;
  }
  return settlements;
}

bool Settler::outdated(JobRun& run, TimePoint now) const {
  if (!run.started || now - run.ended_at <= objects_last_) return false;
  const bool refers =
      referred_by(run.outcome.result()) ||
      std::any_of(run.outcome.next().begin(), run.outcome.next().end(),
                  [](const NewJob& next) { return referred_by(next.input).has_value(); });
  if (!refers) return false;
  log_.warn(run.ctx, "an outcome waited too long for the store; its job runs again",
            {{"kind", run.kind.stored}, {"job", run.claimed.id.value()}});
  return true;
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
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    if (answer->at(i) == Settled::later) {
      if (held_up_.empty()) held_up_until_ = now + kHeldUpPause;
      held_up_.push_back(std::move(taken_[i]));
    } else {
      record(*taken_[i], answer->at(i));
    }
  }
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
    unrecordable_.push_back(std::move(taken_.front()));
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
  held_up_.clear();
}

}  // namespace aiserve::inline v0::detail
