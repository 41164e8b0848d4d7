#include "opened_store.hpp"

#include <filesystem>
#include <utility>

#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"

namespace aiserve::jobs_tool {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

class SqliteOpened final : public OpenedStore {
 public:
  SqliteOpened(Runtime& runtime, std::string file, const std::string& audit_key, bool migrate)
      : database_(runtime, {.path = std::move(file), .migrate = migrate}),
        jobs_(database_),
        audit_(database_, {.key = audit_key}) {}

  JobReader& reader() override { return jobs_; }
  JobOperator& operations() override { return jobs_; }
  AuditLog& audit() override { return audit_; }
  Async<void> backup(const Context& ctx, const std::string& file) override {
    return database_.backup(ctx, file);
  }
  Async<void> verify(const Context& ctx, bool full) override {
    return database_.check(ctx, full ? SqliteCheck::full : SqliteCheck::quick);
  }

 private:
  SqliteDatabase database_;
  SqliteJobStore jobs_;
  SqliteAuditLog audit_;
};

std::string sqlite_file(const std::string& dsn) {
  if (dsn.rfind(kSqlite, 0) == 0 && dsn.size() > kSqlite.size()) return dsn.substr(kSqlite.size());
  if (dsn.rfind("postgres", 0) == 0) {
    throw ConfigError("--store: this program opens no job stores in PostgreSQL yet");
  }
  throw ConfigError("--store must be sqlite:FILE");
}

}  // namespace

std::unique_ptr<OpenedStore> open_store(Runtime& runtime, const std::string& dsn,
                                        const std::string& audit_key, bool migrate) {
  std::string file = sqlite_file(dsn);
  // A wrong name must not look like an empty queue.
  if (!migrate && !std::filesystem::exists(file)) {
    throw ConfigError("--store: there is no file " + file);
  }
  return std::make_unique<SqliteOpened>(runtime, std::move(file), audit_key, migrate);
}

std::vector<std::string> pending_migrations(const std::string& dsn) {
  return SqliteDatabase::pending_migrations(sqlite_file(dsn));
}

}  // namespace aiserve::jobs_tool
