// OffloadLoad: as JobLoad, a queue whose inputs and results are objects beside the database; its
// handlers answer what they were given.
#pragma once

#include <deque>
#include <mutex>

#include <doctest/doctest.h>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/jobs/job_queue.hpp"
#include "aiserve/postgres/postgres_job_store.hpp"
#include "aiserve/storage/file_object_store.hpp"
#include "support/temporary_folder.hpp"
#include "unit/campaigns/load_threads.hpp"

namespace aiserve::inline v0::testing {

using namespace std::chrono_literals;

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
    for (int i = 0; i < 2; ++i) threads_.add([this, i] { produce(i); });
  }
  ~OffloadLoad() {
    threads_.end();
    runtime_.shutdown();
  }

  LoadThreads& threads() noexcept { return threads_; }
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
  /// Large, and different for each.
  static std::string input_of(int number) {
    return std::string(2'000 + static_cast<std::size_t>(number % 7) * 1'000, 'i') +
           std::to_string(number);
  }
  static std::string result_of(std::string_view input) { return "result of " + std::string(input); }
  static bool is_final(JobState state) {
    return state == JobState::completed || state == JobState::discarded ||
           state == JobState::cancelled;
  }
  void produce(int number) {
    for (; !threads_.ended(); number += 2) {
      const Bytes input = Bytes::adopt(input_of(number));
      const Result<Enqueued> made = block_on(runtime_, jobs_.enqueue(ctx_, "kind", input));
      if (!made) continue;
      const std::scoped_lock lock(mutex_);
      acknowledged_.emplace_back(made->id, number);
      threads_.acknowledged();
    }
  }

  const Context ctx_{ContextOptions{.tenant = Tenant({.id = TenantId("t")})}};
  Telemetry telemetry_;
  Runtime runtime_;
  FileObjectStore objects_;
  PostgresJobStore store_;
  JobQueue jobs_;
  std::mutex mutex_;
  std::deque<std::pair<JobId, int>> acknowledged_;
  LoadThreads threads_;
};

}  // namespace aiserve::inline v0::testing
