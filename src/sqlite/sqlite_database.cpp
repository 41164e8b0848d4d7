#include "aiserve/sqlite/sqlite_database.hpp"

#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include "aiserve/core/id.hpp"
#include "sqlite/migration.hpp"
#include "sqlite/sqlite_core.hpp"

namespace aiserve::inline v0 {

using detail::Connection;
using detail::SqliteCore;

namespace {

constexpr const char* kQuickCheck = R"sql(PRAGMA quick_check(1))sql";
constexpr const char* kFullCheck = R"sql(PRAGMA integrity_check(1))sql";

[[noreturn]] void refuse(const std::string& what) { throw ConfigError("sqlite database: " + what); }

SqliteDatabaseOptions checked(SqliteDatabaseOptions options) {
  using std::chrono::milliseconds;
  if (options.path.empty()) refuse("path is not set");
  if (options.max_size < (std::uint64_t{1} << 20)) refuse("max_size must be at least 1 MiB");
  if (options.max_queue < 1 || options.max_queue > 1'000'000) {
    refuse("max_queue must be 1 to 1000000");
  }
  if (options.max_group < 1 || options.max_group > 10'000) refuse("max_group must be 1 to 10000");
  if (options.busy_timeout.count() < 0 || options.busy_timeout > milliseconds(60'000)) {
    refuse("busy_timeout must be 0 to 60 s");
  }
  return options;
}

Result<void> check_file(Connection& connection, SqliteCheck how) {
  if (how == SqliteCheck::none) return success();
  detail::Query query(connection, how == SqliteCheck::full ? kFullCheck : kQuickCheck);
  if (query.row() && query.text(0) == "ok") return success();
  return Error(Errc::data_loss, "the store is damaged").with_detail(query.string(0));
}

// The schema is made and checked before the writer opens the file.
void prepare(const SqliteDatabaseOptions& options, std::int64_t now_ms) {
  try {
    // Patient: of many processes that start together one migrates while the others wait.
    Connection connection(options.path, {.busy_timeout_ms = 60'000});
    if (auto good = check_file(connection, options.check); !good) {
      refuse("the file is damaged: " + good.error().detail());
    }
    if (options.migrate) {
      detail::migrate(connection, detail::migrations(), now_ms);
    } else if (!detail::pending(connection, detail::migrations()).empty()) {
      refuse("schema: migrations are pending");
    }
  } catch (const SQLite::Exception& error) {
    refuse(options.path + ": " + error.what());
  }
}

Result<void> sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  if (file >= 0) ::close(file);
  if (synced) return success();
  return Error(Errc::unavailable, "the backup cannot be written");
}

// VACUUM INTO reads one snapshot and, unlike the backup API, is not started again by every write.
Result<void> write_backup(Connection& connection, const std::string& path) {
  const std::string draft = path + ".draft-" + make_id();
  std::error_code error;
  Result<void> done = success();
  try {
    // VACUUM wants no transaction around it.
    connection.rollback();
    SQLite::Statement vacuum(connection.database(), "VACUUM INTO ?1");
    vacuum.bind(1, draft);
    vacuum.exec();
    done = sync(draft);
  } catch (const SQLite::Exception& failed) {
    done = detail::to_error(failed);
  }
  if (done) std::filesystem::rename(draft, path, error);
  if (done && error) done = Error(Errc::unavailable, "the backup cannot be written");
  if (!done) std::filesystem::remove(draft, error);
  const std::string folder = std::filesystem::path(path).parent_path();
  return done ? sync(folder.empty() ? "." : folder) : done;
}

}  // namespace

SqliteDatabase::SqliteDatabase(Runtime& runtime, SqliteDatabaseOptions options) {
  options = checked(std::move(options));
  const auto now = std::chrono::floor<std::chrono::milliseconds>(runtime.clock().wall_now());
  prepare(options, now.time_since_epoch().count());
  try {
    core_ = std::make_shared<SqliteCore>(runtime, std::move(options));
  } catch (const SQLite::Exception& error) {
    refuse(error.what());
  }
  core_->attach();
}

SqliteDatabase::~SqliteDatabase() { core_->detach(); }

std::vector<std::string> SqliteDatabase::pending_migrations(const std::string& path) {
  std::vector<std::string> names;
  try {
    if (!std::filesystem::exists(path)) {
      for (const auto& step : detail::migrations()) names.emplace_back(step.name);
      return names;
    }
    Connection connection(path, {.busy_timeout_ms = 5'000});
    for (const auto* step : detail::pending(connection, detail::migrations())) {
      names.emplace_back(step->name);
    }
  } catch (const SQLite::Exception& error) {
    refuse(path + ": " + error.what());
  }
  return names;
}

Async<void> SqliteDatabase::backup(const Context& ctx, const std::string& path) {
  const auto work = [path](Connection& connection) { return write_backup(connection, path); };
  co_return co_await core_->read(ctx, work);
}

Async<void> SqliteDatabase::check(const Context& ctx, SqliteCheck how) {
  const auto work = [how](Connection& connection) { return check_file(connection, how); };
  co_return co_await core_->read(ctx, work);
}

SqliteStats SqliteDatabase::stats() const noexcept { return core_->stats(); }

}  // namespace aiserve::inline v0
