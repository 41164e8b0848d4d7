#include "aiserve/postgres/postgres_job_store.hpp"
#include "aiserve/postgres/postgres_stores.hpp"
#include "postgres/herald.hpp"
#include "store_kinds.hpp"

namespace aiserve::jobs_tool {
namespace {

// One connection, which may lead through a pooler.
PostgresDatabaseOptions options_for(const std::string& dsn, bool migrate) {
  PostgresDatabaseOptions options;
  options.dsn = dsn;
  options.connections = 1;
  options.prepared = false;
  options.migrate = migrate;
  return options;
}

class PostgresOpened final : public OpenedStore {
 public:
  PostgresOpened(Runtime& runtime, const std::string& dsn, const std::string& audit_key,
                 bool migrate)
      : database_(runtime, options_for(dsn, migrate)),
        jobs_(database_, {.notify = false}),
        audit_(database_, {.key = audit_key}) {}

  JobReader& reader() override { return jobs_; }
  JobOperator& operations() override { return jobs_; }
  AuditLog& audit() override { return audit_; }
  Async<void> backup(const Context& /*ctx*/, const std::string& /*file*/) override {
    co_return Error(Errc::unimplemented,
                    "a store in PostgreSQL is backed up by the server's own tools: "
                    "pg_dump --schema=aiserve, or pg_basebackup");
  }
  Async<void> verify(const Context& ctx, bool /*full*/) override { return jobs_.check(ctx); }
  Async<void> wake(const Context& ctx) override { return pg::tell_once(database_.core(), ctx); }

 private:
  PostgresDatabase database_;
  PostgresJobStore jobs_;
  PostgresAuditLog audit_;
};

}  // namespace

std::unique_ptr<OpenedStore> open_postgres(Runtime& runtime, const std::string& dsn,
                                           const std::string& audit_key, bool migrate) {
  return std::make_unique<PostgresOpened>(runtime, dsn, audit_key, migrate);
}

std::vector<std::string> pending_in_postgres(const std::string& dsn) {
  return PostgresDatabase::pending_migrations(dsn);
}

}  // namespace aiserve::jobs_tool
