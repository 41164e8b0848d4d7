#include "aiserve/postgres/postgres_database.hpp"

#include "aiserve/testing/tcp_gate.hpp"
#include "unit/postgres/postgres_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::GateMode;
using testing::PostgresBench;
using testing::PostgresServer;
using testing::server_or_skip;

namespace {

/// Done in time, sooner or later: a busy machine may take longer than a short timeout.
bool put_at_last(PostgresBench& bench, const std::string& key) {
  for (int tries = 0; tries < 100; ++tries) {
    if (bench.put(key).ok()) return true;
  }
  return false;
}

/// A database behind a gate.
struct Gated {
  explicit Gated(PostgresServer& server, std::chrono::milliseconds timeout = 30s)
      : name(server.new_database()),
        gate(server.port()),
        bench(PostgresDatabaseOptions{
            .dsn = "host=127.0.0.1 port=" + std::to_string(gate.port()) +
                   " user=postgres sslmode=disable gssencmode=disable dbname=" + name,
            .connections = 1,
            .timeout = timeout}) {}
  std::string name;
  testing::TcpGate gate;
  PostgresBench bench;
};

}  // namespace

TEST_CASE("options of the database are checked, and a password is never told") {
  const auto refusal = [](PostgresDatabaseOptions options) -> std::string {
    try {
      PostgresBench bench(std::move(options));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "none";
  };
  CHECK(refusal({}).find("dsn is not set") != std::string::npos);
  CHECK(refusal({.dsn = "dbname=x", .connections = 0}).find("connections") != std::string::npos);
  CHECK(refusal({.dsn = "dbname=x", .max_queue = 0}).find("max_queue") != std::string::npos);
  CHECK(refusal({.dsn = "dbname=x", .timeout = 0ms}).find("timeout") != std::string::npos);
  CHECK(refusal({.dsn = "dbname=x", .connect_timeout = 0ms}).find("connect_timeout") !=
        std::string::npos);
  CHECK(refusal({.dsn = "dbname=x", .max_attempts = 0}).find("max_attempts") != std::string::npos);
  for (const char* dsn :
       {"password=sesame sesame", "postgresql://u:sesame@[::1/x",
        "host=/nowhere password=sesame dbname=sesame2", "host=127.0.0.1 port=1 password=sesame"}) {
    const std::string why = refusal({.dsn = dsn});
    CHECK(why.find("postgres database: ") == 0);
    CHECK_MESSAGE(why.find("sesame ") == std::string::npos, why);
    CHECK(why.find('\n') == std::string::npos);
  }
}

TEST_CASE("a database that was never started, and one after its end, refuse and leak nothing") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string dsn = server->dsn(server->new_database());
  testing::SimRuntime sim;
  { const PostgresDatabase unused(sim.runtime(), {.dsn = dsn}); }
  PostgresBench bench(dsn);
  REQUIRE(bench.put("key").ok());
  bench.sim.shutdown();
  CHECK_FALSE(bench.put("late").ok());
}

TEST_CASE("a queue of operations that is full refuses the next one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresBench bench(PostgresDatabaseOptions{
      .dsn = server->dsn(server->new_database()), .connections = 1, .max_queue = 2});
  std::vector<Errc> refused;
  int written = 0;
  for (int i = 0; i < 5; ++i) {
    const auto put = [&, i](const Context& ctx) -> Async<void> {
      const StoreKey key(TenantId("t"), std::to_string(i));
      const Bytes value = Bytes::literal("v");
      const PutOptions any;
      const auto done = co_await bench.values.put(ctx, key, value, any);
      if (done) ++written;
      if (!done) refused.push_back(done.error().code());
      co_return success();
    };
    spawn(bench.sim.runtime(), Context::background(), put);
  }
  bench.sim.run_until_idle();
  CHECK(written == 2);
  CHECK(refused == std::vector<Errc>(3, Errc::overloaded));
}

TEST_CASE("an operation whose caller gave up before its turn is not done") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresBench bench(server->dsn(server->new_database()));
  const Context gone = Context::background().child();
  gone.cancel(CancelReason::user);
  CHECK(bench.put("key", 1, gone).error().code() == Errc::cancelled);
  CHECK_FALSE(bench.has("key").value());
}

TEST_CASE("connections that the server ended are replaced without the caller's notice") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresBench bench(server->dsn(name));
  REQUIRE(bench.put("before").ok());
  server->run(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'");
  CHECK(bench.put("after").ok());
  CHECK(bench.has("before").value());
  CHECK(bench.database.stats().retries >= 1);
  CHECK(bench.database.stats().in_doubt == 0);
}

TEST_CASE("a server that was killed and comes back has what was acknowledged") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  PostgresBench bench(
      PostgresDatabaseOptions{.dsn = server->dsn(server->new_database()), .max_attempts = 2});
  REQUIRE(bench.put("before").ok());
  server->kill();
  const Result<std::int64_t> meanwhile = bench.put("meanwhile");
  REQUIRE_FALSE(meanwhile.ok());
  CHECK(meanwhile.error().code() == Errc::unavailable);
  // A connection that dies between a COMMIT and its answer leaves a doubt, and no advice to repeat.
  const bool in_doubt = bench.database.stats().in_doubt != 0;
  CHECK(meanwhile.error().retry_after().has_value() != in_doubt);
  server->start();
  CHECK(bench.put("after").ok());
  CHECK(bench.has("before").value());
}

TEST_CASE("a session that became read-only is left for another one") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresBench bench(
      PostgresDatabaseOptions{.dsn = server->dsn(name), .connections = 1, .max_attempts = 3});
  REQUIRE(bench.put("before").ok());
  // As after a failover, when this host is the standby.
  server->run("postgres", "ALTER DATABASE " + name + " SET default_transaction_read_only = on");
  server->run(
      "postgres",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + name + "'");
  const Result<std::int64_t> put = bench.put("meanwhile");
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Errc::unavailable);
  server->run("postgres", "ALTER DATABASE " + name + " RESET default_transaction_read_only");
  CHECK(bench.put("after").ok());
}

TEST_CASE("a connection reset in the middle of a transaction is replaced, and the work done once") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Gated gated(*server);
  const std::int64_t before = gated.bench.put("before").value();
  gated.gate.reset_all();
  CHECK(gated.bench.put("after").value() == before + 1);
  CHECK(gated.bench.database.stats().connects == 2);
}

TEST_CASE("answers that come byte by byte are the same answers") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Gated gated(*server);
  gated.gate.both(GateMode::slice(1));
  CHECK(gated.bench.put("sliced", 2'000).ok());
  const StoreKey key(TenantId("t"), "sliced");
  const auto value =
      block_on(gated.bench.sim.runtime(), gated.bench.values.get(Context::background(), key));
  CHECK(value.value().value().value().size() == 2'000);
}

TEST_CASE(
    "a network that swallows everything ends in a deadline, and service is restored after it") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Gated gated(*server, 200ms);
  REQUIRE(put_at_last(gated.bench, "before"));
  gated.gate.both(GateMode::drop());
  const Result<std::int64_t> lost = gated.bench.put("lost");
  REQUIRE_FALSE(lost.ok());
  CHECK(lost.error().code() == Errc::deadline_exceeded);
  gated.gate.both(GateMode::pass());
  gated.gate.reset_all();
  CHECK(put_at_last(gated.bench, "after"));
  CHECK(PostgresBench(server->dsn(gated.name)).has("before").value());
}

TEST_CASE("a statement that takes too long is ended by the server, and the connection stays") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  const std::string name = server->new_database();
  PostgresBench bench(
      PostgresDatabaseOptions{.dsn = server->dsn(name), .connections = 1, .timeout = 200ms});
  REQUIRE(put_at_last(bench, "key"));
  const std::unique_ptr<PGconn, decltype(&PQfinish)> other(PQconnectdb(server->dsn(name).c_str()),
                                                           &PQfinish);
  PQclear(PQexec(other.get(), "BEGIN; LOCK TABLE aiserve.key_value"));
  const Result<std::int64_t> put = bench.put("key");
  REQUIRE_FALSE(put.ok());
  CHECK(put.error().code() == Errc::deadline_exceeded);
  PQclear(PQexec(other.get(), "ROLLBACK"));
  CHECK(put_at_last(bench, "key"));
  CHECK(bench.database.stats().connects == 1);
}

TEST_CASE("a COMMIT whose answer is lost is in doubt, told so and never repeated") {
  PostgresServer* server = server_or_skip();
  if (server == nullptr) return;
  Gated gated(*server);
  const std::int64_t before = gated.bench.put("key").value();
  // The server commits, what it says is lost.
  const std::string seen = "SELECT last_value FROM aiserve.key_value_version";
  gated.gate.to_client(GateMode::reset_on_data());
  const StoreKey key(TenantId("t"), "answer");
  const Result<bool> finished = [&] {
    PostgresIdempotencyStore runs(gated.bench.database);
    const Bytes answer = Bytes::literal("a");
    return block_on(gated.bench.sim.runtime(),
                    runs.finish(Context::background(), key, 1, answer, 1h));
  }();
  REQUIRE_FALSE(finished.ok());
  CHECK(finished.error().code() == Errc::unavailable);
  CHECK(finished.error().message().find("may have been done or not") != std::string::npos);
  CHECK(gated.bench.database.stats().in_doubt == 1);
  CHECK(gated.bench.database.stats().retries == 0);
  gated.gate.both(GateMode::pass());
  CHECK(gated.bench.put("key").value() == before + 1);
  CHECK(server->run(gated.name, seen) == std::to_string(before + 1));
}
