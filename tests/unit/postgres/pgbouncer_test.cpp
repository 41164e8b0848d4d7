// Behind a pooler that gives each transaction another server connection.
#include <fstream>

#include <doctest/doctest.h>

#include "aiserve/testing/job_store_conformance.hpp"
#include "support/run_cases.hpp"
#include "unit/postgres/job_bench.hpp"

using namespace aiserve;
using testing::JobStoreSides;
using testing::PostgresServer;

namespace {

/// pgbouncer in transaction mode before a server, as a user who isn't root. Both are met at sockets
/// in folders, where nobody else can be.
class PgBouncer {
 public:
  static bool installed() { return std::filesystem::exists(kProgram); }

  explicit PgBouncer(PostgresServer& server) {
    std::ofstream config(folder_.file("ini"));
    config << "[databases]\n* = host=" << server.folder() << " port=" << server.port()
           << " user=postgres\n[pgbouncer]\nlisten_addr =\nlisten_port = " << kNumber
           << "\nunix_socket_dir = " << folder_.path()
           << "\nauth_type = any\npool_mode = transaction\n"
           << "default_pool_size = 3\n";
    config.close();
    child_ = server.launch_as_its_user(folder_.path(), {kProgram, folder_.file("ini")});
    while (PQping(dsn("postgres").c_str()) != PQPING_OK) {
      if (::waitpid(child_, nullptr, WNOHANG) == child_) throw std::runtime_error("no pgbouncer");
      ::poll(nullptr, 0, 10);
    }
  }
  ~PgBouncer() {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  std::string dsn(const std::string& database) const {
    return "host=" + folder_.path() + " port=" + std::to_string(kNumber) +
           " user=postgres dbname=" + database;
  }

 private:
  static constexpr const char* kProgram = "/usr/sbin/pgbouncer";
  static constexpr int kNumber = 6432;  // in the name of the socket
  const testing::TemporaryFolder folder_;
  pid_t child_ = -1;
};

class Fresh {
 public:
  Fresh(Runtime& runtime, PostgresServer& server, const PgBouncer& bouncer)
      : store_(std::make_unique<PostgresJobStore>(
            runtime,
            PostgresDatabaseOptions{
                .dsn = bouncer.dsn(server.new_database()), .connections = 2, .prepared = false})),
        sides_(std::make_unique<JobStoreSides>(JobStoreSides{*store_, *store_})) {}
  JobStoreSides& operator*() const { return *sides_; }

 private:
  std::unique_ptr<PostgresJobStore> store_;
  std::unique_ptr<JobStoreSides> sides_;
};

}  // namespace

TEST_CASE("behind pgbouncer in transaction mode the job store does what every one has to do") {
  PostgresServer* server = testing::server_or_skip();
  if (server == nullptr) return;
  if (!PgBouncer::installed()) {
    MESSAGE("SKIPPED: pgbouncer is not installed here");
    return;
  }
  const PgBouncer bouncer(*server);
  testing::run_cases(testing::job_store_cases(), [&](testing::SimRuntime& sim) {
    return Fresh(sim.runtime(), *server, bouncer);
  });
}
