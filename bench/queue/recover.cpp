// queue.recover_after_kill_s
#include <array>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/groups.hpp"
#include "queue/subject.hpp"

namespace bench {

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

constexpr int kJobs = 8;
constexpr std::chrono::milliseconds kLease{2'000};

/// Takes jobs and never ends them; a byte into the pipe for each.
[[noreturn]] void hold_jobs(const std::string& file, int out) {
  const auto handler = [out](const Context& ctx, const Job&) -> Async<JobOutcome> {
    if (::write(out, "x", 1) != 1) ::_exit(1);
    const Result<void> slept = co_await sleep(ctx, 1h);
    co_return JobOutcome::from(slept);
  };
  Subject subject(file, {.concurrency = kJobs, .lease = kLease}, handler);
  subject.runtime.start();
  subject.enqueue(subject.tenant("t"), kJobs);
  for (;;) ::pause();
}

double recover_seconds() {
  const Folder folder;
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) hold_jobs(folder.file("jobs.db"), pipe[1]);
  ::close(pipe[1]);
  char byte = 0;
  for (int i = 0; i < kJobs; ++i) {
    if (::read(pipe[0], &byte, 1) != 1) throw std::runtime_error("the worker died by itself");
  }
  ::close(pipe[0]);
  Countdown begun(kJobs);
  Subject other(folder.file("jobs.db"), {.concurrency = kJobs, .lease = kLease},
                [&](const Context&, const Job&) -> Async<JobOutcome> {
                  begun.count();
                  co_return JobOutcome::done();
                });
  other.runtime.start();
  ::kill(child, SIGKILL);
  const Clock::time_point killed = Clock::now();
  int status = 0;
  ::waitpid(child, &status, 0);
  begun.wait();
  return seconds_since(killed);
}

}  // namespace

Group recover_group(const Options&) {
  return {
      .name = "recover",
      .keys = {{.name = "queue.recover_after_kill_s", .unit = "s", .at_most = 3}},
      .round = [](Sample& sample) { sample.set("queue.recover_after_kill_s", recover_seconds()); }};
}

}  // namespace bench
