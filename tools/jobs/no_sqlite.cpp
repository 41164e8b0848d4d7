#include "store_kinds.hpp"

namespace aiserve::jobs_tool {
namespace {

[[noreturn]] void refuse() { throw ConfigError("--store: this program was built without SQLite"); }

}  // namespace

std::unique_ptr<OpenedStore> open_sqlite(Runtime& /*runtime*/, std::string /*file*/,
                                         const std::string& /*audit_key*/, bool /*migrate*/) {
  refuse();
}

std::vector<std::string> pending_in_sqlite(const std::string& /*file*/) { refuse(); }

}  // namespace aiserve::jobs_tool
