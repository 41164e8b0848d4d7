// The stores that aiserve-jobs opens. Those that it was built without throw ConfigError.
#pragma once

#include "opened_store.hpp"

namespace aiserve::jobs_tool {

std::unique_ptr<OpenedStore> open_sqlite(Runtime& runtime, std::string file,
                                         const std::string& audit_key, bool migrate);
std::vector<std::string> pending_in_sqlite(const std::string& file);

std::unique_ptr<OpenedStore> open_postgres(Runtime& runtime, const std::string& dsn,
                                           const std::string& audit_key, bool migrate);
std::vector<std::string> pending_in_postgres(const std::string& dsn);

}  // namespace aiserve::jobs_tool
