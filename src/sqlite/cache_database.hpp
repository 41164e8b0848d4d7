// CacheDatabase: the file behind SqliteCacheTier, used by one thread at a time. Its functions throw
// SQLite::Exception; SqliteCacheTier turns that into Errors.
#pragma once

#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "aiserve/cache/cache_tier.hpp"

namespace aiserve::inline v0::detail {

class CacheDatabase {
 public:
  /// Opens or creates the file.
  CacheDatabase(const std::string& path, std::size_t capacity, int busy_timeout_ms);

  /// False: the file was written by another program or version.
  static bool readable(const std::string& path);
  /// Does this error mean that the file cannot be used any more?
  static bool broken(const SQLite::Exception& error) noexcept;

  std::optional<Bytes> get(const TierKey& key, WallTime now);
  /// All or none. Makes room by deleting the oldest rows.
  void put(std::span<const TierEntry> entries);
  void erase(std::span<const TierKey> keys);
  void erase_tenant(const TenantId& tenant);

 private:
  void insert_all(std::span<const TierEntry> entries);
  void drop_oldest();
  void erase(const TierKey& key);

  SQLite::Database database_;
  std::size_t largest_;
  SQLite::Statement select_;
  SQLite::Statement insert_;
  SQLite::Statement erase_;
  SQLite::Statement erase_tenant_;
  SQLite::Statement drop_oldest_;
};

}  // namespace aiserve::inline v0::detail
