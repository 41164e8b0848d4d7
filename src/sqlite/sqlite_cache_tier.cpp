#include "aiserve/sqlite/sqlite_cache_tier.hpp"

#include <filesystem>
#include <mutex>

#include "aiserve/core/runtime.hpp"
#include "aiserve/core/telemetry.hpp"
#include "sqlite/cache_database.hpp"

namespace aiserve::inline v0 {
namespace {

using detail::CacheDatabase;

void check(const SqliteCacheTierOptions& options) {
  if (options.path.empty()) throw ConfigError("sqlite cache tier: path is not set");
  if (options.capacity < (std::size_t{64} << 10)) {
    throw ConfigError("sqlite cache tier: capacity must be at least 64 KiB");
  }
  if (options.busy_timeout.count() < 0 || options.busy_timeout > std::chrono::minutes(1)) {
    throw ConfigError("sqlite cache tier: busy_timeout must be 0 to 60 s");
  }
}

}  // namespace

struct SqliteCacheTier::Impl {
  Impl(Runtime& given, SqliteCacheTierOptions chosen) : runtime(given), options(std::move(chosen)) {
    check(options);
  }

  /// On the blocking pool: `work(database)`, opening the file if need be.
  template <class Work>
  std::invoke_result_t<Work, CacheDatabase&> run(const Work& work) {
    const std::scoped_lock lock(mutex);
    try {
      if (!database) open();
      return work(*database);
    } catch (const SQLite::Exception& error) {
      return failed(error);
    }
  }

  Runtime& runtime;
  const SqliteCacheTierOptions options;

 private:
  void open() {
    try {
      if (CacheDatabase::readable(options.path)) return connect();
    } catch (const SQLite::Exception& error) {
      if (!CacheDatabase::broken(error)) throw;
    }
    set_aside("it is not a cache of this version");
    connect();
  }

  void connect() {
    database = std::make_unique<CacheDatabase>(options.path, options.capacity,
                                               static_cast<int>(options.busy_timeout.count()));
  }

  Error failed(const SQLite::Exception& error) {
    if (CacheDatabase::broken(error)) {
      database.reset();
      set_aside(error.what());
    }
    return Error(Errc::unavailable, "the cache file cannot be used").with_detail(error.what());
  }

  void set_aside(const char* why) {
    std::error_code ignored;
    std::filesystem::rename(options.path, options.path + ".broken", ignored);
    for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(options.path + part, ignored);
    runtime.telemetry().log().warn("cache file set aside, beginning a new one",
                                   {{"path", options.path}, {"why", why}});
  }

  std::mutex mutex;
  std::unique_ptr<CacheDatabase> database;
};

SqliteCacheTier::SqliteCacheTier(Runtime& runtime, SqliteCacheTierOptions options)
    : impl_(std::make_shared<Impl>(runtime, std::move(options))) {}
SqliteCacheTier::~SqliteCacheTier() = default;

// The work may outlive the caller, so it owns all it needs.
Async<TierValues> SqliteCacheTier::get(const Context& ctx, std::span<const TierKey> keys) {
  const auto work = [impl = impl_, wanted = std::vector<TierKey>(keys.begin(), keys.end())] {
    const WallTime now = impl->runtime.clock().wall_now();
    return impl->run([&](CacheDatabase& database) -> Result<TierValues> {
      TierValues values;
      values.reserve(wanted.size());
      for (const TierKey& key : wanted) values.push_back(database.get(key, now));
      return values;
    });
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<void> SqliteCacheTier::put(const Context& ctx, std::span<const TierEntry> entries) {
  const auto work = [impl = impl_, given = std::vector<TierEntry>(entries.begin(), entries.end())] {
    return impl->run([&](CacheDatabase& database) -> Result<void> {
      database.put(given);
      return success();
    });
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<void> SqliteCacheTier::erase(const Context& ctx, std::span<const TierKey> keys) {
  const auto work = [impl = impl_, given = std::vector<TierKey>(keys.begin(), keys.end())] {
    return impl->run([&](CacheDatabase& database) -> Result<void> {
      database.erase(given);
      return success();
    });
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

Async<void> SqliteCacheTier::erase_tenant(const Context& ctx, const TenantId& tenant) {
  const auto work = [impl = impl_, tenant] {
    return impl->run([&](CacheDatabase& database) -> Result<void> {
      database.erase_tenant(tenant);
      return success();
    });
  };
  co_return co_await impl_->runtime.blocking(ctx, work);
}

}  // namespace aiserve::inline v0
