#include "storage/migration.hpp"

#include <algorithm>

#include "storage/sha256.hpp"

namespace aiserve::inline v0::detail {
namespace {

[[noreturn]] void refuse(std::string_view store, const std::string& why) {
  throw ConfigError(std::string(store) + ": schema: " + why);
}

void check_row(const AppliedMigration& row, std::span<const Migration> steps,
               std::string_view store) {
  const std::string which = "version " + std::to_string(row.version) + " (" + row.name + ")";
  const auto step = std::find_if(steps.begin(), steps.end(),
                                 [&](const Migration& one) { return one.version == row.version; });
  const int newest = steps.empty() ? 0 : steps.back().version;
  if (step == steps.end() && row.version > newest && row.works_since <= newest) return;
  if (step == steps.end() && row.version > newest) {
    refuse(store, which + " is newer than this program");
  }
  if (step == steps.end()) refuse(store, which + " is unknown to this program");
  if (digest(*step) != row.sha256) refuse(store, which + " was changed after it was applied");
}

}  // namespace

std::string digest(const Migration& step) {
  return hex(sha256(std::string(step.name) + '\n' + std::string(step.sql)));
}

std::vector<const Migration*> pending_after(std::span<const AppliedMigration> history,
                                            std::span<const Migration> steps,
                                            std::string_view store) {
  std::int64_t expected = 1;
  for (const AppliedMigration& row : history) {
    if (row.version != expected) {
      refuse(store, "version " + std::to_string(expected) + " is missing in the history");
    }
    check_row(row, steps, store);
    ++expected;
  }
  std::vector<const Migration*> missing;
  for (const Migration& step : steps) {
    if (step.version >= expected) missing.push_back(&step);
  }
  return missing;
}

}  // namespace aiserve::inline v0::detail
