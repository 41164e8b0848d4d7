#include <rocksdb/cache.h>

#include "rivals/cache_store.hpp"

namespace bench {

struct RocksCache::Impl {
  std::shared_ptr<rocksdb::Cache> cache;
};

namespace {

rocksdb::Slice slice(const CacheKey16& key) { return {key.data(), key.size()}; }

void free_value(const rocksdb::Slice&, void* value) { delete[] static_cast<char*>(value); }

}  // namespace

RocksCache::RocksCache(Kind kind, std::size_t entries) : impl_(std::make_unique<Impl>()) {
  const std::size_t capacity = entries * kCacheValue;
  if (kind == Kind::lru) {
    rocksdb::LRUCacheOptions options;
    options.capacity = capacity;
    options.metadata_charge_policy = rocksdb::kDontChargeCacheMetadata;
    impl_->cache = rocksdb::NewLRUCache(options);
  } else {
    impl_->cache = rocksdb::HyperClockCacheOptions(capacity, kCacheValue, -1, false, nullptr,
                                                   rocksdb::kDontChargeCacheMetadata)
                       .MakeSharedCache();
  }
}

RocksCache::~RocksCache() = default;

bool RocksCache::get(std::uint32_t, const CacheKey16& key, std::uint64_t& sum) {
  rocksdb::Cache& cache = *impl_->cache;
  rocksdb::Cache::Handle* handle = cache.Lookup(slice(key));
  if (handle == nullptr) return false;
  sum += use_value(static_cast<const char*>(cache.Value(handle)));
  cache.Release(handle);
  return true;
}

// HyperClockCache keeps the old value under a key that is there; that is its meaning of put.
void RocksCache::put(std::uint32_t, const CacheKey16& key, std::string_view value) {
  char* copy = new char[kCacheValue];
  std::memcpy(copy, value.data(), kCacheValue);
  const rocksdb::Status inserted = impl_->cache->Insert(slice(key), copy, kCacheValue, &free_value);
  static_cast<void>(inserted);  // on an error the value was freed
}

std::size_t RocksCache::entries() const { return impl_->cache->GetUsage() / kCacheValue; }

}  // namespace bench
