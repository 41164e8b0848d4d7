// The same as a failover of jobs, where inputs and results are objects beside the database.
#include <deque>

#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/storage/file_object_store.hpp"
#include "support/campaign.hpp"
#include "support/temporary_folder.hpp"
#include "unit/campaigns/job_load.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Campaign;
using testing::Dice;
using testing::PostgresServer;
using testing::TemporaryFolder;

namespace {

/// Large, and different for each.
std::string input_of(int number) {
  return std::string(2'000 + static_cast<std::size_t>(number % 7) * 1'000, 'i') +
         std::to_string(number);
}
std::string result_of(std::string_view input) { return "result of " + std::string(input); }

/// A queue with an object store, producers, and handlers that answer what they were given.
class OffloadLoad {
 public:
  OffloadLoad(const std::string& dsn, const TemporaryFolder& folder)
      : telemetry_({.log_sink = [](LogLevel, std::string_view) {}}),
        runtime_({.telemetry = &telemetry_}),
        objects_(runtime_, {.root = folder.file("objects")}),
        store_(runtime_, {.dsn = dsn, .timeout = 5s, .max_attempts = 2}),
        jobs_(runtime_, store_,
              {.max_attempts = 1000,
               .max_crashes = 1000,
               .lease = 3s,
               .backoff = {.first = 10ms, .longest = 100ms},
               .poll = 50ms,
               .offload = {.objects = &objects_, .above = 1024}}) {
    jobs_.on("kind", [](const Context&, const Job& job) -> Async<JobOutcome> {
      co_return JobOutcome::done(Bytes::adopt(result_of(job.input().text())));
    });
    runtime_.start();
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this, i] { produce(i); });
  }
  ~OffloadLoad() {
    end();
    runtime_.shutdown();
  }

  void wait_for_more_acks(int count) {
    const int until = acks_.load() + count;
    for (int seen = acks_.load(); seen < until; seen = acks_.load()) acks_.wait(seen);
  }
  void end() {
    ended_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  void check() {
    CHECK(acknowledged_.size() >= 40);
    for (const auto& [id, number] : acknowledged_) {
      const std::int64_t name = id.value();
      Result<JobInfo> job = block_on(runtime_, jobs_.get(ctx_, id));
      while (!job || !is_final(job->state)) {
        REQUIRE_MESSAGE((job || job.error().code() != Errc::not_found), name, " is lost");
        job = block_on(runtime_, jobs_.get(ctx_, id));
      }
      REQUIRE_MESSAGE(job->state == JobState::completed, job->error);
      REQUIRE(job->result->text() == result_of(input_of(number)));
    }
  }

 private:
  static bool is_final(JobState state) {
    return state == JobState::completed || state == JobState::discarded ||
           state == JobState::cancelled;
  }
  void produce(int number) {
    for (; !ended_; number += 2) {
      const Bytes input = Bytes::adopt(input_of(number));
      const Result<Enqueued> made = block_on(runtime_, jobs_.enqueue(ctx_, "kind", input));
      if (!made) continue;
      const std::scoped_lock lock(mutex_);
      acknowledged_.emplace_back(made->id, number);
      ++acks_;
      acks_.notify_all();
    }
  }

  const Context ctx_{ContextOptions{.tenant = Tenant({.id = TenantId("t")})}};
  Telemetry telemetry_;
  Runtime runtime_;
  FileObjectStore objects_;
  PostgresJobStore store_;
  JobQueue jobs_;
  std::atomic<bool> ended_{false};
  std::atomic<int> acks_{0};
  std::mutex mutex_;
  std::deque<std::pair<JobId, int>> acknowledged_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("after a failover every acknowledged job has its input and its result as objects") {
  const auto programs = PostgresServer::programs();
  if (!programs) {
    MESSAGE("SKIPPED: PostgreSQL is not installed here");
    return;
  }
  Campaign(10).run([&](std::uint64_t seed) {
    Dice dice(seed);
    const TemporaryFolder folder;
    PostgresServer primary(*programs);
    const PostgresServer standby(*programs, primary);
    const std::string database = primary.new_database();
    primary.wait_for_each_commit_of(standby);
    OffloadLoad load(PostgresServer::dsn_of_either(primary, standby, database), folder);
    load.wait_for_more_acks(20 + dice.roll(30));
    primary.kill();
    REQUIRE(standby.run("postgres", "SELECT pg_promote()") == "t");
    load.wait_for_more_acks(20);
    load.end();
    load.check();
  });
}
