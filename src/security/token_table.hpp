// TokenTable: what is known of tokens, by their digest, until a moment: bounded, the oldest goes.
//
// A generation lets everything be forgotten at once: an entry of another one is none.
// *Thread safety:* any thread; sharded locks.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aiserve/core/deadline.hpp"
#include "security/token_digest.hpp"

namespace aiserve::inline v0::detail {

template <class Value>
class TokenTable {
 public:
  /// 0: keeps nothing.
  explicit TokenTable(std::size_t capacity) noexcept
      : per_shard_(capacity == 0 ? 0 : std::max<std::size_t>(1, capacity / kShards)) {}

  std::optional<Value> find(const TokenDigest& digest, std::uint64_t generation,
                            WallTime now) const {
    const Shard& shard = shard_of(digest);
    const std::scoped_lock lock(shard.mutex);
    const auto found = shard.entries.find(digest);
    if (found == shard.entries.end()) return std::nullopt;
    const Entry& entry = found->second;
    if (entry.generation != generation || now >= entry.until) return std::nullopt;
    return entry.value;
  }

  void put(const TokenDigest& digest, std::uint64_t generation, WallTime until, Value value) {
    if (per_shard_ == 0) return;
    Shard& shard = shard_of(digest);
    const std::scoped_lock lock(shard.mutex);
    const auto [at, fresh] =
        shard.entries.insert_or_assign(digest, Entry{std::move(value), until, generation});
    if (!fresh) return;
    if (shard.order.size() < per_shard_) {
      shard.order.push_back(digest);
      return;
    }
    shard.entries.erase(std::exchange(shard.order[shard.oldest], digest));
    shard.oldest = (shard.oldest + 1) % per_shard_;
  }

  std::size_t size() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
      const std::scoped_lock lock(shard.mutex);
      count += shard.entries.size();
    }
    return count;
  }

 private:
  static constexpr std::size_t kShards = 16;

  struct Entry {
    Value value;
    WallTime until;
    std::uint64_t generation;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<TokenDigest, Entry, TokenDigestHash> entries;
    std::vector<TokenDigest> order;  // a ring, once it is full
    std::size_t oldest = 0;
  };

  // The last byte: the first ones choose the bucket.
  Shard& shard_of(const TokenDigest& digest) noexcept { return shards_[digest.back() % kShards]; }
  const Shard& shard_of(const TokenDigest& digest) const noexcept {
    return shards_[digest.back() % kShards];
  }

  const std::size_t per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace aiserve::inline v0::detail
