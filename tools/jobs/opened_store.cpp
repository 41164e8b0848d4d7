#include "opened_store.hpp"

#include "store_kinds.hpp"

namespace aiserve::jobs_tool {
namespace {

/// What follows the prefix, or nothing.
std::string_view after(std::string_view dsn, std::string_view prefix) {
  return dsn.substr(0, prefix.size()) == prefix ? dsn.substr(prefix.size()) : std::string_view();
}

bool is_postgres(std::string_view dsn) {
  return !after(dsn, "postgresql://").empty() || !after(dsn, "postgres://").empty();
}

[[noreturn]] void refuse_dsn() {
  throw ConfigError("--store must be sqlite:FILE or postgresql://...");
}

}  // namespace

std::unique_ptr<OpenedStore> open_store(Runtime& runtime, const std::string& dsn,
                                        const std::string& audit_key, bool migrate) {
  if (const auto file = after(dsn, "sqlite:"); !file.empty()) {
    return open_sqlite(runtime, std::string(file), audit_key, migrate);
  }
  if (is_postgres(dsn)) return open_postgres(runtime, dsn, audit_key, migrate);
  refuse_dsn();
}

std::vector<std::string> pending_migrations(const std::string& dsn) {
  if (const auto file = after(dsn, "sqlite:"); !file.empty()) {
    return pending_in_sqlite(std::string(file));
  }
  if (is_postgres(dsn)) return pending_in_postgres(dsn);
  refuse_dsn();
}

}  // namespace aiserve::jobs_tool
