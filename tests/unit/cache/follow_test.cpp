// Caches that tell each other what was invalidated, over a bus that a test makes lose things.
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/cache/cache.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/events/memory_event_bus.hpp"
#include "aiserve/testing/sim_runtime.hpp"
#include "cache/cache_impl.hpp"

using namespace aiserve;
using namespace std::chrono_literals;

namespace {

constexpr const char* kSecret = "sixteen or more letters";
const TenantId kAcme("acme");
const TenantId kBolt("bolt");

// One node's way to the bus.
class Link final : public EventBus {
 public:
  explicit Link(MemoryEventBus& bus) : bus_(bus) {}

  Async<void> publish(const Context& ctx, std::string topic, Bytes payload) override {
    if (hangs) {
      const Result<void> slept = co_await sleep(ctx, 1h);
      co_return slept.ok() ? Error(Errc::unavailable, "hung") : slept.error();
    }
    if (throws) throw std::runtime_error("the bus");
    if (fails) co_return Error(Errc::unavailable, "the bus is away");
    if (lose > 0) {
      --lose;
      co_return success();
    }
    sent.push_back(payload);
    co_return bus_.publish_now(topic, payload);
  }
  Result<Attached> attach(std::string_view topic, Sink sink) override {
    return bus_.attach(topic, std::move(sink));
  }

  int lose = 0;  // so many messages vanish
  bool fails = false;
  bool throws = false;
  bool hangs = false;
  std::vector<Bytes> sent;

 private:
  MemoryEventBus& bus_;
};

struct Node {
  explicit Node(MemoryEventBus& bus, const char* secret = kSecret)
      : telemetry({.log_level = LogLevel::error}),
        sim({.telemetry = &telemetry}),
        link(bus),
        cache(sim.runtime(), {.digest_key = DigestKey::from_secret(secret)}),
        memo(cache.memoize<std::string>(
            "bakery/oven",
            [](const Context&, const std::string& input) -> Async<std::string> { co_return input; },
            {.version = "v1", .ttl_jitter = 0})) {
    cache.follow(link, "t");
    sim.start();
  }

  void put(const TenantId& tenant, KeyView key, std::vector<std::string_view> tags = {}) {
    REQUIRE(cache.put(tenant, key, Bytes::literal("v"), {.tags = tags}));
  }
  bool has(const TenantId& tenant, KeyView key) { return cache.find(tenant, key).has_value(); }
  void bake(const std::string& input) {
    const auto ask = [this, input](const Context& ctx) -> Async<void> {
      const Result<std::string> baked = co_await memo(ctx, input);
      co_return baked.ok() ? success() : Result<void>(baked.error());
    };
    spawn(sim.runtime(), acme(), ask);
    sim.run_until_idle();
  }
  bool baked(const std::string& input) { return memo.find(acme(), input).has_value(); }
  // Simulated time does not tick by itself.
  void pass(Duration by) {
    for (Duration done{}; done < by; done += 1s) {
      sim.advance(1s);
      cache.impl().tick();
      sim.run_until_idle();
    }
  }
  static Context acme() {
    ContextOptions options;
    options.tenant = Tenant({.id = kAcme});
    return Context(std::move(options));
  }

  Telemetry telemetry;
  testing::SimRuntime sim;
  Link link;
  Cache cache;
  Memo<std::string, std::string> memo;
};

struct Pair {
  // Both nodes take part in each second.
  void advance(Duration by) {
    for (Duration done{}; done < by; done += 1s) {
      a.pass(1s);
      b.pass(1s);
    }
  }
  void settle() {
    a.sim.run_until_idle();
    b.sim.run_until_idle();
  }
  // Both have it; true if `b` still has it after `a` did what was asked.
  template <class Do>
  bool survives(const TenantId& tenant, KeyView key, std::vector<std::string_view> tags,
                const Do& invalidate) {
    b.put(tenant, key, std::move(tags));
    invalidate(a.cache);
    settle();
    return b.has(tenant, key);
  }

  MemoryEventBus bus;
  Node a{bus};
  Node b{bus};
};

}  // namespace

TEST_CASE("what one node erases or invalidates is gone on the other, and nothing else") {
  Pair nodes;
  const CacheKey parts("k", {"1"});
  CHECK_FALSE(nodes.survives(kAcme, "k", {}, [](Cache& cache) { cache.erase(kAcme, "k"); }));
  CHECK_FALSE(nodes.survives(kAcme, parts, {}, [&](Cache& cache) { cache.erase(kAcme, parts); }));
  CHECK(nodes.survives(kAcme, parts, {}, [&](Cache& cache) { cache.erase(kAcme, parts.bytes()); }));
  CHECK(nodes.survives(kBolt, "k", {}, [](Cache& cache) { cache.erase(kAcme, "k"); }));
  const auto tag = [](Cache& cache) { cache.invalidate_tag(kAcme, "red"); };
  CHECK_FALSE(nodes.survives(kAcme, "red", {"red"}, tag));
  CHECK(nodes.survives(kAcme, "blue", {"blue"}, tag));
  CHECK(nodes.survives(kBolt, "red", {"red"}, tag));
  const auto tenant = [](Cache& cache) { cache.invalidate_tenant(kAcme); };
  CHECK_FALSE(nodes.survives(kAcme, "k", {}, tenant));
  CHECK(nodes.survives(kBolt, "k", {}, tenant));
  CHECK_FALSE(nodes.survives(kAcme, "k", {}, [](Cache& cache) { cache.remove_tenant(kAcme); }));
  CHECK_FALSE(nodes.survives(kBolt, "k", {}, [](Cache& cache) { cache.invalidate_all(); }));
}

TEST_CASE("results of memoized operations are gone on the other node by input, name and version") {
  Pair nodes;
  const auto rebake = [&] {
    nodes.b.bake("flour");
    nodes.b.bake("oats");
    REQUIRE(nodes.b.baked("flour"));
  };
  rebake();
  nodes.a.memo.erase(kAcme, "flour");
  nodes.settle();
  CHECK_FALSE(nodes.b.baked("flour"));
  CHECK(nodes.b.baked("oats"));
  rebake();
  nodes.a.cache.invalidate_namespace("bakery/");
  nodes.settle();
  CHECK_FALSE(nodes.b.baked("flour"));
  rebake();
  nodes.a.cache.invalidate_version("bakery/oven", "v2");
  nodes.settle();
  CHECK(nodes.b.baked("flour"));
  nodes.a.cache.invalidate_version("bakery/oven", "v1");
  nodes.settle();
  CHECK_FALSE(nodes.b.baked("flour"));
}

TEST_CASE("a node does not do again what it hears of itself") {
  Pair nodes;
  nodes.a.cache.invalidate_all();
  nodes.a.put(kAcme, "new");
  nodes.settle();
  REQUIRE(nodes.a.link.sent.size() >= 1);
  CHECK(nodes.a.has(kAcme, "new"));
}

TEST_CASE("a message that is delivered again kills nothing that was stored in between") {
  Pair nodes;
  nodes.a.cache.invalidate_tag(kAcme, "red");
  nodes.settle();
  const std::vector<Bytes> sent = nodes.a.link.sent;
  nodes.b.put(kAcme, "k", {"red"});
  for (const Bytes& payload : sent) REQUIRE(nodes.bus.publish_now("t", payload));
  CHECK(nodes.b.has(kAcme, "k"));
}

TEST_CASE("while nothing is lost nobody forgets anything") {
  Pair nodes;
  nodes.b.put(kAcme, "k");
  for (int i = 0; i < 30; ++i) {
    nodes.a.cache.invalidate_tag(kBolt, "red");
    nodes.advance(1s);
  }
  nodes.advance(60s);
  CHECK(nodes.b.has(kAcme, "k"));
}

TEST_CASE("the message after a lost one empties the cache") {
  Pair nodes;
  nodes.b.put(kAcme, "k");
  nodes.a.link.lose = 1;
  nodes.a.cache.invalidate_tag(kAcme, "lost");
  nodes.settle();
  CHECK(nodes.b.has(kAcme, "k"));
  nodes.a.cache.invalidate_tag(kAcme, "heard");
  nodes.settle();
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
  nodes.b.put(kAcme, "k");
  nodes.a.cache.invalidate_tag(kAcme, "heard");
  nodes.advance(5s);
  CHECK(nodes.b.has(kAcme, "k"));
}

TEST_CASE("a lost message is noticed a moment later though no other follows") {
  Pair nodes;
  nodes.b.put(kAcme, "k");
  nodes.a.link.lose = 1;
  nodes.a.cache.invalidate_tag(kAcme, "lost");
  nodes.settle();
  nodes.advance(2s);
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
}

TEST_CASE("a bus that fails or hangs keeps nobody waiting, and is noticed when it is back") {
  Pair nodes;
  nodes.advance(1s);
  for (bool Link::*trouble : {&Link::fails, &Link::hangs}) {
    nodes.b.put(kAcme, "k");
    nodes.a.put(kAcme, "k");
    nodes.a.link.*trouble = true;
    nodes.a.cache.erase(kAcme, "k");
    CHECK_FALSE(nodes.a.has(kAcme, "k"));
    nodes.settle();
    CHECK(nodes.b.has(kAcme, "k"));
    nodes.a.link.*trouble = false;
    nodes.advance(8s);
    CHECK_FALSE(nodes.b.has(kAcme, "k"));
  }
}

TEST_CASE("what cannot be told is bounded, and ends as: everything") {
  Pair nodes;
  nodes.advance(1s);
  nodes.b.put(kBolt, "k");
  nodes.a.link.hangs = true;
  for (int i = 0; i < 70'000; ++i) nodes.a.cache.invalidate_tag(kAcme, "red");
  nodes.settle();
  CHECK(nodes.b.has(kBolt, "k"));
  nodes.a.link.hangs = false;
  const std::size_t before = nodes.a.link.sent.size();
  nodes.advance(8s);
  CHECK_FALSE(nodes.b.has(kBolt, "k"));
  CHECK(nodes.a.link.sent.size() - before < 66'000);
}

TEST_CASE("a node that falls silent may have said more: the others forget everything, once") {
  Pair nodes;
  nodes.advance(2s);
  nodes.b.put(kAcme, "k");
  nodes.a.link.fails = true;
  nodes.advance(9s);
  CHECK(nodes.b.has(kAcme, "k"));
  nodes.advance(3s);
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
  nodes.b.put(kAcme, "k");
  nodes.advance(30s);
  CHECK(nodes.b.has(kAcme, "k"));
}

TEST_CASE("a node that stops in order is no loss") {
  MemoryEventBus bus;
  Node b(bus);
  b.put(kAcme, "k");
  {
    Node a(bus);
    a.cache.invalidate_tag(kAcme, "red");
    a.pass(2s);
    b.pass(2s);
    a.sim.shutdown();
  }
  b.pass(60s);
  CHECK(b.has(kAcme, "k"));
}

TEST_CASE("what is invalidated while a node stops is told, too") {
  Pair nodes;
  nodes.advance(1s);
  nodes.a.cache.impl().loading.leave();
  nodes.b.put(kAcme, "k");
  nodes.a.cache.erase(kAcme, "k");
  nodes.settle();
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
  nodes.b.put(kAcme, "k");
  nodes.b.pass(60s);
  CHECK(nodes.b.has(kAcme, "k"));
}

namespace {

// A cache with a part of the host beside it that erases "k" when the drain is over.
struct LateNode {
  explicit LateNode(MemoryEventBus& bus)
      : link(bus), cache(sim.runtime(), {.digest_key = DigestKey::from_secret(kSecret)}) {
    cache.follow(link, "t");
    part = sim.runtime().attach({.name = "late", .join = [this] {
                                   closed = cache.impl().loading.gate().closed();
                                   cache.erase(kAcme, "k");
                                 }});
    sim.start();
    sim.run_until_idle();
  }

  bool closed = false;
  testing::SimRuntime sim;
  Link link;
  Cache cache;
  Attachment part;
};

}  // namespace

TEST_CASE("what is invalidated when the gates have closed is told, too, and then farewell again") {
  MemoryEventBus bus;
  Node b(bus);
  b.put(kAcme, "k");
  b.put(kBolt, "k");
  LateNode a(bus);
  a.sim.shutdown();
  CHECK(a.closed);
  CHECK_FALSE(b.has(kAcme, "k"));
  b.pass(60s);
  CHECK(b.has(kBolt, "k"));
}

TEST_CASE("a bus that hangs holds up no drain, however late something is told") {
  MemoryEventBus bus;
  LateNode a(bus);
  a.link.hangs = true;
  a.sim.shutdown();
  CHECK(a.closed);
  CHECK(a.link.sent.empty());
}

TEST_CASE("a node that comes later begins without what the others said before it") {
  MemoryEventBus bus;
  Node a(bus);
  a.cache.invalidate_tag(kAcme, "red");
  a.pass(1s);
  Node b(bus);
  b.put(kAcme, "k");  // perhaps made of what `a` has declared dead
  a.pass(1s);
  CHECK_FALSE(b.has(kAcme, "k"));
  b.put(kAcme, "k");
  a.pass(2s);
  CHECK(b.has(kAcme, "k"));
}

TEST_CASE("messages that are not signed with the key are not heard") {
  Pair nodes;
  Node stranger(nodes.bus, "another sixteen letters");
  nodes.b.put(kAcme, "k");
  stranger.cache.invalidate_all();
  stranger.pass(3s);
  CHECK(nodes.b.has(kAcme, "k"));
  nodes.a.cache.invalidate_tag(kAcme, "red");
  nodes.settle();
  const std::string whole = nodes.a.link.sent.back().to_string();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string garbled = whole;
    garbled[i] = static_cast<char>(garbled[i] ^ 0x40);
    REQUIRE(nodes.bus.publish_now("t", Bytes::copy(std::string_view(garbled))));
    REQUIRE(nodes.bus.publish_now("t", Bytes::copy(std::string_view(whole).substr(0, i))));
  }
  CHECK(nodes.b.has(kAcme, "k"));
  const std::string metrics = nodes.b.telemetry.metrics().prometheus();
  CHECK(metrics.find("event=\"foreign\"") != std::string::npos);
}

TEST_CASE("what is invalidated before the start is told after it") {
  MemoryEventBus bus;
  Node b(bus);
  testing::SimRuntime sim;
  Cache early(sim.runtime(), {.digest_key = DigestKey::from_secret(kSecret)});
  early.follow(bus, "t");
  early.erase(kAcme, "k");
  b.put(kAcme, "k");
  b.sim.run_until_idle();
  CHECK(b.has(kAcme, "k"));
  sim.start();
  sim.run_until_idle();
  CHECK_FALSE(b.has(kAcme, "k"));
}

TEST_CASE("a cache that never starts tells nothing, and ends") {
  MemoryEventBus bus;
  testing::SimRuntime sim;
  Cache cache(sim.runtime(), {.digest_key = DigestKey::from_secret(kSecret)});
  cache.follow(bus, "t");
  for (int i = 0; i < 3; ++i) cache.invalidate_all();
  CHECK(bus.followers("t") == 1);
}

TEST_CASE("a bus that throws is one that fails") {
  Pair nodes;
  nodes.advance(1s);
  nodes.b.put(kAcme, "k");
  nodes.a.link.throws = true;
  nodes.a.cache.erase(kAcme, "k");
  nodes.settle();
  CHECK(nodes.b.has(kAcme, "k"));
  nodes.a.link.throws = false;
  nodes.advance(2s);
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
}

TEST_CASE("what a node does not understand, but is signed, means everything") {
  Pair nodes;
  nodes.b.put(kAcme, "k");
  const detail::FeedMessage message{.sender = 7, .number = 1, .note = {.kind = '?'}};
  const DigestKey key = DigestKey::from_secret(kSecret);
  REQUIRE(nodes.bus.publish_now("t", detail::encode_message(key, message)));
  CHECK_FALSE(nodes.b.has(kAcme, "k"));
}

TEST_CASE("keys and tags of any bytes and length are told as they are") {
  Pair nodes;
  const std::string nul("a\0b", 3);
  const std::string large(4000, '\xff');
  for (const std::string& key : {std::string(), nul, large}) {
    CHECK_FALSE(nodes.survives(kAcme, key, {}, [&](Cache& cache) { cache.erase(kAcme, key); }));
    CHECK_FALSE(
        nodes.survives(kAcme, "k", {key}, [&](Cache& cache) { cache.invalidate_tag(kAcme, key); }));
    CHECK_FALSE(
        nodes.survives(TenantId(), key, {}, [&](Cache& cache) { cache.erase(TenantId(), key); }));
  }
}

TEST_CASE("following needs a key that is shared, a topic the bus takes, and happens once") {
  MemoryEventBus bus;
  Runtime runtime;
  Cache without_key(runtime, {.name = "without_key"});
  CHECK_THROWS_AS(without_key.follow(bus), ConfigError);
  Cache cache(runtime, {.digest_key = DigestKey::from_secret(kSecret)});
  CHECK_THROWS_AS(cache.follow(bus, std::string(300, 't')), ConfigError);
  cache.follow(bus);
  CHECK(bus.followers("aiserve/cache/cache") == 1);
  CHECK_THROWS_AS(cache.follow(bus), ConfigError);
}
