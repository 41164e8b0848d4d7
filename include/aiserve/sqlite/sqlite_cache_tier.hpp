/// SqliteCacheTier: a CacheTier in a SQLite file: what was computed before a restart need not be
/// computed again.
///
/// The file belongs to one process at a time. It is opened at the first use, on the blocking pool,
/// where all of its work is done. Rows carry a checksum: a row that does not match is deleted and
/// counts as absent. A file that SQLite calls corrupt, or that another version wrote, is set aside
/// as <path>.broken and a new one begun. A kill or a power cut loses the latest writes (synchronous
/// = NORMAL under WAL), never the file. When the file is full the rows that were put first are
/// deleted. *Thread safety:* any I/O thread of the Runtime. *Errors:* the constructor throws
/// ConfigError; the rest: unavailable (cannot be opened or written: disk full, no permission),
/// overloaded (blocking pool), and those of the Context.
///
///     SqliteCacheTier disk(runtime, {.path = "/var/cache/classifier/cache.db", .capacity =
///     4_GiB}); cache.add_tier(disk);
#pragma once

#include <aiserve/cache/cache_tier.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

class Runtime;

struct SqliteCacheTierOptions {
  /// The file; its directory exists. No default.
  std::string path{};
  /// Bytes of keys and values, at least 64 KiB. The file is somewhat larger.
  std::size_t capacity = std::size_t{1} << 30;
  /// How long a write waits for another process that has the file, 0 to 60 s.
  std::chrono::milliseconds busy_timeout{100};
};

class SqliteCacheTier final : public CacheTier {
 public:
  /// Throws ConfigError when an option is out of its range. Does not touch the file.
  SqliteCacheTier(Runtime& runtime, SqliteCacheTierOptions options);
  ~SqliteCacheTier() override;

  std::string_view name() const noexcept override { return "sqlite"; }
  Async<TierValues> get(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> put(const Context& ctx, std::span<const TierEntry> entries) override;
  Async<void> erase(const Context& ctx, std::span<const TierKey> keys) override;
  Async<void> erase_tenant(const Context& ctx, const TenantId& tenant) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
