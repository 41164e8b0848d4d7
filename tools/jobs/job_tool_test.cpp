// What the tool says of stores that change or fail meanwhile, which a process cannot be made to
// meet.
#include "job_tool.hpp"

#include <map>

#include <doctest/doctest.h>

#include "aiserve/testing/sim_runtime.hpp"

using namespace aiserve;
using jobs_tool::CommandLine;
using jobs_tool::JobTool;

namespace {

const TenantId kAcme("acme");

/// Three dead jobs; which of them cannot be redriven, and why.
class DeadJobs final : public JobReader, public AuditLog, public jobs_tool::OpenedStore {
 public:
  std::map<std::int64_t, Errc> refused;
  bool listed_once_only = false;

  JobReader& reader() override { return *this; }
  JobOperator& operations() override { throw ResultError(Error(Errc::unimplemented, "none")); }
  AuditLog& audit() override { return *this; }
  Async<void> backup(const Context&, const std::string&) override { return none(); }
  Async<void> verify(const Context&, bool) override { return none(); }

  Async<AuditReceipt> append(const Context&, const AuditEntry&) override {
    co_return AuditReceipt(1, WallTime{}, Bytes());
  }
  Async<std::vector<AuditRecord>> read(const Context&, const TenantId&, std::int64_t,
                                       int) override {
    co_return std::vector<AuditRecord>{};
  }

  Async<JobInfo> get(const Context&, const TenantId&, JobId) override {
    co_return Error(Errc::not_found, "no such job");
  }
  Async<std::vector<JobInfo>> list(const Context&, const TenantId&, const JobPage& page) override {
    if (page.before && listed_once_only) co_return Error(Errc::unavailable, "down");
    std::vector<JobInfo> jobs;
    if (page.before) co_return jobs;
    jobs.reserve(3);
    for (const std::int64_t id : {3, 2, 1}) {
      JobInfo& job = jobs.emplace_back();
      job.id = JobId(id);
      job.tenant = kAcme;
      job.kind = "embed";
    }
    co_return jobs;
  }
  Async<JobInfo> control(const Context&, const TenantId&, JobId id, JobAction) override {
    const auto found = refused.find(id.value());
    if (found != refused.end()) co_return Error(found->second, "refused");
    co_return JobInfo{};
  }

 private:
  static Async<void> none() { co_return success(); }
};

struct Redrive {
  explicit Redrive(DeadJobs& store) : tool(store, line(), "") {}

  static const CommandLine& line() {
    static const CommandLine kLine{
        .command = "redrive", .actor = "mia", .tenant = kAcme, .kind = "embed"};
    return kLine;
  }
  Result<void> run() {
    sim.start();
    const Context ctx = Context::background();
    return block_on(sim.runtime(), tool.run(ctx));
  }

  testing::SimRuntime sim;
  JobTool tool;
};

}  // namespace

TEST_CASE("dead jobs that others redrove or pruned meanwhile do not end a redrive") {
  DeadJobs store;
  store.refused = {{3, Errc::not_found}, {2, Errc::conflict}};
  Redrive redrive(store);
  CHECK(redrive.run().ok());
  CHECK(redrive.tool.printed == "{\"redriven\":1}\n");
}

TEST_CASE("a redrive that a failing store ends says what it has done") {
  DeadJobs store;
  store.refused = {{1, Errc::unavailable}};
  Redrive redrive(store);
  CHECK(redrive.run().error().code() == Errc::unavailable);
  CHECK(redrive.tool.printed == "{\"redriven\":2}\n");
}

TEST_CASE("a redrive whose list of dead jobs breaks off says what it has done") {
  DeadJobs store;
  store.listed_once_only = true;
  Redrive redrive(store);
  CHECK(redrive.run().error().code() == Errc::unavailable);
  CHECK(redrive.tool.printed == "{\"redriven\":3}\n");
}
