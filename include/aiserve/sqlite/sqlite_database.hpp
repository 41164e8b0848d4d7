/// SqliteDatabase: one SQLite file that stores share: SqliteJobStore, SqliteKeyValueStore,
/// SqliteIdempotencyStore, SqliteAuditLog.
///
/// One thread writes. Writes that wait while it works are committed together (group commit), and
/// each caller is answered after the commit that holds its write, or told that it failed. Reads run
/// on the blocking pool over connections of their own and never wait for the writer (WAL). The file
/// must lie on a local disk. Several processes may use it at once.
/// The constructor opens the file, checks it if asked to, and brings its schema up to date: of
/// several processes that start together one does. Declare it before the stores that use it.
/// *Thread safety:* any I/O thread of the Runtime. *Errors:* the constructor throws ConfigError;
/// the rest: overloaded (queue, disk or max_size full: heals when there is room), unavailable (the
/// file cannot be written, or another process holds it too long), data_loss (the file is damaged),
/// and those of the Context. After deadline_exceeded, cancelled or unavailable a write may have
/// happened or not.
///
///     SqliteDatabase database(runtime, {.path = "/var/lib/classifier/classifier.db"});
///     SqliteKeyValueStore settings(database);
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

namespace detail {
class SqliteCore;
}

enum class SqliteSync : std::uint8_t {
  full,  ///< every commit is on the disk before it is answered
  /// A power cut or a crash of the system can lose the commits of the last seconds, though they
  /// were answered; a crash of the process loses none, and the file stays whole. Many times as fast
  /// on slow disks.
  normal,
};

enum class SqliteCheck : std::uint8_t {
  none,
  quick,  ///< pages and rows; reads the whole file
  full,   ///< indexes against tables as well
};

struct SqliteDatabaseOptions {
  /// The file; its directory exists. No default.
  std::string path{};
  SqliteSync sync = SqliteSync::full;
  /// Done by the constructor, which throws ConfigError if the file is damaged.
  SqliteCheck check = SqliteCheck::none;
  /// Largest file in bytes, at least 1 MiB: beyond it writes are refused as overloaded.
  std::uint64_t max_size = std::uint64_t{64} << 30;
  /// Writes that may wait for the writer, 1 to 1,000,000: beyond it they are refused as overloaded.
  std::size_t max_queue = 4096;
  /// Most writes of one commit, 1 to 10,000.
  std::size_t max_group = 512;
  /// How long a write waits for another process that writes, 0 to 60 s.
  std::chrono::milliseconds busy_timeout{5'000};
  /// False: the constructor throws ConfigError when the schema is not up to date.
  bool migrate = true;
};

/// Since the start.
struct SqliteStats {
  std::uint64_t writes = 0;   ///< committed
  std::uint64_t commits = 0;  ///< that held them
  std::uint64_t failures = 0;
  std::size_t queued = 0;  ///< now
};

class SqliteDatabase {
 public:
  /// Throws ConfigError when an option is out of its range, the file cannot be opened, is not a
  /// database of aiserve or is damaged, or its schema is newer than this program or was changed.
  SqliteDatabase(Runtime& runtime, SqliteDatabaseOptions options);
  ~SqliteDatabase();

  /// What the constructor would do to this file: the names of the migrations it lacks. Changes
  /// nothing. Throws ConfigError as the constructor.
  static std::vector<std::string> pending_migrations(const std::string& path);

  /// A copy of what is committed now, in a file that appears whole or not at all, while reads and
  /// writes go on. Replaces the file `path`.
  Async<void> backup(const Context& ctx, const std::string& path);
  /// Errors: data_loss, the detail names what is wrong.
  Async<void> check(const Context& ctx, SqliteCheck how);
  SqliteStats stats() const noexcept;

  detail::SqliteCore& core() const noexcept { return *core_; }

 private:
  std::shared_ptr<detail::SqliteCore> core_;
};

}  // namespace aiserve::inline v0
