// Durable jobs over HTTP: submit, watch, cancel. Kill it with -9 in the middle and start it again:
// it goes on where it was.
//
//   06_jobs [PORT [FILE]]
//   curl -d 'hello' localhost:8080/v1/jobs
//   curl localhost:8080/v1/jobs/1
//   curl localhost:8080/v1/jobs/1/result
//   curl -X DELETE localhost:8080/v1/jobs/1
#include <aiserve/core/runtime.hpp>
#include <aiserve/http/jobs.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/jobs/job_queue.hpp>
#include <aiserve/sqlite/sqlite_job_store.hpp>

#include <cctype>
#include <cstdlib>

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

// A tenth of a second per letter, as if that were work. What was done of it is lost with the
// process; a job that cannot afford that enqueues the next step with its outcome
// (JobOutcome::then).
Async<JobOutcome> shout(const Context& ctx, const Job& job) {
  std::string text = job.input().to_string();
  for (char& letter : text) {
    if (const Result<void> slept = co_await sleep(ctx, 100ms); !slept) co_return slept.error();
    letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  co_return JobOutcome::done(Bytes::adopt(std::move(text)));
}

}  // namespace

int main(int argc, char** argv) try {
  Runtime runtime;
  SqliteJobStore store(runtime, {.path = argc > 2 ? argv[2] : "jobs.db"});
  // Short, so that a restart need not wait long for what its former self was doing.
  JobQueue jobs(runtime, store, {.concurrency = 2, .lease = 2s});
  jobs.on("shout", shout);

  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  http::Server server(runtime, {.address = "127.0.0.1", .port = port});
  server.post("/v1/jobs", http::submit(jobs, "shout"))
      .get("/v1/jobs", http::job_list(jobs))
      .get("/v1/jobs/{id}", http::job_status(jobs))
      .get("/v1/jobs/{id}/result", http::job_result(jobs, "text/plain"))
      .del("/v1/jobs/{id}", http::job_cancel(jobs));
  return runtime.run();
} catch (const ConfigError& error) {
  return report(error);
}
