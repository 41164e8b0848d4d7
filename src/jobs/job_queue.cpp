#include "aiserve/jobs/job_queue.hpp"

#include "jobs/check_queue_options.hpp"
#include "jobs/queue_engine.hpp"
#include "jobs/redrive_dead.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr int kMostRedriven = 10'000;

}  // namespace

class JobQueue::Impl {
 public:
  Impl(Runtime& runtime, JobStore& store, JobReader& job_reader, JobQueueOptions options)
      : reader(job_reader), engine(runtime, store, job_reader, std::move(options)) {}

  JobReader& reader;
  detail::QueueEngine engine;
};

JobQueue::JobQueue(Runtime& runtime, JobStore& store, JobReader& reader, JobQueueOptions options)
    : impl_(std::make_unique<Impl>(runtime, store, reader, std::move(options))) {}
JobQueue::~JobQueue() = default;

JobQueue& JobQueue::on(std::string kind, JobKindOptions options, JobHandler handler) {
  impl_->engine.add_kind(std::move(kind), options, std::move(handler));
  return *this;
}

JobQueue& JobQueue::schedule(std::string name, JobSchedule schedule) {
  impl_->engine.add_schedule(name, schedule);
  return *this;
}

NewJob JobQueue::make(const Context& ctx, std::string_view kind, const Bytes& input) const {
  NewJob job(ctx.tenant().id(), std::string(kind), input);
  impl_->engine.set_defaults(job);
  if (ctx.trace().valid()) job.trace = std::string(ctx.trace().text().view());
  return job;
}

Async<Enqueued> JobQueue::enqueue(const Context& ctx, std::string_view kind, const Bytes& input) {
  const NewJob job = make(ctx, kind, input);
  co_return co_await enqueue(ctx, job);
}

Async<Enqueued> JobQueue::enqueue(const Context& ctx, const NewJob& job) {
  std::vector<NewJob> one{job};
  const Result<std::vector<Enqueued>> done = co_await impl_->engine.enqueue(ctx, one);
  if (!done) co_return done.error();
  co_return done->at(0);
}

Async<std::vector<Enqueued>> JobQueue::enqueue(const Context& ctx, std::span<const NewJob> jobs) {
  std::vector<NewJob> copies(jobs.begin(), jobs.end());
  co_return co_await impl_->engine.enqueue(ctx, copies);
}

Async<JobInfo> JobQueue::get(const Context& ctx, JobId id) {
  Result<JobInfo> info = co_await impl_->reader.get(ctx, ctx.tenant().id(), id);
  if (!info || !info->result) co_return info;
  Result<Bytes> plain = co_await impl_->engine.payloads().load(ctx, info->tenant, *info->result);
  if (!plain) co_return plain.error();
  info->result = std::move(*plain);
  co_return info;
}

Async<JobInfo> JobQueue::info(const Context& ctx, JobId id) {
  Result<JobInfo> info = co_await impl_->reader.get(ctx, ctx.tenant().id(), id);
  if (info) info->result.reset();
  co_return info;
}

Async<Bytes> JobQueue::input(const Context& ctx, JobId id) {
  const Result<Bytes> stored = co_await impl_->reader.input(ctx, ctx.tenant().id(), id);
  if (!stored) co_return stored.error();
  co_return co_await impl_->engine.payloads().load(ctx, ctx.tenant().id(), *stored);
}

Async<std::vector<JobInfo>> JobQueue::list(const Context& ctx, const JobPage& page) {
  co_return co_await impl_->reader.list(ctx, ctx.tenant().id(), page);
}

Async<JobInfo> JobQueue::cancel(const Context& ctx, JobId id) {
  Result<JobInfo> info =
      co_await impl_->reader.control(ctx, ctx.tenant().id(), id, JobAction::cancel);
  if (info && info->state == JobState::running) {
    impl_->engine.dispatcher().cancel({ctx.tenant().id(), id});
  }
  co_return info;
}

Async<JobInfo> JobQueue::redrive(const Context& ctx, JobId id) {
  co_return co_await impl_->reader.control(ctx, ctx.tenant().id(), id, JobAction::redrive);
}

Async<int> JobQueue::redrive_dead(const Context& ctx, std::string_view kind, int limit) {
  if (limit < 1 || limit > kMostRedriven) {
    co_return Error(Errc::invalid_argument, "limit must be 1 to 10000");
  }
  const detail::DeadLetters which{ctx.tenant().id(), std::string(kind), limit};
  int redriven = 0;
  const Result<void> done = co_await detail::redrive_dead(impl_->reader, ctx, which, redriven);
  if (!done && redriven == 0) co_return done.error();
  co_return redriven;
}

void JobQueue::pause(std::string_view kind) { impl_->engine.planner().pause(kind); }
void JobQueue::pause() { impl_->engine.planner().pause_all(); }
void JobQueue::resume(std::string_view kind) {
  impl_->engine.planner().resume(kind);
  impl_->engine.dispatcher().look();
}
void JobQueue::resume() {
  impl_->engine.planner().resume_all();
  impl_->engine.dispatcher().look();
}

Async<void> JobQueue::drain(const Context& ctx) {
  constexpr std::chrono::milliseconds kLook{10};
  pause();
  const auto busy = [](const JobQueueSnapshot& now) {
    return now.claiming || now.held != 0 || now.unsettled != 0;
  };
  while (busy(snapshot())) {
    if (const Result<void> slept = co_await sleep(ctx, kLook); !slept) co_return slept.error();
  }
  co_return success();
}

JobQueueSnapshot JobQueue::snapshot() const { return impl_->engine.dispatcher().snapshot(); }

}  // namespace aiserve::inline v0
