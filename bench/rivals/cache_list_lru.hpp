// The cache that everybody writes first: a mutex, a std::list in order of use, and a map into it.
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>

#include "rivals/cache_store.hpp"

namespace bench {

class ListLru {
 public:
  explicit ListLru(std::size_t entries) : most_(entries) { map_.reserve(entries); }

  bool get(std::uint32_t, const CacheKey16& key, std::uint64_t& sum) {
    const std::scoped_lock lock(mutex_);
    const auto found = map_.find(text(key));
    if (found == map_.end()) return false;
    list_.splice(list_.begin(), list_, found->second);
    sum += use_value(found->second->value.data());
    return true;
  }
  void put(std::uint32_t, const CacheKey16& key, std::string_view value) {
    const std::scoped_lock lock(mutex_);
    const auto found = map_.find(text(key));
    if (found != map_.end()) {
      list_.splice(list_.begin(), list_, found->second);
      std::memcpy(found->second->value.data(), value.data(), kCacheValue);
      return;
    }
    if (list_.size() == most_) {
      map_.erase(text(list_.back().key));
      list_.pop_back();
    }
    list_.emplace_front();
    list_.front().key = key;
    std::memcpy(list_.front().value.data(), value.data(), kCacheValue);
    map_.emplace(text(list_.front().key), list_.begin());
  }
  std::size_t entries() const { return list_.size(); }

 private:
  struct Node {
    CacheKey16 key;
    std::array<char, kCacheValue> value;
  };

  std::mutex mutex_;
  std::size_t most_;
  std::list<Node> list_;
  std::unordered_map<std::string_view, std::list<Node>::iterator> map_;
};

}  // namespace bench
