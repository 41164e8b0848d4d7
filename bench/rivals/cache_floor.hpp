// What no cache can be faster than: keys and values side by side in one flat table that nobody
// changes once it is filled, without locks, eviction or reference counts. A put is taken as a get.
#pragma once

#include <vector>

#include "rivals/cache_store.hpp"

namespace bench {

class FlatFloor {
 public:
  explicit FlatFloor(std::size_t entries) : slots_(2 * entries) {}

  bool get(std::uint32_t, const CacheKey16& key, std::uint64_t& sum) {
    const Slot& slot = slots_[place(key)];
    if (!slot.used) return false;
    sum += use_value(slot.value.data());
    return true;
  }
  void fill(const CacheKey16& key, std::string_view value) {
    Slot& slot = slots_[place(key)];
    slot.used = true;
    slot.key = key;
    std::memcpy(slot.value.data(), value.data(), kCacheValue);
  }
  void put(std::uint32_t tenant, const CacheKey16& key, std::string_view) {
    std::uint64_t sum = 0;
    get(tenant, key, sum);
    sink_ = sink_ + sum;
  }

 private:
  struct Slot {
    CacheKey16 key{};
    bool used = false;
    std::array<char, kCacheValue> value{};
  };

  // The keys are random: their bytes are hash enough.
  std::size_t place(const CacheKey16& key) const noexcept {
    std::uint64_t hash;
    std::memcpy(&hash, key.data(), sizeof(hash));
    __extension__ using Wide = unsigned __int128;
    auto at = static_cast<std::size_t>(static_cast<Wide>(hash) * slots_.size() >> 64);
    while (slots_[at].used && slots_[at].key != key) at = at + 1 == slots_.size() ? 0 : at + 1;
    return at;
  }

  std::vector<Slot> slots_;
  inline static thread_local volatile std::uint64_t sink_ = 0;
};

}  // namespace bench
