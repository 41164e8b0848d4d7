/// PostgresKeyValueStore, PostgresIdempotencyStore, PostgresAuditLog: the ports of aiserve/storage
/// in a PostgresDatabase.
///
/// They hold nothing of their own: any number of them may share a database, which outlives them.
/// Each operation is one transaction that sees one tenant's rows only (row-level security). Times
/// are the server's. What has expired is deleted when its tenant writes, a few rows at a time.
/// *Thread safety:* any I/O thread of the Runtime. *Errors:* those of the ports and of
/// PostgresDatabase; the constructors throw ConfigError.
///
///     PostgresDatabase database(runtime, {.dsn = "postgresql://classifier@db/classifier"});
///     PostgresKeyValueStore settings(database);
///     PostgresAuditLog audit(database, {.key = read_secret("audit.key")});
#pragma once

#include <aiserve/postgres/postgres_database.hpp>
#include <aiserve/storage/audit_sink.hpp>
#include <aiserve/storage/idempotency_store.hpp>
#include <aiserve/storage/key_value_store.hpp>

#include <cstddef>
#include <string>

namespace aiserve::inline v0 {

struct PostgresStoreOptions {
  /// Largest value or answer in bytes, 1 to 500 MB.
  std::size_t max_value = std::size_t{1} << 20;
};

class PostgresKeyValueStore final : public KeyValueStore {
 public:
  explicit PostgresKeyValueStore(PostgresDatabase& database, PostgresStoreOptions options = {});

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
  pg::PostgresCore& core_;
  std::size_t max_value_;
};

class PostgresIdempotencyStore final : public IdempotencyStore {
 public:
  explicit PostgresIdempotencyStore(PostgresDatabase& database, PostgresStoreOptions options = {});

  Async<IdempotentRun> begin(const Context& ctx, const StoreKey& key, const Bytes& fingerprint,
                             std::chrono::milliseconds lease) override;
  Async<bool> finish(const Context& ctx, const StoreKey& key, std::int64_t fence,
                     const Bytes& answer, std::chrono::milliseconds ttl) override;
  Async<bool> abandon(const Context& ctx, const StoreKey& key, std::int64_t fence) override;

 private:
  pg::PostgresCore& core_;
  std::size_t max_value_;
};

struct PostgresAuditOptions {
  /// The key of the hash chain: without it nobody can forge a chain that verifies. Any bytes; empty
  /// protects against accidents only.
  std::string key{};
  /// Largest entry in bytes, all fields together, 1 to 500 MB.
  std::size_t max_entry = std::size_t{64} << 10;
};

class PostgresAuditLog final : public AuditLog {
 public:
  explicit PostgresAuditLog(PostgresDatabase& database, PostgresAuditOptions options = {});

  Async<AuditReceipt> append(const Context& ctx, const AuditEntry& entry) override;
  Async<std::vector<AuditRecord>> read(const Context& ctx, const TenantId& tenant,
                                       std::int64_t after, int limit) override;

 private:
  pg::PostgresCore& core_;
  PostgresAuditOptions options_;
};

}  // namespace aiserve::inline v0
