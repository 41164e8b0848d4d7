// The checker finds what it is there for, and several processes over one file that are killed at
// random give it nothing to find.
#include "unit/campaigns/job_history.hpp"

#include <fstream>
#include <memory>
#include <optional>

#include <fcntl.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "support/campaign.hpp"
#include "support/temporary_folder.hpp"
#include "unit/campaigns/forked.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using namespace aiserve::testing;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();
constexpr std::chrono::milliseconds kLease{150};

std::int64_t now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

/// A process that does this and that with a store, and writes down what it is told.
class Client {
 public:
  Client(const TemporaryFolder& folder, std::string name, std::uint64_t seed)
      : dice_(seed),
        name_(std::move(name)),
        telemetry_({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime_({.blocking_threads = 1, .telemetry = &telemetry_}),
        store_(runtime_, {.path = folder.file("jobs.db")}),
        log_(::open(folder.file(name_ + ".log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {
    runtime_.start();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(log_); }

  void act() {
    switch (dice_.roll(6)) {
      case 0:
      case 1:
        return enqueue();
      case 2:
        static_cast<void>(wait(store_.maintain(kCtx, 100)));
        return;
      default:
        static_cast<void>(work());
    }
  }
  /// Until nothing is left.
  void finish() {
    for (;;) {
      const auto report = wait(store_.maintain(kCtx, 10'000));
      if (work() == 0 && report && open_jobs() == 0) return;
    }
  }
  std::map<std::int64_t, FinalJob> jobs() {
    std::map<std::int64_t, FinalJob> all;
    for (const JobInfo& listed : pages()) {
      const JobInfo job = wait(store_.get(kCtx, kTenant, listed.id)).value();
      all[job.id.value()] = {job.state == JobState::completed,
                             job.result ? job.result->to_string() : ""};
    }
    return all;
  }

 private:
  template <class T>
  Result<T> wait(Async<T> operation) {
    return block_on(runtime_, std::move(operation));
  }
  void note(const std::string& line) const {
    if (::write(log_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(13);
  }

  void enqueue() {
    EnqueueCall call{.input = name_ + '-' + std::to_string(++count_)};
    NewJob job(kTenant, "kind", Bytes::copy(call.input));
    if (dice_.once_in(2)) {
      call.order_concurrency = 1 + dice_.roll(3);
      call.order_key = "key" + std::to_string(call.order_concurrency);
    }
    job.order_key = call.order_key;
    job.order_concurrency = call.order_concurrency;
    job.max_attempts = 1000;
    job.max_crashes = 1000;
    const std::vector<NewJob> jobs{job};
    call.begin = now();
    const auto made = wait(store_.enqueue(kCtx, jobs));
    call.end = now();
    if (!made) return;
    call.id = made->at(0).id.value();
    note(to_line(call));
  }

  std::size_t work() {
    if (!worker_ || dice_.once_in(10)) worker_ = WorkerId::generate();
    const auto beat = wait(store_.heartbeat(kCtx, *worker_, kLease));
    if (!beat || beat->lost) {
      worker_.reset();
      return 1;
    }
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1 + dice_.roll(5)}};
    const std::int64_t begin = now();
    const auto claimed = wait(store_.claim(kCtx, *worker_, quotas));
    const std::int64_t end = now();
    if (!claimed) return 1;
    for (const ClaimedJob& job : *claimed) {
      note(to_line(ClaimCall{begin, end, job.id.value(), job.attempt, worker_->value(),
                             job.input.to_string()}));
    }
    settle(*claimed);
    return claimed->size();
  }

  void settle(const std::vector<ClaimedJob>& claimed) {
    std::vector<Settlement> settlements;
    std::vector<SettleCall> calls;
    for (const ClaimedJob& job : claimed) {
      const bool done = !dice_.once_in(5);
      SettleCall call{.begin = now(),
                      .id = job.id.value(),
                      .attempt = job.attempt,
                      .worker = worker_->value(),
                      .final = done};
      settlements.emplace_back(job, *worker_,
                               done ? JobOutcomeKind::done : JobOutcomeKind::give_back);
      if (done) settlements.back().result = Bytes::copy(call.signature());
      note(to_line(call));
      calls.push_back(std::move(call));
    }
    const auto settled = wait(store_.settle(kCtx, settlements));
    if (!settled) return;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      calls[i].end = now();
      calls[i].applied = settled->at(i) == Settled::applied;
      note(to_line(calls[i]));
    }
  }

  std::vector<JobInfo> pages() {
    std::vector<JobInfo> all;
    JobPage page{.limit = 1000};
    for (;;) {
      const auto some = wait(store_.list(kCtx, kTenant, page)).value();
      if (some.empty()) return all;
      page.before = some.back().id;
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  std::int64_t open_jobs() {
    const std::vector<std::string_view> kinds{"kind"};
    std::int64_t open = 0;
    for (const Backlog& row : wait(store_.backlog(kCtx, kinds)).value()) {
      open += row.ready + row.running;
    }
    return open;
  }

  Dice dice_;
  const std::string name_;
  Telemetry telemetry_;
  Runtime runtime_;
  SqliteJobStore store_;
  const int log_;
  std::optional<WorkerId> worker_;
  int count_ = 0;
};

/// A claim, and what follows from it, of a history that nothing is wrong with.
struct Sound {
  JobHistory history{
      .enqueued = {{.begin = 1, .end = 2, .id = 1, .input = "a"}},
      .claimed = {{.begin = 3, .end = 4, .id = 1, .attempt = 1, .worker = 7, .input = "a"}},
      .settled = {{.begin = 5,
                   .end = 6,
                   .id = 1,
                   .attempt = 1,
                   .worker = 7,
                   .final = true,
                   .applied = true}}};
  std::map<std::int64_t, FinalJob> jobs{{1, {true, "7/1"}}};

  bool finds(std::string_view part) const {
    for (const std::string& one : violations(history, jobs)) {
      if (one.find(part) != std::string::npos) return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE("a sound history has no violations") {
  const Sound sound;
  CHECK(violations(sound.history, sound.jobs).empty());
}

TEST_CASE("a history shows what was lost, doubled, stolen or overtaken") {
  Sound lost;
  lost.jobs.clear();
  CHECK(lost.finds("is lost"));

  Sound twice;
  twice.history.claimed.push_back(twice.history.claimed[0]);
  CHECK(twice.finds("claimed twice"));

  Sound again;
  again.history.claimed.push_back({7, 8, 1, 2, 9, "a"});
  CHECK(again.finds("ran again after its outcome"));

  Sound doubled = again;
  doubled.history.settled.push_back(
      {.begin = 9, .end = 10, .id = 1, .attempt = 2, .worker = 9, .final = true, .applied = true});
  CHECK(doubled.finds("two recorded outcomes"));

  Sound zombie;
  zombie.history.settled[0].begin = 20;
  zombie.history.settled[0].end = 21;
  zombie.history.claimed.push_back({10, 11, 1, 2, 9, "a"});
  CHECK(zombie.finds("had taken over"));

  Sound stranger;
  stranger.history.settled[0].worker = 8;
  CHECK(stranger.finds("had not claimed it"));

  Sound other;
  other.jobs[1].result = "8/1";
  CHECK(other.finds("that nobody gave"));
  other.jobs[1] = {};
  CHECK(other.finds("lost its outcome"));

  Sound swapped;
  swapped.history.claimed[0].input = "b";
  CHECK(swapped.finds("another input"));

  Sound back = again;
  back.history.claimed[1].attempt = 0;
  CHECK(back.finds("do not ascend"));

  Sound overtaken;
  overtaken.history.enqueued[0].order_key = "k";
  overtaken.history.enqueued.push_back({1, 2, 2, "b", "k"});
  overtaken.history.claimed.push_back({1, 2, 2, 1, 9, "b"});
  overtaken.jobs[2] = {};
  CHECK(overtaken.finds("overtook"));
  overtaken.history.enqueued[1].order_concurrency = 2;
  CHECK_FALSE(overtaken.finds("overtook"));
}

TEST_CASE("lines of a log are read as they were written, a cut one is not") {
  const TemporaryFolder folder;
  const Sound sound;
  {
    std::ofstream file(folder.file("log"));
    file << to_line(sound.history.enqueued[0]) << to_line(sound.history.claimed[0]);
    SettleCall asked = sound.history.settled[0];
    asked.end = kUnanswered;
    asked.applied = false;
    file << to_line(asked) << to_line(sound.history.settled[0]) << "enqueue 1 2";
  }
  JobHistory read;
  read.read(folder.file("log"));
  CHECK(read.enqueued.size() == 1);
  CHECK(read.claimed.size() == 1);
  REQUIRE(read.settled.size() == 1);
  CHECK(read.settled[0].applied);
  CHECK(violations(read, sound.jobs).empty());
}

TEST_CASE("eight processes over one file that are killed again and again keep to the history") {
  Campaign(20).run([](std::uint64_t seed) {
    constexpr int kClients = 8;
    constexpr int kLives = 3;
    const TemporaryFolder folder;
    Dice dice(seed);
    std::vector<std::string> logs;
    const auto read_all = [&] {
      JobHistory history;
      for (const std::string& log : logs) history.read(folder.file(log + ".log"));
      return history;
    };
    // On a busy machine some lives are too short for anything: then there are more of them.
    for (int life = 0; life < kLives || read_all().enqueued.size() <= 10; ++life) {
      std::vector<std::unique_ptr<Forked>> children;
      for (int i = 0; i < kClients; ++i) {
        const std::string name = "c" + std::to_string(i) + '-' + std::to_string(life);
        const std::uint64_t own = dice.below(1'000'000'000);
        const std::uint64_t end = 10'000 + dice.below(300'000);
        logs.push_back(name);
        children.push_back(std::make_unique<Forked>([&](const Said&) {
          die_in(end);
          Client client(folder, name, own);
          for (;;) client.act();
          return 0;
        }));
      }
      for (const auto& child : children) REQUIRE(child->wait() == 128 + SIGKILL);
    }
    Client last(folder, "last", seed);
    logs.emplace_back("last");
    last.finish();
    const JobHistory history = read_all();
    for (const std::string& violation : violations(history, last.jobs())) FAIL_CHECK(violation);
  });
}
