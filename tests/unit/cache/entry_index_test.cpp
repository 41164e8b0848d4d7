// The index under hashes that meet, and the keyed hash that keeps others from making them meet.
#include "cache/entry_index.hpp"

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "cache/key_hash.hpp"

using namespace aiserve;
using detail::CacheEntry;

namespace {

struct Hashes {
  explicit Hashes(std::uint32_t seed) : engine(seed) {}
  std::uint32_t operator()() { return static_cast<std::uint32_t>(engine()); }
  std::mt19937 engine;
};

class Index {
 public:
  ~Index() {
    for (CacheEntry* entry : entries_) {
      if (entry != nullptr) CacheEntry::drop(entry);
    }
  }
  CacheEntry* make(const std::string& key, std::uint32_t hash) {
    entries_.push_back(CacheEntry::create({.key = key, .value = &nothing_, .hash = hash}));
    return entries_.back();
  }
  bool insert(const std::string& key, std::uint32_t hash) { return index.insert(make(key, hash)); }
  CacheEntry* find(const std::string& key, std::uint32_t hash) const {
    return index.find(hash, [&](const CacheEntry& entry) {
      ++probes;
      return entry.is(key);
    });
  }
  const std::vector<CacheEntry*>& entries() const { return entries_; }

  detail::EntryIndex index;
  mutable std::size_t probes = 0;  // entries that find() has compared with

 private:
  Bytes nothing_;
  std::vector<CacheEntry*> entries_;
};

// Probes of looking `keys` up once each, per key.
double probes_per_find(const std::vector<std::string>& keys, const detail::KeyHash& hash) {
  Index index;
  const auto hash_of = [&](const std::string& key) {
    return static_cast<std::uint32_t>(hash(0, key));
  };
  for (const std::string& key : keys) REQUIRE(index.insert(key, hash_of(key)));
  for (const std::string& key : keys) REQUIRE(index.find(key, hash_of(key)) != nullptr);
  return static_cast<double>(index.probes) / static_cast<double>(keys.size());
}

}  // namespace

TEST_CASE("every entry is found while entries come and go") {
  Index index;
  Hashes random(1);
  std::vector<std::uint32_t> hashes;
  for (std::size_t i = 0; i < 20'000; ++i) {
    hashes.push_back(random());
    REQUIRE(index.insert(std::to_string(i), hashes.back()));
    if (i % 3 == 2) index.index.erase(index.entries()[i - 1]);
  }
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const bool erased = i % 3 == 1 && i + 1 < hashes.size();
    REQUIRE((index.find(std::to_string(i), hashes[i]) != nullptr) == !erased);
  }
  CHECK(index.index.size() == 20'000 - 6666);
}

TEST_CASE("the index spends at most 16 bytes per entry once it has grown") {
  Index index;
  Hashes random(2);
  for (std::size_t i = 0; i < 30'000; ++i) {
    REQUIRE(index.insert(std::to_string(i), random()));
    if (i > 1000) REQUIRE(index.index.memory() <= 16 * index.index.size());
  }
}

TEST_CASE("many entries with one hash are refused in the end, and all others stay") {
  Index index;
  Hashes random(3);
  for (std::size_t i = 0; i < 1000; ++i) REQUIRE(index.insert(std::to_string(i), random()));
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += index.insert("same" + std::to_string(i), 7) ? 1 : 0;
  CHECK(taken >= 8);
  CHECK(taken <= 16);
  Hashes again(3);
  for (std::size_t i = 0; i < 1000; ++i) {
    CHECK(index.find(std::to_string(i), again()) != nullptr);
  }
}

TEST_CASE("50,000 keys that collide under a known key of the hash are like others under ours") {
  const detail::KeyHash known({1, 3, 5, 7});
  std::vector<std::string> colliding;
  std::vector<std::string> others;
  std::mt19937_64 random(4);
  while (colliding.size() < 50'000) {
    std::string key = "k" + std::to_string(random());
    // One bucket and one tag out of 64 of a small table.
    const bool collides = (known(0, key) & 0x3f) == 0;
    auto& keys = collides ? colliding : others;
    if (keys.size() < 50'000) keys.push_back(std::move(key));
  }
  const detail::KeyHash ours;
  CHECK(probes_per_find(colliding, ours) <= 3 * probes_per_find(others, ours));
  CHECK(probes_per_find(others, ours) < 1.5);
}

TEST_CASE("hashes depend on the key, the seed and every byte") {
  const detail::KeyHash a;
  const detail::KeyHash b;
  for (const std::size_t size : {0u, 1u, 2u, 3u, 4u, 7u, 8u, 9u, 15u, 16u, 17u, 33u, 100u}) {
    const std::string text(size, 'x');
    CHECK(a(0, text) == a(0, text));
    CHECK(a(0, text) != b(0, text));
    CHECK(a(0, text) != a(1, text));
    CHECK(a(0, text) != a(0, text + 'x'));
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 'y';
      CHECK(a(0, text) != a(0, other));
    }
  }
}

TEST_CASE("a look-up compares with about one entry, and one in vain with next to none") {
  Index index;
  Hashes random(5);
  for (int i = 0; i < 30'000; ++i) REQUIRE(index.insert(std::to_string(i), random()));
  Hashes again(5);
  for (int i = 0; i < 30'000; ++i) REQUIRE(index.find(std::to_string(i), again()) != nullptr);
  CHECK(index.probes >= 30'000);
  CHECK(index.probes < 30'100);
  index.probes = 0;
  for (int i = 0; i < 30'000; ++i) CHECK(index.find("other", again()) == nullptr);
  CHECK(index.probes < 100);
}

TEST_CASE("a bucket finds all slots of a tag, and the empty ones for the tag 0") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 10'000; ++round) {
    detail::Bucket bucket;
    for (auto& slot : bucket.slots) {
      const std::uint64_t tag = random() % 4 == 0 ? 0xffff : random() % 3;
      if (random() % 3 != 0) slot = tag << 48 | (random() >> 16);
    }
    for (const std::uint64_t tag : {0u, 1u, 2u, 3u, 0xffffu}) {
      unsigned expected = 0;
      for (unsigned i = 0; i < 8; ++i)
        expected |= (bucket.slots[i] >> 48 == tag ? 1u : 0u) << 2 * i;
      REQUIRE(bucket.matches(tag) == expected);
    }
  }
}
