#include "postgres/enqueue_groups.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

// While one group waits for the disk the next one gathers; a second on its way keeps one slow
// connection from holding up all.
constexpr int kGroups = 2;
constexpr std::size_t kMostJobs = 1'000;

/// One request may have been the reason: the others deserve a transaction without it.
bool may_be_of_one(const Error& error) {
  return error.code() == Errc::internal || error.code() == Errc::too_large;
}

}  // namespace

bool EnqueueRequest::has_keys() const noexcept {
  return std::any_of(jobs.begin(), jobs.end(),
                     [](const NewJob& job) { return job.unique || !job.order_key.empty(); });
}

class EnqueueGroups::Group final : public Task {
 public:
  Group(std::shared_ptr<EnqueueGroups> groups, const Context& until,
        std::vector<EnqueueRequestPtr> requests, bool gathers)
      : Task(until),
        groups_(std::move(groups)),
        requests_(std::move(requests)),
        gathers_(gathers) {}

  void run(Transaction& transaction) override {
    take();
    // Whoever gave up while it waited is not owed a write.
    std::erase_if(requests_, [](const EnqueueRequestPtr& one) { return !one->pending(); });
    if (requests_.empty()) return;
    std::vector<std::span<const NewJob>> jobs;
    jobs.reserve(requests_.size());
    for (const EnqueueRequestPtr& one : requests_) jobs.emplace_back(one->jobs);
    JobTransaction work(transaction);
    answers_ = work.enqueue(jobs);
    ready_ = work.made_ready();
  }
  bool failed() const noexcept override { return requests_.empty(); }
  void fail(const Error& error) override {
    take();
    error_ = error;
  }
  void committed() override { groups_->hub_->made_ready(ready_); }
  void finish() override {
    if (error_ && requests_.size() > 1 && may_be_of_one(*error_)) {
      run_alone();
    } else {
      answer();
    }
    if (gathers_) groups_->ended();
  }

 private:
  void take() {
    if (gathers_ && requests_.empty()) requests_ = groups_->take();
  }
  void answer() noexcept {
    detail::SettledBatch settled;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (error_) {
        requests_[i]->answer = *error_;
      } else {
        requests_[i]->answer = std::move(answers_[i]);
      }
      settled.settle(std::move(requests_[i]), Outcome::completed);
    }
  }
  void run_alone() {
    for (const EnqueueRequestPtr& one : requests_) {
      const std::optional<Error> refused = groups_->send({one}, false);
      if (!refused) continue;
      one->answer = *refused;
      one->settle(Outcome::completed);
    }
  }

  const std::shared_ptr<EnqueueGroups> groups_;
  std::vector<EnqueueRequestPtr> requests_;
  const bool gathers_;
  std::vector<JobTransaction::EnqueueResult> answers_;
  std::vector<ReadyJob> ready_;
  std::optional<Error> error_;
};

Async<std::vector<Enqueued>> EnqueueGroups::enqueue(const Context& ctx,
                                                    std::span<const NewJob> jobs) {
  const Context own = core_.bounded(ctx);
  const auto request = detail::make_intrusive<EnqueueRequest>(jobs);
  if (!request->bind(&core_.runtime().core())) {
    co_return Error(Errc::internal, "not on an I/O thread");
  }
  if (auto refused = add(request)) co_return std::move(*refused);
  request->watch(own);
  co_await request->wait();
  if (request->outcome() != detail::Operation::Outcome::completed) co_return request->error();
  co_return std::move(request->answer);
}

std::optional<Error> EnqueueGroups::add(EnqueueRequestPtr request) {
  if (request->has_keys()) return send({std::move(request)}, false);
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.size() >= core_.options().max_queue) {
      return Error(Errc::overloaded, "too many operations wait for the store")
          .retry_after(std::chrono::milliseconds(100));
    }
    waiting_.push_back(request);
    if (gathering_ == kGroups) return std::nullopt;
    ++gathering_;
  }
  std::optional<Error> refused = send({}, true);
  if (!refused) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  --gathering_;
  // Another group may have it already.
  const auto found = std::find(waiting_.begin(), waiting_.end(), request);
  if (found == waiting_.end() || gathering_ > 0) return std::nullopt;
  waiting_.erase(found);
  return refused;
}

std::optional<Error> EnqueueGroups::send(std::vector<EnqueueRequestPtr> requests, bool gathers) {
  const Context ctx = core_.bounded(Context::background());
  const auto group =
      detail::make_intrusive<Group>(shared_from_this(), ctx, std::move(requests), gathers);
  return core_.enqueue(PostgresCore::TaskPtr::share(group.get()));
}

std::vector<EnqueueRequestPtr> EnqueueGroups::take() {
  std::vector<EnqueueRequestPtr> taken;
  std::size_t jobs = 0;
  const std::scoped_lock lock(mutex_);
  while (!waiting_.empty() && (taken.empty() || jobs < kMostJobs)) {
    jobs += waiting_.front()->jobs.size();
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void EnqueueGroups::ended() noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      --gathering_;
      return;
    }
  }
  const std::optional<Error> refused = send({}, true);
  if (!refused) return;
  std::deque<EnqueueRequestPtr> rest;
  {
    const std::scoped_lock lock(mutex_);
    if (--gathering_ == 0) rest.swap(waiting_);
  }
  for (const EnqueueRequestPtr& one : rest) {
    one->answer = *refused;
    one->settle(detail::Operation::Outcome::completed);
  }
}

}  // namespace aiserve::inline v0::pg
