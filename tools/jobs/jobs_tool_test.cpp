// aiserve-jobs as a process, over files that the library made.
#include <fstream>

#include <doctest/doctest.h>

#include "aiserve/core/telemetry.hpp"
#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "support/temporary_folder.hpp"
#include "tool_process.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::Ended;
using testing::run_jobs_tool;
using testing::TemporaryFolder;

namespace {

const TenantId kAcme("acme");

/// A folder with a file, its DSN, and the tool.
class Operator {
 public:
  Ended run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--store", dsn()});
    return run_jobs_tool(std::move(arguments));
  }
  std::string file() const { return folder.file("jobs.db"); }
  std::string dsn() const { return "sqlite:" + file(); }

  TemporaryFolder folder;
};

/// The service's side.
struct Service {
  explicit Service(const std::string& file)
      : telemetry({.log_sink = [](LogLevel, std::string_view) {}}),
        sim({.telemetry = &telemetry}),
        database(sim.runtime(), {.path = file}),
        store(database),
        audit(database) {
    sim.start();
  }

  JobId enqueue(std::string kind, int max_attempts = 1) {
    NewJob job(kAcme, std::move(kind), Bytes::literal("input"));
    job.max_attempts = max_attempts;
    const std::vector<NewJob> jobs{job};
    return block_on(sim.runtime(), store.enqueue(ctx, jobs)).value().at(0).id;
  }
  void end(const std::string& kind, JobOutcomeKind outcome) {
    const WorkerId worker = WorkerId::generate();
    REQUIRE(block_on(sim.runtime(), store.heartbeat(ctx, worker, 30s)).ok());
    const std::vector<ClaimQuota> quotas{{kAcme, kind, 1}};
    const auto claimed = block_on(sim.runtime(), store.claim(ctx, worker, quotas)).value();
    REQUIRE(claimed.size() == 1);
    std::vector<Settlement> done{Settlement(claimed[0], worker, outcome)};
    done[0].error = "why";
    REQUIRE(block_on(sim.runtime(), store.settle(ctx, done)).value()[0] == Settled::applied);
  }
  JobState state(JobId id) {
    return block_on(sim.runtime(), store.get(ctx, kAcme, id)).value().state;
  }
  std::vector<AuditRecord> audited() {
    const TenantId own("aiserve-jobs");
    return block_on(sim.runtime(), audit.read(ctx, own, 0, 1000)).value();
  }

  const Context ctx = Context::background();
  Telemetry telemetry;
  testing::SimRuntime sim;
  SqliteDatabase database;
  SqliteJobStore store;
  SqliteAuditLog audit;
};

std::string text(JobId id) { return std::to_string(id.value()); }

}  // namespace

TEST_CASE("jobs are counted, listed and shown as JSON") {
  const Operator mia;
  Service service(mia.file());
  const JobId dead = service.enqueue("classify");
  service.end("classify", JobOutcomeKind::discard);
  const JobId waiting = service.enqueue("classify");
  const Ended stats = mia.run({"stats"});
  REQUIRE(stats.status == 0);
  CHECK(stats.says(R"("kind":"classify","waiting":0,"ready":1,"running":0)"));
  CHECK(stats.says(R"("finished":1,"dead":1)"));
  const Ended all = mia.run({"list", "--tenant", "acme"});
  CHECK(all.status == 0);
  CHECK(std::count(all.output.begin(), all.output.end(), '\n') == 2);
  const Ended only = mia.run({"list", "--tenant", "acme", "--state", "discarded"});
  CHECK(only.says("\"id\":\"" + text(dead) + '"'));
  CHECK_FALSE(only.says("\"id\":\"" + text(waiting) + '"'));
  CHECK(only.says(R"("error":"why")"));
  CHECK(mia.run({"list", "--tenant", "other"}).output.empty());
  const Ended shown = mia.run({"show", "--tenant", "acme", text(waiting)});
  CHECK(shown.says(R"("state":"available")"));
  const Ended foreign = mia.run({"show", "--tenant", "other", text(waiting)});
  CHECK(foreign.status == 1);
  CHECK(foreign.errors.find("not_found") != std::string::npos);
}

TEST_CASE("jobs are cancelled and redriven one by one or in bulk, and that is on the record") {
  const Operator mia;
  Service service(mia.file());
  const JobId waiting = service.enqueue("classify");
  CHECK(mia.run({"cancel", "--tenant", "acme", text(waiting)}).says(R"("state":"cancelled")"));
  CHECK(service.state(waiting) == JobState::cancelled);
  const Ended twice = mia.run({"cancel", "--tenant", "acme", text(waiting)});
  CHECK(twice.status == 1);
  CHECK(twice.errors.find("conflict") != std::string::npos);
  CHECK(mia.run({"redrive", "--tenant", "acme", text(waiting)}).status == 0);
  CHECK(service.state(waiting) == JobState::available);

  std::vector<JobId> dead;
  for (int i = 0; i < 3; ++i) {
    dead.push_back(service.enqueue("embed@2"));
    service.end("embed@2", JobOutcomeKind::discard);
  }
  CHECK(mia.run({"redrive", "--tenant", "acme", "--kind", "embed", "--limit", "2"})
            .says(R"({"redriven":2})"));
  CHECK(service.state(dead[0]) == JobState::discarded);
  CHECK(mia.run({"redrive", "--tenant", "acme", "--kind", "embed"}).says(R"({"redriven":1})"));

  const std::vector<AuditRecord> records = service.audited();
  REQUIRE(records.size() == 5);
  CHECK(records[0].entry().actor() == "operator:mia");
  CHECK(records[0].entry().action() == "job.cancel");
  CHECK(records[0].entry().object() == "job/acme/" + text(waiting));
  CHECK(records[4].entry().object() == "kind/acme/embed");
}

TEST_CASE("a kind is paused and resumed for the service that runs") {
  const Operator mia;
  Service service(mia.file());
  service.enqueue("classify");
  CHECK(mia.run({"pause", "--kind", "classify"}).says(R"("paused":true})"));
  const WorkerId worker = WorkerId::generate();
  REQUIRE(block_on(service.sim.runtime(), service.store.heartbeat(service.ctx, worker, 30s)).ok());
  const std::vector<ClaimQuota> quotas{{kAcme, "classify", 1}};
  const auto claim = [&] {
    return block_on(service.sim.runtime(), service.store.claim(service.ctx, worker, quotas))
        .value()
        .size();
  };
  CHECK(claim() == 0);
  CHECK(mia.run({"resume", "--all"}).status == 0);
  CHECK(claim() == 1);
}

TEST_CASE("finished jobs are pruned by age") {
  const Operator mia;
  Service service(mia.file());
  const JobId ended = service.enqueue("classify");
  service.end("classify", JobOutcomeKind::done);
  CHECK(mia.run({"prune", "--older-than", "10000d"}).says(R"({"pruned":0})"));
  // The service's clock is simulated, and long ago.
  CHECK(mia.run({"prune", "--older-than", "1s"}).says(R"({"pruned":1})"));
  CHECK(block_on(service.sim.runtime(), service.store.get(service.ctx, kAcme, ended))
            .error()
            .code() == Errc::not_found);
}

TEST_CASE("a schema is migrated when told so, and a wrong name makes no file") {
  const Operator mia;
  const Ended absent = mia.run({"stats"});
  CHECK(absent.status == 2);
  CHECK(absent.errors.find("there is no file") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(mia.file()));
  CHECK(mia.run({"migrate", "--dry-run"}).says(R"({"pending":["stores","jobs")"));
  CHECK_FALSE(std::filesystem::exists(mia.file()));
  CHECK(mia.run({"migrate"}).says(R"({"applied":["stores","jobs")"));
  CHECK(mia.run({"migrate", "--dry-run"}).says(R"({"pending":[]})"));
  CHECK(mia.run({"stats"}).status == 0);
  Service service(mia.file());
  REQUIRE(service.audited().size() == 1);
  CHECK(service.audited()[0].entry().action() == "job.migrate");
}

TEST_CASE("a backup is a store that works, and a damaged one is told from a sound one") {
  const Operator mia;
  JobId kept;
  {
    Service service(mia.file());
    kept = service.enqueue("classify");
    for (int i = 0; i < 300; ++i) service.enqueue("classify");
    REQUIRE(mia.run({"backup", mia.folder.file("copy.db")}).status == 0);
  }
  CHECK(mia.run({"verify", "--full"}).says(R"({"ok":true,"audit_entries":1})"));
  Service copy(mia.folder.file("copy.db"));
  CHECK(copy.state(kept) == JobState::available);
  std::fstream file(mia.file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5 * 4096);
  file << std::string(4096, 'x');
  file.close();
  const Ended damaged = mia.run({"verify", "--full"});
  CHECK(damaged.status != 0);
  CHECK_FALSE(damaged.errors.empty());
}

TEST_CASE("a chain that was changed, or is read with another key, does not verify") {
  const Operator mia;
  { const Service service(mia.file()); }
  std::ofstream(mia.folder.file("key")) << "secret";
  const std::string key = mia.folder.file("key");
  REQUIRE(mia.run({"--audit-key-file", key, "pause", "--all"}).status == 0);
  CHECK(mia.run({"--audit-key-file", key, "verify"}).status == 0);
  const Ended other = mia.run({"verify"});
  CHECK(other.status == 1);
  CHECK(other.errors.find("data_loss") != std::string::npos);
  CHECK(mia.run({"--audit-key-file", "/no/such/file", "verify"}).status == 2);
}

TEST_CASE("whoever asks wrongly is told in one line, with the exit status 2") {
  const Operator mia;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"stats"},
           {"--store", "jobs.db", "stats"},
           {"--store", "postgresql://127.0.0.1:1/x", "stats"},
           {"--store", "sqlite:", "stats"},
           {"--store", mia.dsn(), "cancel", "--tenant", "acme"},
           {"--store", mia.dsn(), "list", "--tenant", "two words"}}) {
    const Ended ended = run_jobs_tool(arguments);
    CHECK(ended.status == 2);
    CHECK(ended.output.empty());
    CHECK(ended.errors.rfind("aiserve-jobs: ", 0) == 0);
    CHECK(std::count(ended.errors.begin(), ended.errors.end(), '\n') == 1);
  }
  const Ended helped = run_jobs_tool({"--help"});
  CHECK(helped.status == 0);
  CHECK(helped.says("usage: aiserve-jobs --store DSN"));
}
