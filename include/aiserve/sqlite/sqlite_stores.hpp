/// SqliteKeyValueStore, SqliteIdempotencyStore, SqliteAuditLog: the ports of aiserve/storage in a
/// SqliteDatabase. What a call answered survives whatever the database's SqliteSync says.
///
/// They hold nothing of their own: any number of them may share a database, which outlives them.
/// What has expired is deleted when the store writes, a few rows at a time.
/// *Thread safety:* any I/O thread of the Runtime. *Errors:* those of the ports and of
/// SqliteDatabase; the constructors throw ConfigError.
///
///     SqliteDatabase database(runtime, {.path = "classifier.db"});
///     SqliteKeyValueStore settings(database);
///     SqliteAuditLog audit(database, {.key = read_secret("audit.key")});
#pragma once

#include <aiserve/sqlite/sqlite_database.hpp>
#include <aiserve/storage/audit_sink.hpp>
#include <aiserve/storage/idempotency_store.hpp>
#include <aiserve/storage/key_value_store.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

struct SqliteStoreOptions {
  /// Largest value or answer in bytes, 1 to 1 GB.
  std::size_t max_value = std::size_t{1} << 20;
};

class SqliteKeyValueStore final : public KeyValueStore {
 public:
  explicit SqliteKeyValueStore(SqliteDatabase& database, SqliteStoreOptions options = {});

  Async<std::optional<Versioned>> get(const Context& ctx, const StoreKey& key) override;
  Async<std::int64_t> put(const Context& ctx, const StoreKey& key, const Bytes& value,
                          const PutOptions& options) override;
  Async<Sum> add(const Context& ctx, const StoreKey& key, std::int64_t amount,
                 const AddOptions& options) override;
  Async<bool> erase(const Context& ctx, const StoreKey& key,
                    std::optional<std::int64_t> if_version) override;
  Async<std::vector<StoreKey>> list(const Context& ctx, const TenantId& tenant,
                                    const KeyPage& page) override;

 private:
  detail::SqliteCore& core_;
  std::size_t max_value_;
};

class SqliteIdempotencyStore final : public IdempotencyStore {
 public:
  explicit SqliteIdempotencyStore(SqliteDatabase& database, SqliteStoreOptions options = {});

  Async<IdempotentRun> begin(const Context& ctx, const StoreKey& key, const Bytes& fingerprint,
                             std::chrono::milliseconds lease) override;
  Async<bool> finish(const Context& ctx, const StoreKey& key, std::int64_t fence,
                     const Bytes& answer, std::chrono::milliseconds ttl) override;
  Async<bool> abandon(const Context& ctx, const StoreKey& key, std::int64_t fence) override;

 private:
  detail::SqliteCore& core_;
  std::size_t max_value_;
};

struct SqliteAuditOptions {
  /// The key of the hash chain: without it nobody can forge a chain that verifies. Any bytes; empty
  /// protects against accidents only.
  std::string key{};
  /// Largest entry in bytes, all fields together, 1 to 1 GB.
  std::size_t max_entry = std::size_t{64} << 10;
};

class SqliteAuditLog final : public AuditLog {
 public:
  explicit SqliteAuditLog(SqliteDatabase& database, SqliteAuditOptions options = {});

  Async<AuditReceipt> append(const Context& ctx, const AuditEntry& entry) override;
  Async<std::vector<AuditRecord>> read(const Context& ctx, const TenantId& tenant,
                                       std::int64_t after, int limit) override;

 private:
  detail::SqliteCore& core_;
  SqliteAuditOptions options_;
};

}  // namespace aiserve::inline v0
