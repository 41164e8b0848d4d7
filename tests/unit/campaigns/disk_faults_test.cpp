// Disks that fail, are full, lose what was not synced, or are copied in the middle: nothing that
// was answered is lost, and the service is restored.
#include <fstream>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "support/campaign.hpp"
#include "support/fault_vfs.hpp"
#include "unit/sqlite/stores_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Campaign;
using testing::Dice;
using testing::FaultVfs;
using testing::StoresBench;
using testing::TemporaryFolder;

namespace {

const TenantId kTenant("t");
const Context& kCtx = Context::background();
constexpr const char* kFile = "stores.db";  // of a StoresBench

struct Answered {
  std::vector<JobId> enqueued;
  std::vector<JobId> completed;
};

std::string result_of(JobId id) { return "result of " + std::to_string(id.value()); }

/// A producer and a worker, who remember what they were told.
class Clients {
 public:
  Clients(StoresBench& bench, Dice& dice) : bench_(bench), dice_(dice) {}

  Result<void> enqueue() {
    const std::string input(dice_.once_in(4) ? dice_.below(100'000) : dice_.below(300), 'i');
    const auto made = bench_.enqueue({NewJob(kTenant, "kind", Bytes::copy(input))});
    if (!made) return made.error();
    answered.enqueued.push_back(made->at(0).id);
    return success();
  }
  Result<void> work() {
    const WorkerId worker = WorkerId::generate();
    const auto beat = block_on(bench_.sim.runtime(), bench_.jobs.heartbeat(kCtx, worker, 30s));
    if (!beat) return beat.error();
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1 + dice_.roll(2)}};
    const auto claimed = block_on(bench_.sim.runtime(), bench_.jobs.claim(kCtx, worker, quotas));
    if (!claimed) return claimed.error();
    std::vector<Settlement> done;
    for (const ClaimedJob& job : *claimed) {
      done.emplace_back(job, worker, JobOutcomeKind::done);
      done.back().result = Bytes::copy(result_of(job.id));
    }
    const auto settled = block_on(bench_.sim.runtime(), bench_.jobs.settle(kCtx, done));
    if (!settled) return settled.error();
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (settled->at(i) == Settled::applied) answered.completed.push_back(done[i].id);
    }
    return success();
  }
  Result<void> act() { return dice_.once_in(3) ? work() : enqueue(); }

  Answered answered;

 private:
  StoresBench& bench_;
  Dice& dice_;
};

void check_sound(StoresBench& bench, const Answered& answered) {
  const auto sound = block_on(bench.sim.runtime(), bench.database.check(kCtx, SqliteCheck::full));
  REQUIRE_MESSAGE(sound.ok(), (sound ? "" : sound.error().to_string()));
  for (const JobId id : answered.enqueued) {
    REQUIRE_MESSAGE(bench.info(id).ok(), "job ", id.value(), " was acknowledged and is lost");
  }
  for (const JobId id : answered.completed) {
    const JobInfo job = bench.info(id).value();
    REQUIRE(job.state == JobState::completed);
    REQUIRE(job.result->text() == result_of(id));
  }
}

void check_sound(const TemporaryFolder& folder, const Answered& answered) {
  StoresBench bench(folder);
  check_sound(bench, answered);
}

/// The ids of the tenant's jobs, if the file can be used: else it was told that it is damaged.
std::optional<std::vector<std::int64_t>> jobs_in(const TemporaryFolder& folder) {
  std::vector<std::int64_t> ids;
  try {
    StoresBench bench(folder);
    const auto sound = block_on(bench.sim.runtime(), bench.database.check(kCtx, SqliteCheck::full));
    const JobPage page{.limit = 1000};
    const auto found = block_on(bench.sim.runtime(), bench.jobs.list(kCtx, kTenant, page));
    if (!sound || !found) {
      CHECK((sound ? found.error().code() : sound.error().code()) == Errc::data_loss);
      return std::nullopt;
    }
    for (const JobInfo& job : *found) ids.push_back(job.id.value());
  } catch (const ConfigError&) {
    return std::nullopt;
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

bool is_prefix(const std::vector<std::int64_t>& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != static_cast<std::int64_t>(i) + 1) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("no job is acknowledged that was not synced, whichever write or sync fails") {
  Campaign(600).run([](std::uint64_t seed) {
    Dice dice(seed);
    const long n = 1 + static_cast<long>(seed % 200);
    const bool full = seed / 200 % 3 == 0;
    const bool once = seed / 200 % 3 == 1;
    const TemporaryFolder live;
    const TemporaryFolder after;
    FaultVfs vfs;
    Answered answered;
    {
      StoresBench bench(live);
      Clients clients(bench, dice);
      vfs.fail_at(n, full ? SQLITE_FULL : SQLITE_IOERR_WRITE, once);
      for (int i = 0; i < 60 && !vfs.has_failed(); ++i) {
        const Result<void> done = clients.act();
        if (done) continue;
        CHECK(done.error().code() == (full ? Errc::overloaded : Errc::unavailable));
      }
      REQUIRE(vfs.has_failed());
      for (int i = 0; i < 3; ++i) static_cast<void>(clients.act());
      vfs.copy_after_power_cut(live.file(kFile), after.file(kFile),
                               [&](std::uint64_t all) { return dice.below(all + 1); });
      check_sound(after, clients.answered);

      vfs.heal();
      const Result<void> again = clients.enqueue();
      REQUIRE_MESSAGE(again.ok(), (again ? "" : again.error().to_string()));
      REQUIRE(clients.work().ok());
      answered = clients.answered;
      check_sound(bench, answered);
    }
    check_sound(live, answered);
  });
}

TEST_CASE("a file whose making failed anywhere is made when the disk is well again") {
  Campaign(200).run([](std::uint64_t seed) {
    const TemporaryFolder folder;
    FaultVfs vfs;
    vfs.fail_at(1 + static_cast<long>(seed % 200), SQLITE_IOERR_FSYNC, seed % 2 == 0);
    try {
      StoresBench bench(folder);
      static_cast<void>(bench.put("x"));
    } catch (const ConfigError&) {
    }
    vfs.heal();
    Dice dice(seed);
    StoresBench bench(folder);
    Clients clients(bench, dice);
    REQUIRE(clients.enqueue().ok());
    check_sound(bench, clients.answered);
  });
}

TEST_CASE(
    "the files at any instant hold what was answered by then, and no more than one job more") {
  Campaign(200).run([](std::uint64_t seed) {
    Dice dice(seed);
    const TemporaryFolder live;
    const TemporaryFolder image;
    const TemporaryFolder cut;
    FaultVfs vfs;
    StoresBench bench(live);
    Clients clients(bench, dice);
    std::size_t at_copy = 0;
    bool copied = false;
    vfs.call_at(1 + dice.roll(900), [&] {
      at_copy = clients.answered.enqueued.size();
      vfs.copy(live.file(kFile), image.file(kFile));
      vfs.copy_after_power_cut(live.file(kFile), cut.file(kFile),
                               [&](std::uint64_t all) { return dice.below(all + 1); });
      copied = true;
    });
    // Large ones bring checkpoints about.
    const std::size_t size = dice.once_in(3) ? 700'000 : 900;
    for (int i = 0; i < 900 && !copied; ++i) {
      const Bytes input = Bytes::copy(std::string(dice.below(size), 'i'));
      const auto made = bench.enqueue({NewJob(kTenant, "kind", input)});
      REQUIRE(made.ok());
      clients.answered.enqueued.push_back(made->at(0).id);
    }
    REQUIRE(copied);
    for (const TemporaryFolder* folder : {&image, &cut}) {
      const auto ids = jobs_in(*folder);
      REQUIRE(ids.has_value());
      CHECK(is_prefix(*ids));
      CHECK(ids->size() >= at_copy);
      CHECK(ids->size() <= at_copy + 1);
    }
  });
}

TEST_CASE(
    "a log that was cut off anywhere gives a prefix of the history, or is told to be damaged") {
  Campaign(20).run([](std::uint64_t seed) {
    Dice dice(seed);
    const TemporaryFolder live;
    const TemporaryFolder image;
    std::size_t answered = 0;
    {
      FaultVfs vfs;
      StoresBench bench(live);
      Clients clients(bench, dice);
      for (int i = 0; i < 40; ++i) REQUIRE(clients.act().ok());
      answered = clients.answered.enqueued.size();
      vfs.copy(live.file(kFile), image.file(kFile));
    }
    const auto size = std::filesystem::file_size(image.file(kFile) + "-wal");
    std::size_t before = 0;
    // Every 4 KiB; of many, some: the seeds together see them all.
    const std::uintmax_t step = 4096 * (1 + size / 4096 / 40);
    for (std::uintmax_t at = 4096 * dice.below(step / 4096); at <= size; at += step) {
      const TemporaryFolder torn;
      std::filesystem::copy_file(image.file(kFile), torn.file(kFile));
      std::filesystem::copy_file(image.file(kFile) + "-wal", torn.file(kFile) + "-wal");
      std::filesystem::resize_file(torn.file(kFile) + "-wal", at);
      const auto ids = jobs_in(torn);
      if (!ids) continue;
      CHECK(is_prefix(*ids));
      CHECK(ids->size() >= before);
      CHECK(ids->size() <= answered);
      before = ids->size();
    }
    const auto whole = jobs_in(image);
    REQUIRE(whole.has_value());
    CHECK(whole->size() == answered);
  });
}
