// Disks that fail, are full, lose what was not synced, or are copied in the middle: nothing that
// was answered is lost, and the service is restored.
#include <fstream>

#include <SQLiteCpp/SQLiteCpp.h>
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

TEST_CASE("a power cut undoes a claim, which is made again, and no outcome") {
  const TemporaryFolder live;
  const TemporaryFolder claimed;
  const TemporaryFolder settled;
  FaultVfs vfs;
  StoresBench bench(live);
  bench.sim.advance(10min);  // before that a claim waits for the disk
  const auto lose_all = [](std::uint64_t) { return std::uint64_t{0}; };
  const auto state_in = [](const TemporaryFolder& folder, JobId id) {
    StoresBench after(folder);
    return after.info(id).value().state;
  };
  const auto made = bench.enqueue({NewJob(kTenant, "kind", Bytes::literal("in"))});
  const JobId id = made.value().at(0).id;
  const WorkerId worker(1);
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
  const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1}};
  const auto jobs = block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas));
  REQUIRE(jobs.value().size() == 1);
  CHECK(bench.info(id).value().state == JobState::running);
  vfs.copy_after_power_cut(live.file(kFile), claimed.file(kFile), lose_all);
  const std::vector<Settlement> done{Settlement(jobs->at(0), worker, JobOutcomeKind::done)};
  REQUIRE(block_on(bench.sim.runtime(), bench.jobs.settle(kCtx, done)).ok());
  vfs.copy_after_power_cut(live.file(kFile), settled.file(kFile), lose_all);
  CHECK(state_in(claimed, id) == JobState::available);
  CHECK(state_in(settled, id) == JobState::completed);
}

TEST_CASE("a job that takes the machine down after each boot is quarantined") {
  std::vector<std::unique_ptr<TemporaryFolder>> folders;
  folders.push_back(std::make_unique<TemporaryFolder>());
  JobId id{};
  int boots = 0;
  for (JobState state = JobState::available; state == JobState::available; ++boots) {
    REQUIRE(boots < 5);
    const TemporaryFolder& now = *folders.back();
    folders.push_back(std::make_unique<TemporaryFolder>());
    FaultVfs vfs;
    StoresBench bench(now);
    bench.sim.advance(1min);
    if (boots == 0) {
      id = bench.enqueue({NewJob(kTenant, "kind", Bytes::literal("in"))}).value().at(0).id;
    } else {
      SQLite::Database file(now.file(kFile), SQLite::OPEN_READWRITE);
      file.exec("UPDATE job_worker SET lease_boot = lease_boot + 1");
    }
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.maintain(kCtx, 10)).ok());
    state = bench.info(id).value().state;
    const WorkerId worker = WorkerId::generate();
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1}};
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas)).ok());
    vfs.copy_after_power_cut(now.file(kFile), folders.back()->file(kFile),
                             [](std::uint64_t) { return std::uint64_t{0}; });
    if (state == JobState::discarded) CHECK(bench.info(id).value().crashes == 3);
  }
  CHECK(boots == 4);
}

TEST_CASE("after a sync that failed once nothing is lost that is acknowledged then") {
  for (long n = 1; n <= 40; ++n) {
    CAPTURE(n);
    const TemporaryFolder live;
    const TemporaryFolder after;
    FaultVfs vfs;
    StoresBench bench(live);
    bench.sim.advance(10min);
    Answered answered;
    const auto enqueue = [&] {
      const auto made = bench.enqueue({NewJob(kTenant, "kind", Bytes::literal("in"))});
      if (made) answered.enqueued.push_back(made->at(0).id);
      return made.ok();
    };
    REQUIRE(enqueue());
    const WorkerId worker(1);
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1}};
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas)).ok());
    vfs.fail_at(n, SQLITE_IOERR_FSYNC, true);
    int failed = 0;
    for (int i = 0; i < 20; ++i) failed += enqueue() ? 0 : 1;
    CHECK(vfs.has_failed());
    CHECK(failed <= 1);
    vfs.copy_after_power_cut(live.file(kFile), after.file(kFile),
                             [](std::uint64_t) { return std::uint64_t{0}; });
    check_sound(after, answered);
  }
}

TEST_CASE("a sync that failed while the log went to the file, under a claim, loses nothing") {
  for (int round = 0; round < 6; ++round) {
    const long n = 1 + round % 2;     // of the log, then of the file
    const int later = 1 + round / 2;  // so many jobs until the power is cut
    CAPTURE(n);
    CAPTURE(later);
    const TemporaryFolder live;
    const TemporaryFolder after;
    FaultVfs vfs;
    StoresBench bench(live);
    bench.sim.advance(10min);  // from then on a claim does not wait for the disk
    Answered answered;
    const auto enqueue = [&](std::size_t size) {
      const Bytes input = Bytes::copy(std::string(size, 'i'));
      const auto made = bench.enqueue({NewJob(kTenant, "kind", input)});
      REQUIRE(made.ok());
      answered.enqueued.push_back(made->at(0).id);
    };
    const WorkerId worker(1);
    REQUIRE(block_on(bench.sim.runtime(), bench.jobs.heartbeat(kCtx, worker, 30s)).ok());
    for (int i = 0; i < 300; ++i) enqueue(100);
    // 4000 pages of the log bring it into the file: nearly so many.
    while (std::filesystem::file_size(live.file("stores.db-wal")) < 3'800UL * 4'120) {
      enqueue(100'000);
    }
    vfs.fail_sync(n);
    const std::vector<ClaimQuota> quotas{{kTenant, "kind", 1}};
    for (int i = 0; i < 300 && !vfs.has_failed(); ++i) {
      REQUIRE(block_on(bench.sim.runtime(), bench.jobs.claim(kCtx, worker, quotas)).ok());
    }
    REQUIRE(vfs.has_failed());
    for (int i = 0; i < later; ++i) enqueue(100);
    vfs.copy_after_power_cut(live.file(kFile), after.file(kFile),
                             [](std::uint64_t) { return std::uint64_t{0}; });
    check_sound(after, answered);
  }
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
