#include "fire.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "pixels.hpp"

namespace service {

using namespace std::chrono_literals;
using aiserve::Async;
using aiserve::Context;
using aiserve::Errc;
using aiserve::Error;
using aiserve::Inference;
using aiserve::Result;
using aiserve::Tensor;
using aiserve::TimePoint;

std::string_view to_string(FireState state) {
  constexpr std::array<std::string_view, 4> kNames{"running", "done", "cancelled", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

double FireReport::accuracy() const {
  return done == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(done);
}

double FireReport::per_second() const {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(done) / seconds : 0;
}

double FireReport::mean_batch() const {
  return batches > 0 ? static_cast<double>(done) / batches : 0;
}

/// What the lanes of one run share.
class Fire::Run {
 public:
  Run(FireReport report, TimePoint begun) : report_(report), begun_(begun) {}

  const Context& context() const { return context_; }

  /// The next image to ask for; nothing when all are taken or the run has been stopped.
  std::optional<std::size_t> next() {
    const std::scoped_lock lock(mutex_);
    if (context_.cancelled() || next_ == report_.total) return std::nullopt;
    return next_++;
  }
  void count(bool correct, std::uint32_t batch_size) {
    const std::scoped_lock lock(mutex_);
    ++report_.done;
    report_.correct += correct ? 1 : 0;
    report_.batches += 1.0 / batch_size;
  }
  /// Stops the run; false if it was stopped already, so that only the first failure is told.
  bool fail() {
    const std::scoped_lock lock(mutex_);
    if (!context_.cancel(aiserve::CancelReason::user)) return false;
    failed_ = true;
    return true;
  }
  void end(TimePoint now) {
    const std::scoped_lock lock(mutex_);
    const bool all = report_.done == report_.total;
    report_.elapsed = now - begun_;
    report_.state = all ? FireState::done : failed_ ? FireState::failed : FireState::cancelled;
  }
  bool running() const {
    const std::scoped_lock lock(mutex_);
    return report_.state == FireState::running;
  }
  FireReport report(TimePoint now) const {
    const std::scoped_lock lock(mutex_);
    FireReport report = report_;
    if (report.state == FireState::running) report.elapsed = now - begun_;
    return report;
  }

 private:
  // Whoever asks over HTTP comes first.
  const Context context_{aiserve::ContextOptions{.priority = aiserve::Priority::background}};
  mutable std::mutex mutex_;
  FireReport report_;
  const TimePoint begun_;
  std::size_t next_ = 0;
  bool failed_ = false;
};

Fire::Fire(aiserve::Runtime& runtime, aiserve::Batcher& batcher, const fashion::Dataset& images,
           RideRecorder& recorder)
    : runtime_(runtime), batcher_(batcher), images_(images), recorder_(recorder) {
  attachment_ = runtime_.attach({.name = "fire", .stop_accepting = [this] { drain(); }});
}

Result<std::uint64_t> Fire::start(std::size_t concurrency, std::size_t count) {
  const Result<RunPtr> begun = begin(concurrency, count);
  if (!begun) return begun.error();
  const RunPtr& run = *begun;
  const std::uint64_t id = run->report(runtime_.clock().now()).id;
  // Every lane holds a copy: when the last one goes, also unused ones at a shutdown, the run is
  // over.
  const std::shared_ptr<void> last(nullptr, [this, run](void*) { end(*run); });
  const auto body = [this](const Context& ctx, const RunPtr& shared, const std::shared_ptr<void>&) {
    return lane(ctx, shared);
  };
  for (std::size_t i = 0; i < std::min(concurrency, count); ++i) {
    aiserve::spawn(runtime_, run->context(), body, run, last);
  }
  return id;
}

Result<Fire::RunPtr> Fire::begin(std::size_t concurrency, std::size_t count) {
  const std::scoped_lock lock(mutex_);
  if (draining_) return Error(Errc::unavailable, "the service is shutting down");
  if (run_ && run_->running()) return Error(Errc::conflict, "a run is going on");
  FireReport report;
  report.id = ++runs_;
  report.concurrency = concurrency;
  report.total = count;
  run_ = std::make_shared<Run>(report, runtime_.clock().now());
  return run_;
}

Async<void> Fire::lane(const Context& ctx, RunPtr run) {
  while (const std::optional<std::size_t> index = run->next()) {
    const Tensor image = to_tensor(images_.image(*index));
    const TimePoint asked = runtime_.clock().now();
    const Result<Inference> answer = co_await ask(ctx, image);
    if (!answer) {
      if (run->fail()) co_return answer.error();
      co_return aiserve::success();
    }
    recorder_.record(answer->ride(), runtime_.clock().now() - asked);
    run->count(most_likely(answer->output()) == images_.labels[*index], answer->ride().size);
  }
  co_return aiserve::success();
}

/// Waits for room in the queue: a full queue is no reason to skip an image.
Async<Inference> Fire::ask(const Context& ctx, const Tensor& image) {
  while (true) {
    Result<Inference> answer = co_await batcher_.infer_detailed(ctx, image);
    if (answer || answer.error().code() != Errc::overloaded) co_return answer;
    const auto delay = answer.error().retry_after().value_or(10ms);
    const Result<void> slept = co_await aiserve::sleep(ctx, delay);
    if (!slept) co_return slept.error();
  }
}

void Fire::end(Run& run) {
  const TimePoint now = runtime_.clock().now();
  run.end(now);
  if (on_end_) on_end_(run.report(now));
}

void Fire::cancel() {
  const std::scoped_lock lock(mutex_);
  if (run_) run_->context().cancel(aiserve::CancelReason::user);
}

void Fire::drain() {
  {
    const std::scoped_lock lock(mutex_);
    draining_ = true;
  }
  cancel();
}

std::optional<FireReport> Fire::report() const {
  const std::scoped_lock lock(mutex_);
  if (!run_) return std::nullopt;
  return run_->report(runtime_.clock().now());
}

}  // namespace service
