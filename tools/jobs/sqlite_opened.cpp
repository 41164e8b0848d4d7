#include <filesystem>
#include <utility>

#include "aiserve/sqlite/sqlite_job_store.hpp"
#include "aiserve/sqlite/sqlite_stores.hpp"
#include "store_kinds.hpp"

namespace aiserve::jobs_tool {
namespace {

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

}  // namespace

std::unique_ptr<OpenedStore> open_sqlite(Runtime& runtime, std::string file,
                                         const std::string& audit_key, bool migrate) {
  // A wrong name must not look like an empty queue.
  if (!migrate && !std::filesystem::exists(file)) {
    throw ConfigError("--store: there is no file " + file);
  }
  return std::make_unique<SqliteOpened>(runtime, std::move(file), audit_key, migrate);
}

std::vector<std::string> pending_in_sqlite(const std::string& file) {
  return SqliteDatabase::pending_migrations(file);
}

}  // namespace aiserve::jobs_tool
