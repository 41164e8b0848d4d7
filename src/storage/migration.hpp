// Migrations: the steps that bring a database's schema up to date, embedded in the binary. Each is
// run once, in the transaction that also writes its row of history; of several processes that start
// together the first does it and the others find it done. There is no way back: a mistake is
// repaired by another step. Pure; running them is the adapters' part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::detail {

struct Migration {
  int version;  ///< 1, 2, 3, ...
  std::string_view name;
  std::string_view sql;
  /// The oldest newest-known version of a program that can work with the schema after this step.
  /// Its own version, unless the step only adds what older programs may ignore.
  int works_since;
};

/// A row of a database's history.
struct AppliedMigration {
  std::int64_t version;
  std::string name;
  std::string sha256;
  std::int64_t works_since;
};

/// What the history keeps of a step, so that it is noticed when somebody edits it.
std::string digest(const Migration& step);

/// Those steps that a history, ascending, lacks. Throws ConfigError when it does not match: a step
/// was edited, is missing, or is newer than the program and says that it needs a newer one. `store`
/// begins the message.
std::vector<const Migration*> pending_after(std::span<const AppliedMigration> history,
                                            std::span<const Migration> steps,
                                            std::string_view store);

}  // namespace aiserve::inline v0::detail
