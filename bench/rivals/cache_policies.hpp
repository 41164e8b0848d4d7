// Eviction policies as textbooks have them, over keys 0 to n - 1 and entries of one size: what hit
// ratios are compared with. Each has bool access(key), true for a hit; a miss admits the key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class CachePolicy {
 public:
  virtual ~CachePolicy() = default;
  virtual bool access(std::uint32_t key) = 0;
};

using MakePolicy = std::unique_ptr<CachePolicy> (*)(std::size_t capacity, std::size_t keys);

std::unique_ptr<CachePolicy> make_lru(std::size_t capacity, std::size_t keys);
/// Megiddo and Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003.
std::unique_ptr<CachePolicy> make_arc(std::size_t capacity, std::size_t keys);
/// Zhang et al., "SIEVE is simpler than LRU", NSDI 2024.
std::unique_ptr<CachePolicy> make_sieve(std::size_t capacity, std::size_t keys);
/// Yang et al., SOSP 2023, with a small queue of a tenth.
std::unique_ptr<CachePolicy> make_s3_fifo(std::size_t capacity, std::size_t keys);
/// Einziger, Friedman, Manes, "TinyLFU", ACM TOS 2017: a window of 1 %, then a segmented LRU.
std::unique_ptr<CachePolicy> make_w_tinylfu(std::size_t capacity, std::size_t keys);

/// A list of keys, linked through arrays: a key is in at most one list of one set of links.
struct KeyLinks {
  explicit KeyLinks(std::size_t keys) : next(keys), prev(keys), list(keys, 0) {}
  std::vector<std::uint32_t> next;
  std::vector<std::uint32_t> prev;
  std::vector<std::uint8_t> list;  // number of the list that has the key; 0: none
};

class KeyList {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  KeyList(KeyLinks& links, std::uint8_t number) : links_(links), number_(number) {}

  void push_front(std::uint32_t key) {
    links_.prev[key] = kNone;
    links_.next[key] = head_;
    (head_ == kNone ? tail_ : links_.prev[head_]) = key;
    head_ = key;
    links_.list[key] = number_;
    ++size_;
  }
  void remove(std::uint32_t key) {
    const std::uint32_t before = links_.prev[key];
    const std::uint32_t after = links_.next[key];
    (before == kNone ? head_ : links_.next[before]) = after;
    (after == kNone ? tail_ : links_.prev[after]) = before;
    links_.list[key] = 0;
    --size_;
  }
  std::uint32_t pop_back() {
    const std::uint32_t key = tail_;
    remove(key);
    return key;
  }
  bool has(std::uint32_t key) const { return links_.list[key] == number_; }
  std::uint32_t back() const { return tail_; }
  std::uint32_t before(std::uint32_t key) const { return links_.prev[key]; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  KeyLinks& links_;
  std::uint8_t number_;
  std::uint32_t head_ = kNone;
  std::uint32_t tail_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace bench
