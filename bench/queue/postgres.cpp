// queue.pg.*
#include <libpq-fe.h>

#include "aiserve/postgres/postgres_job_store.hpp"
#include "queue/groups.hpp"
#include "queue/postgres_place.hpp"
#include "queue/subject.hpp"
#include "support/postgres_server.hpp"

namespace bench {

using namespace aiserve;
using testing::PostgresServer;

namespace {

PostgresServer& server() {
  PostgresServer* shared = PostgresServer::shared();
  if (shared == nullptr) throw std::runtime_error("PostgreSQL is not installed");
  return *shared;
}

/// A transaction that reads, and stays.
class HeldSnapshot {
 public:
  explicit HeldSnapshot(const std::string& database)
      : connection_(PQconnectdb(server().dsn(database).c_str())) {
    PQclear(PQexec(connection_, "BEGIN ISOLATION LEVEL REPEATABLE READ"));
    PQclear(PQexec(connection_, "SELECT count(*) FROM aiserve.job"));
    if (PQtransactionStatus(connection_) != PQTRANS_INTRANS) {
      throw std::runtime_error(PQerrorMessage(connection_));
    }
  }
  ~HeldSnapshot() { PQfinish(connection_); }
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;

 private:
  PGconn* connection_;
};

Group throughput_group(const Options& options) {
  const int count = options.quick ? 5'000 : 20'000;
  return {.name = "pg.jobs",
          .keys = {{.name = "queue.pg.jobs_per_s", .unit = "jobs/s"},
                   {.name = "queue.pg.lifecycle_per_s", .unit = "jobs/s"}},
          .round = [count](Sample& sample) {
            const auto waiting = static_cast<std::size_t>(count);
            sample.set("queue.pg.jobs_per_s", drain_per_s(in_new_database(), waiting, count));
            sample.set("queue.pg.lifecycle_per_s", lifecycle_per_s(in_new_database(), count));
          }};
}

Group postgres_pickup_group(const Options& options) {
  const int count = options.quick ? 1'000 : 10'000;
  return {.name = "pg.pickup",
          .keys = {{.name = "queue.pg.pickup_ms_p50", .unit = "ms", .at_most = 5},
                   {.name = "queue.pg.pickup_ms_p99", .unit = "ms", .at_most = 20}},
          .round = [count](Sample& sample) {
            const std::vector<double> seconds = pickup_seconds(in_new_database(), count);
            sample.set("queue.pg.pickup_ms_p50", percentile(seconds, 0.5) * 1e3);
            sample.set_percentile("queue.pg.pickup_ms_p99", percentile(seconds, 0.99) * 1e3,
                                  static_cast<double>(seconds.size()) / 100);
          }};
}

Group postgres_backlog_group(const Options& options) {
  const std::size_t many = options.quick ? 100'000 : 1'000'000;
  return {.name = "pg.backlog",
          .keys = {{.name = "queue.pg.backlog_ratio", .unit = "ratio", .at_least = 0.8}},
          .round = [many](Sample& sample) {
            constexpr int kFew = 1000;
            const double deep = drain_per_s(in_new_database(), many, kFew);
            const double shallow = drain_per_s(in_new_database(), kFew, kFew);
            sample.set("queue.pg.backlog_ratio", deep / shallow);
          }};
}

Group snapshot_group(const Options&) {
  return {.name = "pg.snapshot",
          .keys = {{.name = "queue.pg.held_snapshot_ratio", .unit = "ratio", .at_least = 0.5}},
          .round = [](Sample& sample) {
            constexpr int kBefore = 25'000;  // a claim and an outcome leave a dead row each
            constexpr int kCount = 5'000;
            const std::string name = server().new_database();
            const double free = drain_per_s(in_database(name), kCount, kCount);
            const HeldSnapshot held(name);
            drain_per_s(in_database(name), kBefore, kBefore);
            sample.set("queue.pg.held_snapshot_ratio",
                       drain_per_s(in_database(name), kCount, kCount) / free);
          }};
}

}  // namespace

OpenStore in_database(const std::string& name) {
  const std::string dsn = server().dsn(name);
  return [dsn](Runtime& runtime) {
    return std::make_unique<PostgresJobStore>(runtime, PostgresDatabaseOptions{.dsn = dsn});
  };
}

OpenStore in_new_database() { return in_database(server().new_database()); }

Environment environment_of_new_database() {
  const std::string name = server().new_database();
  const std::string dsn = server().dsn(name);
  const std::string host = dsn.substr(5, dsn.find(' ') - 5);  // host=...
  return {{"PGHOST", host},
          {"PGPORT", std::to_string(server().port())},
          {"PGUSER", "postgres"},
          {"PGDATABASE", name}};
}

std::vector<Group> postgres_groups(const Options& options) {
  return {throughput_group(options), postgres_pickup_group(options),
          postgres_backlog_group(options), snapshot_group(options)};
}

}  // namespace bench
