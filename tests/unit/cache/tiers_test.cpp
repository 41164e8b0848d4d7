// What a tier below memory gives, and what it does when it fails.
#include <doctest/doctest.h>

#include "aiserve/cache/memory_cache_tier.hpp"
#include "aiserve/testing/faulty_cache_tier.hpp"
#include "cache/cache_impl.hpp"
#include "cache/tier_record.hpp"
#include "unit/cache/memo_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::FaultyCacheTier;
using testing::MemoBench;
using testing::TierFault;

namespace {

CacheOptions stable() {
  return {.digest_key = DigestKey::from_secret("the same in every process")};
}

const TenantId kAcme("acme");

// A process over a tier that outlives it.
struct Process : MemoBench {
  explicit Process(CacheTier& tier, MemoOptions options = {}, TierOptions tier_options = {})
      : MemoBench(exact(std::move(options)), stable()) {
    cache.add_tier(tier, tier_options);
    memo.tag_with([](const std::string& input) { return std::vector<std::string>{input}; });
  }
  std::uint64_t metric(const std::string& series) {
    const std::string text = telemetry.metrics().prometheus();
    const std::size_t at = text.find(series + " ");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + series.size() + 1));
  }
  std::uint64_t reads(const std::string& tier, const std::string& result) {
    return metric("aiserve_cache_tier_reads_total{cache=\"cache\",result=\"" + result +
                  "\",tier=\"" + tier + "\"}");
  }
};

struct Below {
  testing::ManualClock clock;  // stands still: what expires does so above
  MemoryCacheTier memory{std::size_t{4} << 20, &clock};
  FaultyCacheTier tier{memory};
};

}  // namespace

TEST_CASE("what one process computed the next one finds in the tier") {
  Below below;
  Process(below.tier).get().value();
  Process next(below.tier);
  CHECK(next.get().value() == "cake");
  CHECK(next.oven.begun == 0);
  CHECK(next.get("flour", {}, "globex").value() == "cake");
  CHECK_MESSAGE(next.oven.begun == 1, "another tenant's");
  CHECK(next.reads("faulty", "hit") == 1);
}

TEST_CASE("a hit in memory asks no tier") {
  Below below;
  Process process(below.tier);
  process.get().value();
  const auto gets = below.tier.gets();
  for (int i = 0; i < 10; ++i) process.get().value();
  CHECK(below.tier.gets() == gets);
}

TEST_CASE("what is found in the tier expires when it would have") {
  Below below;
  const MemoOptions options{.ttl = 10s, .soft_ttl = 8s};
  Process(below.tier, options).get().value();
  Process next(below.tier, options);
  next.sim.advance(6s);
  CHECK(next.get().value() == "cake");
  CHECK(next.oven.begun == 0);
  next.oven.result = "new";
  next.sim.advance(2s);
  CHECK_MESSAGE(next.get().value() == "cake", "stale");
  CHECK(next.oven.begun == 1);
  CHECK(next.get().value() == "new");

  Process late(below.tier, options);
  late.sim.advance(19s);
  late.oven.result = "late";
  CHECK(late.get().value() == "late");
}

TEST_CASE("no-cache asks no tier, no-store writes to none") {
  Below below;
  Process process(below.tier);
  process.get("rye", {.no_store = true}).value();
  CHECK(below.memory.entries() == 0);
  process.get().value();
  const auto keys = below.tier.keys_read();
  process.get("flour", {.no_cache = true}).value();
  CHECK(below.tier.keys_read() == keys);
  CHECK(process.oven.begun == 3);
}

TEST_CASE("errors are not written to a tier, remembered or not") {
  Below below;
  Process process(below.tier, {.negative_ttl = 60s});
  process.oven.error = Error(Errc::not_found, "no");
  CHECK_FALSE(process.get().ok());
  CHECK(below.memory.entries() == 0);
}

TEST_CASE("keys that miss together are asked for together") {
  Below below;
  Process process(below.tier);
  process.get("first").value();
  const auto gets = below.tier.gets();
  const auto ask = [&](const Context& ctx, const int& i) -> Async<void> {
    const std::string input = std::to_string(i);
    const Result<std::string> got = co_await process.memo(ctx, input);
    co_return got ? success() : Result<void>(got.error());
  };
  for (int i = 0; i < 200; ++i) spawn(process.sim.runtime(), process.context(), ask, i);
  process.sim.run_until_idle();
  CHECK(process.oven.ended == 201);
  CHECK(below.tier.gets() - gets <= 8);
}

TEST_CASE("a tier that hangs delays a miss by its timeout, a hit not at all, and is left alone") {
  Below below;
  Process process(below.tier, {}, {.read_timeout = 20ms, .window = 4, .failures = 2});
  process.get().value();
  below.tier.set(TierFault::hang);
  process.call("hit", process.context());
  CHECK(process.text("hit") == "cake");
  for (const char* name : {"1", "2"}) {
    process.call(name, process.context(), name);
    CHECK(process.text(name) == "waits");
    process.sim.advance(20ms);
    CHECK(process.text(name) == "cake");
  }
  CHECK(process.log.find("left alone") != std::string::npos);
  CHECK(process.metric("aiserve_cache_tier_open{cache=\"cache\",tier=\"faulty\"}") == 1);
  const auto gets = below.tier.gets();
  process.call("3", process.context(), "3");
  CHECK_MESSAGE(process.text("3") == "cake", "at once");
  CHECK(below.tier.gets() == gets);
}

TEST_CASE("a tier that works again is asked again") {
  Below below;
  Process process(below.tier, {},
                  {.window = 4, .failures = 2, .first_pause = 1s, .longest_pause = 1s});
  below.tier.set(TierFault::fail);
  for (int i = 0; i < 5; ++i) CHECK(process.get(std::to_string(i)).ok());
  below.tier.set(TierFault::none);
  process.sim.advance(3s);
  CHECK(process.log.find("works again") != std::string::npos);
  CHECK(process.get("new").ok());
  process.sim.run_until_idle();
  CHECK(below.memory.entries() > 0);
}

TEST_CASE("whatever a tier returns, callers get the right result") {
  for (const TierFault fault : {TierFault::fail, TierFault::raise, TierFault::garble,
                                TierFault::swap, TierFault::shorten}) {
    Below below;
    {
      Process first(below.tier);
      for (const char* input : {"1", "2", "3"}) {
        first.oven.result = std::string("cake of ") + input;
        first.get(input).value();
      }
    }
    Process process(below.tier);
    below.tier.set(fault);
    for (const char* input : {"1", "2", "3"}) {
      process.oven.result = std::string("new cake of ") + input;
      const std::string got = process.get(input).value();
      const bool right = got == process.oven.result || got == std::string("cake of ") + input;
      CHECK_MESSAGE(right, got, " with fault ", static_cast<int>(fault));
    }
  }
}

TEST_CASE("what is garbled is counted, and erased from the tier") {
  Below below;
  Process(below.tier).get().value();
  Process process(below.tier);
  process.get("other").value();
  below.tier.set(TierFault::garble);
  process.get().value();
  CHECK(process.reads("faulty", "garbled") == 1);
}

TEST_CASE("invalidations hold for what lies in the tier, in this process and the next") {
  const auto invalidations = std::vector<std::function<void(Process&)>>{
      [](Process& process) { process.memo.invalidate(); },
      [](Process& process) { process.memo.erase(kAcme, "flour"); },
      [](Process& process) { process.cache.invalidate_namespace("bakery"); },
      [](Process& process) { process.cache.invalidate_version("bakery/oven", ""); },
      [](Process& process) { process.cache.invalidate_tag(kAcme, "flour"); },
      [](Process& process) { process.cache.invalidate_tenant(kAcme); },
      [](Process& process) { process.cache.remove_tenant(kAcme); },
      [](Process& process) { process.cache.invalidate_all(); }};
  for (std::size_t i = 0; i < invalidations.size(); ++i) {
    Below below;
    {
      Process process(below.tier);
      process.get().value();
      process.sim.advance(1s);
      invalidations[i](process);
      process.oven.result = "new";
      // At once: before the tier can have heard of it.
      CHECK_MESSAGE(process.get().value() == "new", i);
      process.sim.advance(1s);
      invalidations[i](process);
      process.sim.run_until_idle();
    }
    Process next(below.tier);
    next.sim.advance(3s);
    next.oven.result = "newer";
    CHECK_MESSAGE(next.get().value() == "newer", i);
    Process last(below.tier);
    last.sim.advance(4s);
    CHECK_MESSAGE(last.get().value() == "newer", i, ": later results are not dead");
    CHECK(last.oven.begun == 0);
  }
}

TEST_CASE("a key that could not be erased from the tier is not served from it") {
  Below below;
  Process process(below.tier, {.ttl = 1h}, {.window = 64, .failures = 64});
  process.get().value();
  below.tier.set(TierFault::fail);
  process.memo.erase(kAcme, "flour");
  process.sim.run_until_idle();
  below.tier.set(TierFault::none);
  process.oven.result = "new";
  CHECK(process.get().value() == "new");
}

TEST_CASE("invalidations that cannot be read back make all that is older dead") {
  Below below;
  {
    Process process(below.tier);
    process.get().value();
    process.sim.advance(1s);
    process.cache.invalidate_namespace("something else");
    process.sim.run_until_idle();
  }
  const std::vector<TierEntry> garbage{
      TierEntry(detail::kills_key(), Bytes::literal("garbage"), WallTime::max())};
  Process next(below.tier);
  REQUIRE(block_on(next.sim.runtime(), below.tier.put(Context::background(), garbage)).ok());
  next.sim.advance(2s);
  next.oven.result = "new";
  CHECK(next.get().value() == "new");
}

TEST_CASE("what waits to be written is bounded, and a shutdown waits for what can be written") {
  Below below;
  {
    Process process(below.tier, {}, {.write_queue = 10'000});
    below.tier.set(TierFault::hang);
    process.oven.result = std::string(1'000, 'c');
    for (int i = 0; i < 100; ++i) process.get(std::to_string(i), {.no_cache = true}).value();
    CHECK(process.metric("aiserve_cache_tier_writes_total{cache=\"cache\",result=\"dropped\","
                         "tier=\"faulty\"}") >= 80);
    below.tier.set(TierFault::none);
  }
  Below other;
  {
    Process process(other.tier);
    for (int i = 0; i < 100; ++i) process.get(std::to_string(i)).value();
  }
  CHECK(other.memory.entries() >= 100);
}

TEST_CASE("what a lower tier has is written to those above it") {
  Below below;
  MemoryCacheTier above(std::size_t{1} << 20, &below.clock);
  Process(below.tier).get().value();
  {
    MemoBench process(MemoBench::exact({}), stable());
    process.cache.add_tier(above);
    process.cache.add_tier(below.tier);
    process.memo.tag_with([](const std::string& input) { return std::vector<std::string>{input}; });
    CHECK(process.get().value() == "cake");
    CHECK(process.oven.begun == 0);
  }
  Process next(above);
  CHECK(next.get().value() == "cake");
  CHECK(next.oven.begun == 0);
}

TEST_CASE("a tier needs a digest key that outlives the process, and options in their range") {
  Below below;
  testing::SimRuntime sim;
  Cache plain(sim.runtime());
  CHECK_THROWS_AS(plain.add_tier(below.tier), ConfigError);
  Cache cache(sim.runtime(), {.name = "stable", .digest_key = DigestKey(1, 2)});
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.read_timeout = 0ms}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.write_timeout = 0ms}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.max_batch = 0}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.max_reads = 65}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.max_waiting = 0}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.window = 65}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.window = 4, .failures = 5}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.first_pause = 0ms}), ConfigError);
  CHECK_THROWS_AS(cache.add_tier(below.tier, {.first_pause = 2s, .longest_pause = 1s}),
                  ConfigError);
  cache.add_tier(below.tier);
}

namespace {

// "waits" until it has ended.
struct Flush {
  explicit Flush(Process& process, Duration patience = 1h) {
    const auto flush = [this, &process](const Context& ctx) -> Async<void> {
      const Result<void> flushed = co_await process.cache.flush(ctx);
      text = flushed ? "done" : std::string(traits(flushed.error().code()).label);
      co_return success();
    };
    spawn(process.sim.runtime(), process.context("acme", patience), flush);
    process.sim.run_until_idle();
  }
  std::string text = "waits";
};

}  // namespace

TEST_CASE("an invalidation that was flushed outlives a crash; one that was not may be lost") {
  for (const bool flushed : {true, false}) {
    Below below;
    {
      Process process(below.tier);
      process.get().value();
      if (!flushed) below.tier.set(TierFault::fail);
      process.cache.invalidate_tag(kAcme, "flour");
      if (flushed) CHECK(Flush(process).text == "done");
      below.tier.set(TierFault::fail);  // as after a crash, nothing more is written
    }
    below.tier.set(TierFault::none);
    Process next(below.tier);
    CHECK(next.get().value() == "cake");
    CHECK(next.oven.begun == (flushed ? 1 : 0));
  }
}

TEST_CASE("a flush waits for a tier that fails as long as its caller does") {
  Below below;
  Process process(below.tier);
  CHECK(Flush(process).text == "done");
  below.tier.set(TierFault::fail);
  process.cache.invalidate_tag(kAcme, "flour");
  Flush impatient(process, 2s);
  Flush patient(process);
  CHECK(impatient.text == "waits");
  process.sim.advance(3s);
  CHECK(impatient.text == "deadline_exceeded");
  CHECK(patient.text == "waits");
  below.tier.set(TierFault::none);
  process.sim.advance(60s);
  CHECK(patient.text == "done");
}

TEST_CASE("a flush says so when what it waited for was dropped") {
  Below below;
  Process process(below.tier, {}, {.write_queue = 4096});
  process.get().value();
  below.tier.set(TierFault::fail);
  process.cache.invalidate_tag(kAcme, "flour");
  Flush flush(process);
  CHECK(flush.text == "waits");
  for (int i = 0; i < 100; ++i) process.get(std::to_string(i)).value();
  CHECK(flush.text == "unavailable");
}

TEST_CASE("what is invalidated before the start is written after it") {
  Below below;
  Process(below.tier).get().value();
  const std::size_t before = below.memory.entries();
  {
    testing::SimRuntime sim;
    Cache cache(sim.runtime(), stable());
    cache.add_tier(below.tier);
    const std::uint64_t writes = below.tier.writes();
    cache.invalidate_tenant(kAcme);
    sim.run_until_idle();
    CHECK(below.memory.entries() == before);
    CHECK(below.tier.writes() == writes);
    sim.start();
    sim.run_until_idle();
    CHECK(below.memory.entries() < before);
  }
}

TEST_CASE("a cache that never starts writes nothing to its tier, and ends") {
  Below below;
  {
    testing::SimRuntime sim;
    Cache cache(sim.runtime(), stable());
    cache.add_tier(below.tier);
    cache.invalidate_tenant(kAcme);
    cache.invalidate_all();
  }
  CHECK(below.tier.writes() == 0);
}

namespace {

// Of the host, beside the cache: invalidates when the drain is over.
Attachment invalidate_late(Process& process) {
  return process.sim.runtime().attach({.name = "late", .join = [&process] {
                                         CHECK(process.cache.impl().loading.gate().closed());
                                         process.cache.invalidate_tag(kAcme, "flour");
                                       }});
}

}  // namespace

TEST_CASE("what is invalidated when the gates have closed holds for the next process, too") {
  Below below;
  {
    Process process(below.tier);
    process.get().value();
    const Attachment late = invalidate_late(process);
    process.sim.shutdown();
  }
  Process next(below.tier);
  CHECK(next.get().value() == "cake");
  CHECK(next.oven.begun == 1);
}

TEST_CASE("a tier that fails or hangs in the end holds up no drain") {
  for (const TierFault fault : {TierFault::fail, TierFault::hang}) {
    Below below;
    Process process(below.tier);
    process.get().value();
    const Attachment late = invalidate_late(process);
    below.tier.set(fault);
    process.sim.shutdown();
    const bool hung = process.log.find("was not told to all") != std::string::npos;
    CHECK(hung == (fault == TierFault::hang));
  }
}

TEST_CASE("without tiers there is nothing to flush") {
  MemoBench bench;
  std::string text;
  const auto flush = [&](const Context& ctx) -> Async<void> {
    text = (co_await bench.cache.flush(ctx)).ok() ? "done" : "failed";
    co_return success();
  };
  spawn(bench.sim.runtime(), bench.context(), flush);
  bench.sim.run_until_idle();
  CHECK(text == "done");
}
