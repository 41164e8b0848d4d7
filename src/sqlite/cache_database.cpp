#include "sqlite/cache_database.hpp"

#include <filesystem>

#include <sqlite3.h>

#include "core/checksum.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr int kApplication = 0x61697363;  // "aisc"
constexpr int kVersion = 1;
constexpr std::size_t kPage = 4096;

void bind(SQLite::Statement& statement, int parameter, std::string_view bytes) {
  // A null pointer would be NULL, not an empty blob.
  const char* data = bytes.empty() ? "" : bytes.data();
  statement.bindNoCopy(parameter, static_cast<const void*>(data), static_cast<int>(bytes.size()));
}

// Of every statement that uses a key: 1 is the tenant, 2 the key.
void bind(SQLite::Statement& statement, const TierKey& key) {
  bind(statement, 1, key.tenant().view());
  bind(statement, 2, key.key().text());
}

std::int64_t checksum(const TierKey& key, ByteView value, std::int64_t expires) {
  Checksum sum;
  sum.add(key.tenant().view()).add(key.key().view()).add(value);
  return static_cast<std::int64_t>(sum.add(static_cast<std::uint64_t>(expires)).finish());
}

// Statements are kept; each use ends with a reset, also when it throws.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) noexcept : statement_(statement) {}
  ~Use() { statement_.tryReset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  SQLite::Statement* operator->() noexcept { return &statement_; }

 private:
  SQLite::Statement& statement_;
};

SQLite::Database& prepared(SQLite::Database& database, std::size_t capacity) {
  // Exclusive: without shared memory, and another process notices at once.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA page_size = " + std::to_string(kPage));
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA application_id = " + std::to_string(kApplication));
  database.exec("PRAGMA user_version = " + std::to_string(kVersion));
  database.exec("PRAGMA max_page_count = " + std::to_string(capacity / kPage + 1));
  database.exec(
      "CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, tenant BLOB NOT NULL, "
      "key BLOB NOT NULL, value BLOB NOT NULL, expires INTEGER NOT NULL, "
      "checksum INTEGER NOT NULL, UNIQUE (tenant, key))");
  return database;
}

}  // namespace

CacheDatabase::CacheDatabase(const std::string& path, std::size_t capacity, int busy_timeout_ms)
    : database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_ms),
      largest_(capacity / 8),
      select_(prepared(database_, capacity),
              "SELECT value, expires, checksum FROM entries WHERE tenant = ?1 AND key = ?2"),
      insert_(database_,
              "INSERT OR REPLACE INTO entries (tenant, key, value, expires, checksum) "
              "VALUES (?1, ?2, ?3, ?4, ?5)"),
      erase_(database_, "DELETE FROM entries WHERE tenant = ?1 AND key = ?2"),
      erase_tenant_(database_, "DELETE FROM entries WHERE tenant = ?1"),
      drop_oldest_(database_,
                   "DELETE FROM entries WHERE seq <= (SELECT min(seq) + (max(seq) - min(seq)) / 8 "
                   "FROM entries)") {}

bool CacheDatabase::readable(const std::string& path) {
  if (std::error_code ignored; !std::filesystem::exists(path, ignored)) return true;
  SQLite::Database database(path, SQLite::OPEN_READWRITE);
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  const bool empty = database.execAndGet("PRAGMA page_count").getInt() == 0;
  return empty || (application == kApplication && version == kVersion);
}

bool CacheDatabase::broken(const SQLite::Exception& error) noexcept {
  return error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
}

std::optional<Bytes> CacheDatabase::get(const TierKey& key, WallTime now) {
  std::optional<Bytes> value;
  bool garbled = false;
  {
    Use select(select_);
    bind(select_, key);
    if (!select->executeStep()) return std::nullopt;
    const SQLite::Column blob = select->getColumn(0);
    const ByteView bytes(static_cast<const std::byte*>(blob.getBlob()),
                         static_cast<std::size_t>(blob.getBytes()));
    const std::int64_t expires = select->getColumn(1).getInt64();
    garbled = select->getColumn(2).getInt64() != checksum(key, bytes, expires);
    if (!garbled && expires <= now.time_since_epoch().count()) return std::nullopt;
    if (!garbled) value = Bytes::copy(bytes);
  }
  if (garbled) erase(key);
  return value;
}

void CacheDatabase::put(std::span<const TierEntry> entries) {
  try {
    return insert_all(entries);
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_FULL) throw;
  }
  drop_oldest();
  insert_all(entries);
}

void CacheDatabase::insert_all(std::span<const TierEntry> entries) {
  SQLite::Transaction transaction(database_);
  for (const TierEntry& entry : entries) {
    // It would push out too many others.
    if (entry.value().size() + entry.key().key().size() > largest_) {
      erase(entry.key());
      continue;
    }
    Use insert(insert_);
    bind(insert_, entry.key());
    const std::int64_t expires = entry.expires().time_since_epoch().count();
    bind(insert_, 3, entry.value().text());
    insert->bind(4, expires);
    insert->bind(5, checksum(entry.key(), entry.value().view(), expires));
    insert->exec();
  }
  transaction.commit();
}

void CacheDatabase::drop_oldest() { Use(drop_oldest_)->exec(); }

void CacheDatabase::erase(std::span<const TierKey> keys) {
  SQLite::Transaction transaction(database_);
  for (const TierKey& key : keys) erase(key);
  transaction.commit();
}

void CacheDatabase::erase(const TierKey& key) {
  Use erase(erase_);
  bind(erase_, key);
  erase->exec();
}

void CacheDatabase::erase_tenant(const TenantId& tenant) {
  Use erase(erase_tenant_);
  bind(erase_tenant_, 1, tenant.view());
  erase->exec();
}

}  // namespace aiserve::inline v0::detail
