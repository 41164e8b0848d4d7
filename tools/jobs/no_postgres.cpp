#include "store_kinds.hpp"

namespace aiserve::jobs_tool {
namespace {

[[noreturn]] void refuse() {
  throw ConfigError("--store: this program was built without PostgreSQL");
}

}  // namespace

std::unique_ptr<OpenedStore> open_postgres(Runtime& /*runtime*/, const std::string& /*dsn*/,
                                           const std::string& /*audit_key*/, bool /*migrate*/) {
  refuse();
}

std::vector<std::string> pending_in_postgres(const std::string& /*dsn*/) { refuse(); }

}  // namespace aiserve::jobs_tool
