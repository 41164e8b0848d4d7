// Migrations of a SQLite file, see storage/migration.hpp.
#pragma once

#include "sqlite/connection.hpp"
#include "storage/migration.hpp"

namespace aiserve::inline v0::detail {

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
