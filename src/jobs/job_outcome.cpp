#include "aiserve/jobs/job_outcome.hpp"

namespace aiserve::inline v0 {

JobOutcome JobOutcome::done(Bytes result) {
  JobOutcome outcome(JobOutcomeKind::done, {});
  outcome.result_ = std::move(result);
  return outcome;
}

JobOutcome JobOutcome::retry(const Error& why) {
  JobOutcome outcome(JobOutcomeKind::retry, why.to_string());
  outcome.retry_after_ = why.retry_after().value_or(std::chrono::milliseconds(0));
  return outcome;
}

JobOutcome JobOutcome::retry_at(WallTime at, const Error& why) {
  JobOutcome outcome(JobOutcomeKind::retry, why.to_string());
  outcome.at_ = at;
  return outcome;
}

JobOutcome JobOutcome::snooze_until(WallTime at) {
  JobOutcome outcome(JobOutcomeKind::snooze, {});
  outcome.at_ = at;
  return outcome;
}

JobOutcome JobOutcome::cancel(std::string why) {
  return JobOutcome(JobOutcomeKind::cancel, std::move(why));
}

JobOutcome JobOutcome::discard(const Error& why) {
  return JobOutcome(JobOutcomeKind::discard, why.to_string());
}

JobOutcome JobOutcome::from(const Result<Bytes>& result) {
  return result ? done(*result) : from(result.error());
}

JobOutcome JobOutcome::from(const Result<void>& result) {
  return result ? done() : from(result.error());
}

JobOutcome JobOutcome::from(const Result<Tensor>& result) {
  return result ? done(result->payload()) : from(result.error());
}

JobOutcome JobOutcome::from(const Error& error) {
  const bool again = traits(error.code()).retryable || error.code() == Errc::cancelled;
  return again ? retry(error) : discard(error);
}

}  // namespace aiserve::inline v0
