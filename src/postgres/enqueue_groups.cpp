#include "postgres/enqueue_groups.hpp"

#include <algorithm>

namespace aiserve::inline v0::pg {
namespace {

// While one group waits for the disk the next one gathers; a second on its way keeps one slow
// connection from holding up all.
constexpr int kGroups = 2;

/// One request may have been the reason: the others deserve a transaction without it.
bool may_be_of_one(const Error& error) {
  return error.code() == Errc::internal || error.code() == Errc::too_large;
}

}  // namespace

class EnqueueGroups::Group final : public Task {
 public:
  Group(std::shared_ptr<EnqueueGroups> groups, const Context& until, Line& line)
      : Task(until), groups_(std::move(groups)), line_(line) {}

  void run(Transaction& transaction) override {
    take();
    // Whoever gave up while it waited is not owed a write.
    std::erase_if(requests_, [](const EnqueueRequestPtr& one) { return !one->pending(); });
    if (requests_.empty()) return;
    std::vector<std::span<const NewJob>> jobs;
    jobs.reserve(requests_.size());
    for (const EnqueueRequestPtr& one : requests_) jobs.emplace_back(one->jobs);
    JobTransaction work(transaction);
    answers_ = work.enqueue(jobs, line_.patience);
    ready_ = work.made_ready();
  }
  bool failed() const noexcept override { return requests_.empty(); }
  void fail(const Error& error) override {
    take();
    error_ = error;
  }
  void committed() override { groups_->hub_->made_ready(ready_); }
  void finish() override {
    const bool again = error_ && requests_.size() > 1 && may_be_of_one(*error_);
    EnqueueLine::Requests rest;
    if (again) {
      for (const EnqueueRequestPtr& one : requests_) one->alone = true;
      rest = std::move(requests_);
    } else {
      rest = answer();
    }
    for (const EnqueueRequestPtr& one : rest) groups_->move_on(one);
    groups_->ended(line_);
  }

 private:
  void take() {
    if (requests_.empty()) requests_ = groups_->take(line_);
  }
  /// Returns those that have to wait for others.
  EnqueueLine::Requests answer() {
    EnqueueLine::Requests rest;
    detail::SettledBatch settled;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (!error_ && !answers_[i]) {
        rest.push_back(std::move(requests_[i]));
        continue;
      }
      if (error_) {
        requests_[i]->answer = *error_;
      } else {
        requests_[i]->answer = std::move(*answers_[i]);
      }
      settled.settle(std::move(requests_[i]), Outcome::completed);
    }
    return rest;
  }

  const std::shared_ptr<EnqueueGroups> groups_;
  Line& line_;
  EnqueueLine::Requests requests_;
  std::vector<std::optional<JobTransaction::EnqueueResult>> answers_;
  std::vector<ReadyJob> ready_;
  std::optional<Error> error_;
};

// Of several connections one is left for what waits for nobody.
EnqueueGroups::EnqueueGroups(PostgresCore& core, std::shared_ptr<JobHub> hub) noexcept
    : core_(core),
      hub_(std::move(hub)),
      quick_{.patience = Patience::none, .most = kGroups},
      patient_{.patience = Patience::brief, .most = std::max(1, core.options().connections - 1)} {}

Async<std::vector<Enqueued>> EnqueueGroups::enqueue(const Context& ctx,
                                                    std::span<const NewJob> jobs) {
  const Context own = core_.bounded(ctx);
  const auto request = detail::make_intrusive<EnqueueRequest>(jobs);
  if (!request->bind(&core_.runtime().core())) {
    co_return Error(Errc::internal, "not on an I/O thread");
  }
  if (auto refused = add(request->alone ? patient_ : quick_, request)) {
    co_return std::move(*refused);
  }
  request->watch(own);
  co_await request->wait();
  if (request->outcome() != detail::Operation::Outcome::completed) co_return request->error();
  co_return std::move(request->answer);
}

std::optional<Error> EnqueueGroups::add(Line& line, const EnqueueRequestPtr& request) {
  {
    const std::scoped_lock lock(mutex_);
    if (quick_.waiting.size() + patient_.waiting.size() >= core_.options().max_queue) {
      return Error(Errc::overloaded, "too many operations wait for the store")
          .retry_after(std::chrono::milliseconds(100));
    }
    line.waiting.push(request);
    if (line.groups == line.most) return std::nullopt;
    ++line.groups;
  }
  std::optional<Error> refused = send(line);
  if (!refused) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  --line.groups;
  // Another group may have it already.
  if (line.groups > 0 || !line.waiting.remove(request)) return std::nullopt;
  return refused;
}

void EnqueueGroups::move_on(const EnqueueRequestPtr& request) {
  const std::optional<Error> refused = add(patient_, request);
  if (!refused) return;
  request->answer = *refused;
  request->settle(detail::Operation::Outcome::completed);
}

std::optional<Error> EnqueueGroups::send(Line& line) {
  const Context ctx = core_.bounded(Context::background());
  const auto group = detail::make_intrusive<Group>(shared_from_this(), ctx, line);
  return core_.enqueue(PostgresCore::TaskPtr::share(group.get()));
}

EnqueueLine::Requests EnqueueGroups::take(Line& line) {
  const std::scoped_lock lock(mutex_);
  return line.patience == Patience::none ? line.waiting.take_many()
                                         : line.waiting.take_of_one_queue();
}

void EnqueueGroups::ended(Line& line) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (line.waiting.size() == 0) {
      --line.groups;
      return;
    }
  }
  const std::optional<Error> refused = send(line);
  if (!refused) return;
  EnqueueLine::Requests rest;
  {
    const std::scoped_lock lock(mutex_);
    --line.groups;
    while (line.groups == 0 && line.waiting.size() > 0) {
      for (EnqueueRequestPtr& one : line.waiting.take_many()) rest.push_back(std::move(one));
    }
  }
  for (const EnqueueRequestPtr& one : rest) {
    one->answer = *refused;
    one->settle(detail::Operation::Outcome::completed);
  }
}

}  // namespace aiserve::inline v0::pg
