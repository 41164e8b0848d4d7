// Migrations of a PostgreSQL database, see storage/migration.hpp. Everything lies in the schema
// `aiserve`.
#pragma once

#include "postgres/connection.hpp"
#include "storage/migration.hpp"

namespace aiserve::inline v0::pg {

/// All of this program, ascending.
std::span<const detail::Migration> migrations() noexcept;

/// Those that the database lacks. Throws ConfigError when its history does not match, PgError.
std::vector<const detail::Migration*> pending(Connection& connection,
                                              std::span<const detail::Migration> steps);

/// Runs those that are pending; all or none. Of several processes one does it while the others
/// wait. A step may read a long history: `patience` is for all of them, at most an hour, and the
/// server stops when it is over. Throws as pending(). Returns how many were run.
std::size_t migrate(Connection& connection, std::span<const detail::Migration> steps,
                    std::chrono::milliseconds patience = std::chrono::hours(1));

}  // namespace aiserve::inline v0::pg
