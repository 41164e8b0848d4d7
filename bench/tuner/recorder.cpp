#include "tuner/recorder.hpp"

#include <chrono>

#include <time.h>

namespace tuner {
namespace {

constexpr std::size_t kSlices = 60;

}  // namespace

Nanos steady_now() noexcept {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double process_cpu() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

Recorder::Recorder(Nanos begin, Nanos measured, std::size_t tenants)
    : begin_(begin), measured_(measured) {
  result_.tenants.resize(tenants);
  result_.timeline = Timeline(measured, kSlices, tenants);
  result_.seconds = static_cast<double>(measured) * 1e-9;
}

void Recorder::record(const Answer& answer, std::uint32_t tenant, Nanos due) {
  const Nanos now = steady_now();
  const std::scoped_lock lock(mutex_);
  // The plots show all that happened in their time, the numbers what was due in it.
  if (answer.outcome == Outcome::ok) result_.timeline.answered(now - begin_, tenant);
  if (answer.leads_batch) result_.timeline.batch(now - begin_, answer.batch_rows);
  if (due < begin_ || due >= begin_ + measured_) return;
  result_.tenants[tenant].count(answer.outcome, now - due);
  if (!answer.leads_batch) return;
  ++result_.batches;
  result_.batched_rows += answer.batch_rows;
}

}  // namespace tuner
