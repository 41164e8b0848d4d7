#include "decide/keyed_pool.hpp"

#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

using namespace aiserve::decide;

namespace {

struct Key {
  std::uint32_t value = 0;
  std::uint64_t hash() const { return value; }
  friend bool operator==(const Key&, const Key&) = default;
};

struct Node : KeyedNode<Key, Node> {};

using Pool = KeyedPool<Key, Node>;

}  // namespace

TEST_CASE("a pool finds what is open and nothing else") {
  std::mt19937 random(1);
  Pool pool;
  std::map<std::uint32_t, Node*> open;
  for (int i = 0; i < 20'000; ++i) {
    const Key key{static_cast<std::uint32_t>(random() % 500) * 4096};
    const auto known = open.find(key.value);
    REQUIRE(pool.find(key) == (known == open.end() ? nullptr : known->second));
    if (known == open.end()) {
      open[key.value] = &pool.open(key);
    } else {
      pool.close(*known->second);
      open.erase(known);
    }
    REQUIRE(pool.size() == open.size());
  }
  const std::set<Node*> nodes(pool.nodes().begin(), pool.nodes().end());
  CHECK(nodes.size() == open.size());
  for (const auto& [key, node] : open) CHECK(nodes.count(node) == 1);
}

TEST_CASE("a pool uses closed nodes again: it holds as many as were ever open at once") {
  Pool pool;
  std::set<Node*> seen;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    seen.insert(&pool.open({i}));
    if (i >= 20) pool.close(*pool.find({i - 20}));
  }
  CHECK(seen.size() == 21);
}
