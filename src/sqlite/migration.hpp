// Migrations: the steps that bring a file's schema up to date, embedded in the binary. Each is run
// once, in the transaction that also writes its row of history; of several processes that start
// together the first does it and the others find it done. There is no way back: a mistake is
// repaired by another step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/connection.hpp"

namespace aiserve::inline v0::detail {

struct Migration {
  int version;  ///< 1, 2, 3, ...
  std::string_view name;
  std::string_view sql;
  /// The oldest newest-known version of a program that can work with the schema after this step.
  /// Its own version, unless the step only adds what older programs may ignore.
  int works_since;
};

/// All of this program, ascending.
std::span<const Migration> migrations() noexcept;

/// Those that the file lacks. Throws ConfigError when its history does not match: a step was
/// edited, is missing, or is newer than the program and says that it needs a newer one; or when the
/// file belongs to another application.
std::vector<const Migration*> pending(Connection& connection, std::span<const Migration> steps);

/// Runs those that are pending; all or none. Throws ConfigError as pending(), SQLite::Exception.
/// Returns how many were run.
std::size_t migrate(Connection& connection, std::span<const Migration> steps, std::int64_t now_ms);

}  // namespace aiserve::inline v0::detail
