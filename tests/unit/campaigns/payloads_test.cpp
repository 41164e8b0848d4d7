// Inputs, keys and results that programs have choked on.
#include <doctest/doctest.h>

#include "support/campaign.hpp"
#include "unit/campaigns/queue_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using namespace aiserve::testing;

namespace {

using namespace std::string_literals;

/// After github.com/minimaxir/big-list-of-naughty-strings, plus what is no text at all.
const std::vector<std::string>& naughty() {
  static const std::vector<std::string> all{
      "",
      "\0"s,
      "a\0b"s,
      "\0\0\0\0\0\0\0\0"s,
      "NULL",
      "null",
      "undefined",
      "0",
      "-1",
      "1e999",
      "NaN",
      "9223372036854775808",
      "0x7fffffffffffffff",
      "1'; DROP TABLE job; --",
      "\" OR 1=1 --",
      "?1",
      ":tenant",
      "$1",
      "%s%n%x",
      "${jndi:ldap://127.0.0.1/a}",
      "{{7*7}}",
      "../../../../etc/passwd",
      "/dev/zero",
      "C:\\aux",
      "<script>alert(1)</script>",
      "\r\nSet-Cookie: a=b\r\n\r\n",
      "\x1b[2J\x07",
      "\xff\xfe",
      "\xc0\x80",
      "\xed\xa0\x80",
      "\xf4\x90\x80\x80",
      "\xe2\x82",
      "\xef\xbb\xbf"
      "bom",
      "\xe2\x80\xae"
      "rtl",
      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
      "Z\xcc\xb7\xcc\xa1\xcd\x8a"
      "algo",
      "'\"\\`",
      std::string(1024, '\''),
      std::string(70'000, '['),
  };
  return all;
}

/// Gives back what it got.
Async<JobOutcome> echo(const Context&, const Job& job) {
  if (job.kind() == "fail")
    co_return JobOutcome::discard(Error(Errc::internal, job.input().to_string()));
  co_return JobOutcome::done(job.input());
}

struct Echo {
  explicit Echo(std::int64_t count) : left(count), process(folder) {
    for (const char* kind : {"echo", "fail"}) {
      process.jobs.on(kind, [this](const Context& ctx, const Job& job) -> Async<JobOutcome> {
        left.count();
        return echo(ctx, job);
      });
    }
  }

  TemporaryFolder folder;
  Countdown left;
  QueueProcess process;
};

}  // namespace

TEST_CASE("naughty strings come back as they were: as input, as keys, as result, as error") {
  Echo bench(static_cast<std::int64_t>(2 * naughty().size()));
  bench.process.runtime.start();
  std::vector<JobId> echoed;
  std::vector<JobId> failed;
  for (const std::string& text : naughty()) {
    NewJob job = bench.process.jobs.make(bench.process.ctx, "echo", Bytes::copy(text));
    if (!text.empty() && text.size() <= 1024) {
      job.unique = JobUnique(text, JobUniqueScope::retained);
      job.order_key = text;
    }
    const auto made =
        block_on(bench.process.runtime, bench.process.jobs.enqueue(bench.process.ctx, job));
    REQUIRE_MESSAGE(made.ok(), text);
    CHECK_FALSE(made->existing);
    echoed.push_back(made->id);
    if (job.unique) {
      const auto again =
          block_on(bench.process.runtime, bench.process.jobs.enqueue(bench.process.ctx, job));
      CHECK(again.value().id == made->id);
    }
    failed.push_back(bench.process.enqueue("fail", text));
  }
  bench.left.wait();
  bench.process.drain();
  for (std::size_t i = 0; i < naughty().size(); ++i) {
    const JobInfo job = bench.process.info(echoed[i]);
    CHECK(job.state == JobState::completed);
    CHECK(job.result->text() == naughty()[i]);
    const JobInfo dead = bench.process.info(failed[i]);
    CHECK(dead.state == JobState::discarded);
    // Cut at 4 KiB.
    CHECK(dead.error.find(naughty()[i].substr(0, 4000)) != std::string::npos);
  }
}

TEST_CASE(
    "random bytes of any size up to 10 MB come back as they were, what is larger is refused") {
  Campaign(50).run([](std::uint64_t seed) {
    Dice dice(seed);
    Echo bench(4);
    bench.process.runtime.start();
    std::vector<std::pair<JobId, std::string>> sent;
    for (const std::uint64_t size :
         {dice.below(100), dice.below(10'000), dice.below(1'000'000), std::uint64_t{10'000'000}}) {
      std::string bytes(size, '\0');
      for (char& byte : bytes) byte = static_cast<char>(dice.below(256));
      const JobId id = bench.process.enqueue("echo", bytes);
      sent.emplace_back(id, std::move(bytes));
    }
    const Bytes large = Bytes::copy(std::string((std::size_t{16} << 20) + 1, 'x'));
    const auto refused = block_on(bench.process.runtime,
                                  bench.process.jobs.enqueue(bench.process.ctx, "echo", large));
    CHECK(refused.error().code() == Errc::too_large);
    bench.left.wait();
    bench.process.drain();
    for (const auto& one : sent) {
      const JobInfo job = bench.process.info(one.first);
      REQUIRE(job.state == JobState::completed);
      CHECK(job.result->text() == one.second);
    }
  });
}

TEST_CASE("one key that is enqueued 64 times at once is one job, which is what all are told") {
  Campaign(100).run([](std::uint64_t seed) {
    Echo bench(1);
    bench.process.runtime.start();
    const std::string key = "key " + std::to_string(seed);
    std::mutex mutex;
    std::vector<Enqueued> answers;
    Countdown answered(64);
    const auto ask = [&](const Context& ctx) -> Async<void> {
      NewJob job = bench.process.jobs.make(ctx, "echo", Bytes::literal("in"));
      job.unique = JobUnique(key, JobUniqueScope::retained);
      const Result<Enqueued> made = co_await bench.process.jobs.enqueue(ctx, job);
      {
        const std::scoped_lock lock(mutex);
        if (made) answers.push_back(*made);
      }
      answered.count();
      co_return success();
    };
    for (int i = 0; i < 64; ++i) spawn(bench.process.runtime, bench.process.ctx, ask);
    answered.wait();
    bench.left.wait();
    bench.process.drain();
    REQUIRE(answers.size() == 64);
    int made = 0;
    for (const Enqueued& answer : answers) {
      made += answer.existing ? 0 : 1;
      CHECK(answer.id == answers[0].id);
    }
    CHECK(made == 1);
    const JobPage page;
    CHECK(block_on(bench.process.runtime, bench.process.jobs.list(bench.process.ctx, page))
              .value()
              .size() == 1);
  });
}
