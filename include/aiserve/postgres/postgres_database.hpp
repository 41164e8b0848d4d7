/// PostgresDatabase: the connections to one PostgreSQL database that stores share:
/// PostgresJobStore, PostgresKeyValueStore, PostgresIdempotencyStore, PostgresAuditLog.
///
/// Each connection has a thread of its own; operations wait in one bounded queue for the next that
/// is free. What they have to say goes out together, so that most cost one or two round trips. Each
/// ends with its Context's deadline, which is the server's statement_timeout as well. Transactions
/// that meet a serialization failure or a deadlock, or lose the connection before COMMIT was sent,
/// run again after a pause with full jitter; one that lost it afterwards is in doubt and never
/// does. The constructor connects and brings the schema `aiserve` up to date: of several processes
/// that start together one does. It needs a login that may create roles, or a database prepared as
/// docs/storage.md says. Declare it before the stores that use it.
/// *Thread safety:* any I/O thread of the Runtime. *Errors:* the constructor throws ConfigError;
/// the rest: overloaded (queue full, no room on the server), unavailable (no connection, or in
/// doubt), data_loss, and those of the Context. After deadline_exceeded, cancelled or unavailable a
/// write may have happened or not.
///
///     PostgresDatabase database(runtime, {.dsn = "postgresql://classifier@db1,db2/classifier"});
///     PostgresKeyValueStore settings(database);
#pragma once

#include <aiserve/core/async.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aiserve::inline v0 {

class Runtime;

namespace pg {
class PostgresCore;
}

struct PostgresDatabaseOptions {
  /// A connection string or URI as libpq takes it; environment variables and ~/.pgpass fill what it
  /// leaves out. Of several hosts the one that can be written to is taken, unless
  /// target_session_attrs says otherwise. Never logged. No default.
  std::string dsn{};
  /// Connections, each with a thread, 1 to 256. More help while transactions wait for the disk. One
  /// more is kept for the heartbeats of workers, which wait for nothing else; it is opened when
  /// they need it.
  int connections = 4;
  /// Operations that may wait for a connection, 1 to 1,000,000: beyond it they are refused as
  /// overloaded.
  std::size_t max_queue = 4096;
  /// The longest operation, waiting and retries included, 1 ms to 1 h; a Context may want less.
  std::chrono::milliseconds timeout{30'000};
  /// The longest attempt to connect, per host, 1 s to 60 s, rounded up to seconds.
  std::chrono::milliseconds connect_timeout{5'000};
  /// How often a transaction is tried, 1 to 100.
  int max_attempts = 6;
  /// False behind a pooler that gives each transaction another server connection (pgbouncer in
  /// transaction mode): statements are then parsed every time. Everything else keeps to one
  /// transaction anyway.
  bool prepared = true;
  /// False: the constructor throws ConfigError when the schema is not up to date.
  bool migrate = true;
};

/// Since the start.
struct PostgresStats {
  std::uint64_t committed = 0;
  std::uint64_t retries = 0;
  std::uint64_t connects = 0;
  std::uint64_t in_doubt = 0;  ///< connections that broke while a COMMIT was on its way
  std::size_t queued = 0;      ///< now
};

class PostgresDatabase {
 public:
  /// Throws ConfigError when an option is out of its range, the database cannot be reached or used,
  /// or its schema is newer than this program or was changed.
  PostgresDatabase(Runtime& runtime, PostgresDatabaseOptions options);
  ~PostgresDatabase();

  /// What the constructor would do to this database: the names of the migrations it lacks. Changes
  /// nothing. Throws ConfigError as the constructor.
  static std::vector<std::string> pending_migrations(const std::string& dsn);

  PostgresStats stats() const noexcept;

  pg::PostgresCore& core() const noexcept { return *core_; }

 private:
  std::shared_ptr<pg::PostgresCore> core_;
};

}  // namespace aiserve::inline v0
