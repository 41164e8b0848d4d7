#include <algorithm>
#include <vector>

#include "unit/cache/tier_fixture.hpp"

using namespace aiserve;
using testing::kAcme;
using testing::kBolt;
using testing::TierFixture;
using namespace std::chrono_literals;

TEST_CASE("what was put is found, under its tenant only") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "acme's"));
  CHECK(at.get(kAcme, "k") == "acme's");
  CHECK(at.get(kBolt, "k").empty());
  REQUIRE(at.put(kBolt, "k", "bolt's"));
  CHECK(at.get(kAcme, "k") == "acme's");
  CHECK(at.get(kBolt, "k") == "bolt's");
}

TEST_CASE("a value put again replaces the old one, whatever their sizes") {
  TierFixture at;
  for (const std::size_t size : {10u, 10u, 5000u, 20u, 900u, 5001u, 0u, 3u}) {
    const std::string value(size, static_cast<char>('a' + size % 7));
    REQUIRE(at.put(kAcme, "k", value));
    const auto found = at.tier.find(kAcme, "k", at.now);
    REQUIRE(found);
    CHECK(found->value.to_string() == value);
  }
  CHECK(at.tier.entries() == 1);
  CHECK(at.tier.tenant_use(kAcme).bytes == at.tier.bytes());
}

TEST_CASE("an erased entry is gone, and its bytes are given back") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v"));
  CHECK(at.tier.erase(kAcme, "k"));
  CHECK_FALSE(at.tier.erase(kAcme, "k"));
  CHECK(at.get(kAcme, "k").empty());
  CHECK(at.tier.bytes() == 0);
  CHECK(at.tier.tenant_use(kAcme).bytes == 0);
}

TEST_CASE("keys may be empty, hold NUL or bytes that are no UTF-8, and differ by structure") {
  TierFixture at;
  const std::string nul("a\0b", 3);
  const CacheKey ab_c("ab", {"c"});
  const CacheKey a_bc("a", {"bc"});
  const CacheKey a_b_c("a", {"b", "c"});
  const std::vector<KeyView> keys{"",       "a",  nul,  "\xff\xfe\x80", "../../etc/passwd",
                                  "%s%n%x", ab_c, a_bc, a_b_c,          ab_c.bytes()};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    REQUIRE(at.put(kAcme, keys[i], std::to_string(i)));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(at.get(kAcme, keys[i]) == std::to_string(i));
}

TEST_CASE("what is too large is refused, and nothing is lost for it") {
  TierFixture at({.capacity = 64_KiB, .max_entry = 8_KiB, .max_key = 100});
  REQUIRE(at.put(kAcme, "k", "v"));
  const Bytes large = Bytes::copy(std::string(8192, 'x'));
  const Result<void> value = at.tier.put(kAcme, "large", large, at.now, {});
  REQUIRE_FALSE(value);
  CHECK(value.error().code() == Errc::too_large);
  const Result<void> key = at.tier.put(kAcme, std::string(101, 'k'), Bytes(), at.now, {});
  REQUIRE_FALSE(key);
  CHECK(key.error().code() == Errc::too_large);
  CHECK(at.get(kAcme, "k") == "v");
}

TEST_CASE("an entry is stale after its soft TTL and gone after its TTL") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v", {.ttl = 10s, .soft_ttl = 4s}));
  at.now += 3999ms;
  CHECK_FALSE(at.tier.find(kAcme, "k", at.now)->stale);
  at.now += 1ms;
  CHECK(at.tier.find(kAcme, "k", at.now)->stale);
  at.now += 5999ms;
  CHECK(at.tier.find(kAcme, "k", at.now)->age == 9999ms);
  at.now += 1ms;
  CHECK_FALSE(at.tier.find(kAcme, "k", at.now));
  CHECK(at.tier.bytes() == 0);
}

TEST_CASE("an entry with a grace is found after its TTL only by who asks for it") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v", {.ttl = 10s, .stale_if_error = 5s}));
  at.now += 12s;
  CHECK_FALSE(at.tier.find(kAcme, "k", at.now));
  const auto found = at.tier.find_also_expired(kAcme, "k", at.now);
  REQUIRE(found);
  CHECK(found->expired);
  CHECK(found->hit.value.text() == "v");
  at.now += 3s;
  CHECK_FALSE(at.tier.find_also_expired(kAcme, "k", at.now));
}

TEST_CASE("a clock that jumps back makes entries young, not immortal or dead") {
  TierFixture at;
  at.now += 1h;
  REQUIRE(at.put(kAcme, "k", "v", {.ttl = 10s}));
  at.now -= 2h;
  const auto found = at.tier.find(kAcme, "k", at.now);
  REQUIRE(found);
  CHECK(found->age == 0s);
  REQUIRE(at.put(kAcme, "early", "v", {.ttl = 10s}));
  at.now += 3h;
  CHECK_FALSE(at.tier.find(kAcme, "k", at.now));
  CHECK_FALSE(at.tier.find(kAcme, "early", at.now));
}

TEST_CASE("TTLs keep their order of magnitude from a millisecond to for ever") {
  for (const Duration ttl : {Duration(1ms), Duration(999ms), Duration(10min), Duration(24h * 20),
                             Duration(24h * 400), Duration(24h * 365 * 60)}) {
    TierFixture at;
    REQUIRE(at.put(kAcme, "k", "v", {.ttl = ttl}));
    at.now = at.epoch + ttl - std::min<Duration>(ttl / 1000 + 1ns, 1s);
    CHECK(at.get(kAcme, "k") == "v");
    at.now = at.epoch + ttl;
    CHECK(at.get(kAcme, "k").empty());
  }
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v"));
  at.now = TimePoint::max();
  CHECK(at.get(kAcme, "k") == "v");
}

TEST_CASE("a hit tells what it cost to compute, and the tenant's saved time adds up") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v", {.cost = 20ms}));
  const auto cost = at.tier.find(kAcme, "k", at.now)->cost;
  CHECK(cost >= 19'980us);
  CHECK(cost <= 20'020us);
  CHECK(at.get(kAcme, "k") == "v");
  CHECK(at.tier.tenant_use(kAcme).counts.saved == 2 * cost);
  CHECK(at.tier.tenant_use(kBolt).counts.saved == 0ms);
}

TEST_CASE("a negative entry says so") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "none", "", {.negative = true}));
  const auto found = at.tier.find(kAcme, "none", at.now);
  REQUIRE(found);
  CHECK(found->negative);
  CHECK(found->value.empty());
}

TEST_CASE("a value stays alive with its reader after its entry left") {
  TierFixture at({.capacity = 16_KiB});
  REQUIRE(at.put(kAcme, "k", "kept"));
  const Bytes kept = at.tier.find(kAcme, "k", at.now)->value;
  for (int i = 0; i < 1000; ++i) REQUIRE(at.put(kAcme, std::to_string(i), std::string(200, 'x')));
  CHECK(at.get(kAcme, "k").empty());
  CHECK(kept.text() == "kept");
}

TEST_CASE("a reader keeps the value it has when the entry is put again") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "one"));
  const Bytes one = at.tier.find(kAcme, "k", at.now)->value;
  REQUIRE(at.put(kAcme, "k", "two"));
  const Bytes two = at.tier.find(kAcme, "k", at.now)->value;
  REQUIRE(at.put(kAcme, "k", "six"));
  CHECK(one.text() == "one");
  CHECK(two.text() == "two");
  CHECK(at.get(kAcme, "k") == "six");
}

TEST_CASE("a value keeps each of a great many readers' bytes, and is written over after the last") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "one"));
  std::vector<Bytes> readers;
  for (int i = 0; i < 1000; ++i) readers.push_back(at.tier.find(kAcme, "k", at.now)->value);
  REQUIRE(at.put(kAcme, "k", "two"));
  for (int i = 0; i < 300; ++i) CHECK(at.get(kAcme, "k") == "two");
  const std::byte* const place = at.tier.find(kAcme, "k", at.now)->value.data();
  CHECK(place != readers.front().data());
  CHECK(std::all_of(readers.begin(), readers.end(),
                    [](const Bytes& b) { return b.text() == "one"; }));
  REQUIRE(at.put(kAcme, "k", "six"));
  readers.resize(1);
  readers.push_back(at.tier.find(kAcme, "k", at.now)->value);
  CHECK(readers.back().data() == place);
  CHECK(at.tier.erase(kAcme, "k"));
  CHECK(readers.front().text() == "one");
  CHECK(readers.back().text() == "six");
}

TEST_CASE("what is stale, or over, is so from the very moment, however long it lasts") {
  for (const Duration ttl :
       {Duration(1s), Duration(24h), Duration(2'147'484s), Duration(24h * 365)}) {
    TierFixture at;
    REQUIRE(at.put(kAcme, "k", "v", {.ttl = 2 * ttl, .soft_ttl = ttl}));
    at.now += ttl - 1ms;
    CHECK_FALSE(at.tier.find(kAcme, "k", at.now)->stale);
    at.now += 1ms;
    CHECK(at.tier.find(kAcme, "k", at.now)->stale);
    at.now += ttl - 1ms;
    CHECK(at.tier.find(kAcme, "k", at.now));
    at.now += 1ms;
    CHECK_FALSE(at.tier.find(kAcme, "k", at.now));
  }
}

TEST_CASE("an entry put again has the times, the cost and the labels of the new one") {
  TierFixture at;
  const std::vector<detail::CacheLabel> red{at.tier.label(kAcme, 't', "red")};
  const std::vector<detail::CacheLabel> blue{at.tier.label(kAcme, 't', "blue")};
  REQUIRE(at.put(kAcme, "k", "v", {.ttl = 10s, .soft_ttl = 1s, .negative = true, .labels = red}));
  at.now += 9s;
  REQUIRE(at.put(kAcme, "k", "w", {.ttl = 20s, .cost = 5ms, .labels = blue}));
  at.tier.invalidate(red[0]);
  at.now += 19s;
  const auto found = at.tier.find(kAcme, "k", at.now);
  REQUIRE(found);
  CHECK(found->value.text() == "w");
  CHECK(found->age == 19s);
  CHECK_FALSE(found->stale);
  CHECK_FALSE(found->negative);
  CHECK(found->cost >= 4995us);
  at.tier.invalidate(blue[0]);
  CHECK(at.get(kAcme, "k").empty());
  REQUIRE(at.put(kAcme, "k", "x", {.labels = red}));
  CHECK(at.get(kAcme, "k") == "x");
  REQUIRE(at.put(kAcme, "k", "y", {.ttl = 1s, .stale_if_error = 9s, .labels = red}));
  REQUIRE(at.put(kAcme, "k", "z", {.ttl = 2s, .stale_if_error = 3s, .labels = red}));
  at.now += 3s;
  CHECK(at.tier.find_also_expired(kAcme, "k", at.now)->hit.value.text() == "z");
  at.now += 2s;
  CHECK_FALSE(at.tier.find_also_expired(kAcme, "k", at.now));
}

TEST_CASE("an entry that is dead and put again is alive") {
  TierFixture at;
  REQUIRE(at.put(kAcme, "k", "v"));
  at.tier.invalidate_all();
  REQUIRE(at.put(kAcme, "k", "w"));
  CHECK(at.get(kAcme, "k") == "w");
  CHECK(at.tier.entries() == 1);
  CHECK(at.tier.tenant_use(kAcme).counts.inserts == 2);
}

TEST_CASE("a large value is shared, not copied, and a slice of a larger block is compacted") {
  TierFixture at;
  const Bytes large = Bytes::copy(std::string(5000, 'x'));
  REQUIRE(at.tier.put(kAcme, "large", large, at.now, {}).ok());
  CHECK(at.tier.find(kAcme, "large", at.now)->value.data() == large.data());
  const Bytes slice = large.slice(0, 2000);
  REQUIRE(at.tier.put(kAcme, "slice", slice, at.now, {}).ok());
  CHECK(at.tier.find(kAcme, "slice", at.now)->value.block_size() == 2000);
}

TEST_CASE("the cache never uses more bytes than its capacity") {
  TierFixture at({.capacity = 100_KiB, .shards = 4});
  for (int i = 0; i < 5000; ++i) {
    REQUIRE(at.put(kAcme, std::to_string(i), std::string(static_cast<std::size_t>(i % 3000), 'x')));
    REQUIRE(at.tier.bytes() <= 100_KiB);
    REQUIRE(at.tier.tenant_use(kAcme).bytes == at.tier.bytes());
  }
  CHECK(at.tier.bytes() > 90_KiB);
}
