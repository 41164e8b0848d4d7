#include "aiserve/cache/memo.hpp"

#include <doctest/doctest.h>

#include "aiserve/cache/inference_request.hpp"
#include "unit/cache/memo_bench.hpp"

using namespace aiserve;
using namespace std::chrono_literals;
using testing::MemoBench;

TEST_CASE("a result is computed once and then found") {
  MemoBench bench;
  CHECK(bench.get().value() == "cake");
  CHECK(bench.get().value() == "cake");
  CHECK(bench.get("rye").value() == "cake");
  CHECK(bench.oven.begun == 2);
  CHECK(bench.oven.last_input == "rye");
  const CacheCounts counts = bench.cache.snapshot().counts;
  CHECK(counts.hits == 1);
}

TEST_CASE("equal inputs of two tenants are computed for each") {
  MemoBench bench;
  CHECK(bench.get("flour", {}, "acme").value() == "cake");
  bench.oven.result = "other cake";
  CHECK(bench.get("flour", {}, "globex").value() == "other cake");
  CHECK(bench.get("flour", {}, "acme").value() == "cake");
}

TEST_CASE("find returns what is there at once, and computes nothing") {
  MemoBench bench;
  CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
  REQUIRE(bench.get().ok());
  CHECK(bench.memo.find(bench.context(), "flour") == "cake");
  CHECK_FALSE(bench.memo.find(bench.context("globex"), "flour").has_value());
  CHECK(bench.oven.begun == 1);
}

TEST_CASE("a result expires after its ttl") {
  MemoBench bench(MemoBench::exact({.ttl = 10s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(9'999ms);
  REQUIRE(bench.get().ok());
  CHECK(bench.oven.begun == 1);
  bench.sim.advance(1ms);
  REQUIRE(bench.get().ok());
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("the ttl is the cache's unless the operation has its own") {
  MemoBench bench(MemoBench::exact({}), {.ttl = 5s});
  REQUIRE(bench.get().ok());
  bench.sim.advance(5s);
  CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
}

TEST_CASE("results that were computed together don't expire together") {
  MemoBench bench({.ttl = 100s, .ttl_jitter = 0.5});
  for (int i = 0; i < 200; ++i) REQUIRE(bench.get(std::to_string(i)).ok());
  const auto alive = [&] {
    int count = 0;
    for (int i = 0; i < 200; ++i) {
      count += bench.memo.find(bench.context(), std::to_string(i)) ? 1 : 0;
    }
    return count;
  };
  bench.sim.advance(49s);
  CHECK(alive() == 200);
  bench.sim.advance(51s);
  CHECK(alive() > 40);
  CHECK(alive() < 160);
  bench.sim.advance(51s);
  CHECK(alive() == 0);
}

TEST_CASE("past its soft ttl a result is served at once while one flight computes it anew") {
  MemoBench bench(MemoBench::exact({.ttl = 100s, .soft_ttl = 10s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(10s);
  bench.oven.result = "fresh cake";
  bench.oven.takes = 50ms;
  for (const char* name : {"a", "b", "c"}) {
    bench.call(name, bench.context());
    CHECK(bench.text(name) == "cake");
  }
  CHECK(bench.oven.begun == 2);
  CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
  bench.sim.advance(50ms);
  bench.call("d", bench.context());
  CHECK(bench.text("d") == "fresh cake");
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("a refresh that fails leaves the stale result, and is not tried again at once") {
  MemoBench bench(MemoBench::exact({.ttl = 100s, .soft_ttl = 10s, .refresh_pause = 2s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(10s);
  bench.oven.error = Error(Errc::unavailable, "out of gas");
  for (int i = 0; i < 5; ++i) CHECK(bench.get().value() == "cake");
  CHECK(bench.oven.begun == 2);
  CHECK(bench.log.find("a refresh of the cache failed") != std::string::npos);
  bench.sim.advance(2s);
  CHECK(bench.get().value() == "cake");
  CHECK(bench.oven.begun == 3);
}

TEST_CASE("a refresh that hangs ends at its own deadline") {
  MemoBench bench(MemoBench::exact({.ttl = 100s, .soft_ttl = 10s, .refresh_timeout = 3s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(10s);
  bench.oven.takes = 1h;
  bench.call("a", bench.context());
  CHECK(bench.text("a") == "cake");
  bench.sim.advance(3s);
  REQUIRE(bench.oven.cancelled_by.size() == 1);
  CHECK(bench.oven.cancelled_by[0] == CancelReason::deadline);
}

TEST_CASE("an expired result stands in for errors that may pass, for as long as it was told to") {
  MemoBench bench(MemoBench::exact({.ttl = 10s, .stale_if_error = 20s}));
  REQUIRE(bench.get().ok());
  bench.sim.advance(15s);
  for (const Errc code :
       {Errc::internal, Errc::unavailable, Errc::overloaded, Errc::deadline_exceeded}) {
    bench.oven.error = Error(code, "no");
    CHECK(bench.get().value() == "cake");
  }
  bench.oven.throws = true;
  CHECK(bench.get().value() == "cake");
  bench.oven.throws = false;
  bench.oven.error = Error(Errc::invalid_argument, "no");
  CHECK(bench.get().error().code() == Errc::invalid_argument);
  bench.oven.error = Error(Errc::unavailable, "no");
  CHECK(bench.get("flour", {.no_cache = true}).error().code() == Errc::unavailable);
  bench.sim.advance(15s);
  CHECK(bench.get().error().code() == Errc::unavailable);
}

TEST_CASE("errors are not kept, unless they are to be remembered") {
  MemoBench plain;
  plain.oven.error = Error(Errc::not_found, "no such cake");
  CHECK(plain.get().error().code() == Errc::not_found);
  CHECK(plain.get().error().code() == Errc::not_found);
  CHECK(plain.oven.begun == 2);

  MemoBench bench(MemoBench::exact({.negative_ttl = 5s}));
  bench.oven.error = Error(Errc::not_found, "no such cake").retry_after(7ms);
  CHECK(bench.get().error().code() == Errc::not_found);
  bench.oven.error.reset();
  const Result<std::string> remembered = bench.get();
  REQUIRE_FALSE(remembered.ok());
  CHECK(remembered.error().message() == "no such cake");
  CHECK(remembered.error().retry_after() == 7ms);
  CHECK(bench.oven.begun == 1);
  CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
  bench.sim.advance(5s);
  CHECK(bench.get().value() == "cake");
}

TEST_CASE("errors of the moment are never remembered") {
  MemoBench bench(MemoBench::exact({.negative_ttl = 5s}));
  for (const Errc code : {Errc::unavailable, Errc::internal, Errc::deadline_exceeded}) {
    bench.oven.error = Error(code, "no");
    const int before = bench.oven.begun;
    CHECK(bench.get().error().code() == code);
    CHECK(bench.get().error().code() == code);
    CHECK(bench.oven.begun == before + 2);
  }
}

TEST_CASE("remembered errors have bytes of their own, and no more") {
  MemoBench bench(MemoBench::exact({.negative_ttl = 60s, .negative_capacity = 4'000}));
  bench.oven.error = Error(Errc::not_found, "no such cake");
  for (int i = 0; i < 100; ++i) CHECK_FALSE(bench.get(std::to_string(i)).ok());
  CHECK(bench.cache.snapshot().entries < 30);
  CHECK(bench.cache.snapshot().entries > 3);
}

TEST_CASE("no-cache computes anew and keeps what it got") {
  MemoBench bench;
  REQUIRE(bench.get().ok());
  bench.oven.result = "new";
  CHECK(bench.get("flour", {.no_cache = true}).value() == "new");
  CHECK(bench.get().value() == "new");
}

TEST_CASE("no-store keeps nothing, unless somebody who waits with it lets it be kept") {
  MemoBench bench;
  REQUIRE(bench.get("flour", {.no_store = true}).ok());
  CHECK_FALSE(bench.memo.find(bench.context(), "flour").has_value());
  bench.oven.takes = 10ms;
  bench.call("private", bench.context(), "flour", {.no_store = true});
  bench.call("other", bench.context());
  bench.sim.advance(10ms);
  CHECK(bench.text("private") == "cake");
  CHECK(bench.text("other") == "cake");
  CHECK(bench.memo.find(bench.context(), "flour") == "cake");
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("a request may ask for nothing older than so much, and for what is cached only") {
  MemoBench bench(MemoBench::exact({.ttl = 100s}));
  CHECK(bench.get("flour", {.only_if_cached = true}).error().code() == Errc::not_found);
  CHECK(bench.oven.begun == 0);
  REQUIRE(bench.get().ok());
  CHECK(bench.get("flour", {.only_if_cached = true}).value() == "cake");
  bench.sim.advance(10s);
  CHECK(bench.get("flour", {.max_age = 10s}).ok());
  CHECK(bench.oven.begun == 1);
  CHECK(bench.get("flour", {.max_age = 9s}).ok());
  CHECK(bench.oven.begun == 2);
}

TEST_CASE("results are invalidated by key, namespace, version, tag, tenant and all") {
  MemoBench bench;
  bench.memo.tag_with([](const std::string& input) {
    return std::vector<std::string>{"of " + input, "bread"};
  });
  const TenantId acme("acme");
  const auto gone = [&] {
    const bool missing = !bench.memo.find(bench.context(), "flour").has_value();
    REQUIRE(bench.get().ok());
    return missing;
  };
  CHECK(gone());
  CHECK_FALSE(gone());
  CHECK(bench.memo.erase(acme, "flour"));
  CHECK(gone());
  CHECK_FALSE(bench.memo.erase(acme, "rye"));
  CHECK_FALSE(gone());
  bench.memo.invalidate();
  CHECK(gone());
  bench.cache.invalidate_namespace("bakery");
  CHECK(gone());
  bench.cache.invalidate_namespace("bakery/");
  CHECK(gone());
  bench.cache.invalidate_namespace("bake");
  bench.cache.invalidate_namespace("bakery/oven/shelf");
  CHECK_FALSE(gone());
  bench.cache.invalidate_version("bakery/oven", "");
  CHECK(gone());
  bench.cache.invalidate_version("bakery/oven", "v2");
  CHECK_FALSE(gone());
  bench.cache.invalidate_tag(acme, "of flour");
  CHECK(gone());
  bench.cache.invalidate_tag(acme, "of rye");
  bench.cache.invalidate_tag(TenantId("globex"), "of flour");
  CHECK_FALSE(gone());
  bench.cache.invalidate_tenant(TenantId("globex"));
  CHECK_FALSE(gone());
  bench.cache.invalidate_tenant(acme);
  CHECK(gone());
  bench.cache.invalidate_all();
  CHECK(gone());
  CHECK_FALSE(gone());
}

TEST_CASE("a new version finds its own results only, and the old one's are there when it is back") {
  MemoBench bench(MemoBench::exact({.version = "v1"}));
  REQUIRE(bench.get().ok());
  const Digest before = bench.memo.digest("flour");
  bench.oven.result = "cake of v2";
  bench.memo.set_version("v2");
  CHECK(bench.memo.digest("flour") != before);
  CHECK(bench.get().value() == "cake of v2");
  bench.memo.set_version("v1");
  CHECK(bench.memo.digest("flour") == before);
  CHECK(bench.get().value() == "cake");
  bench.cache.invalidate_version("bakery/oven", "v1");
  CHECK(bench.get().value() == "cake of v2");
  CHECK(bench.oven.begun == 3);
}

TEST_CASE("digests are the same in every process that has the key") {
  const CacheOptions options{.digest_key = DigestKey::from_secret("sixteen letters!")};
  MemoBench one(MemoBench::exact({}), options);
  MemoBench two(MemoBench::exact({}), options);
  MemoBench other;
  CHECK(one.memo.digest("flour") == two.memo.digest("flour"));
  CHECK(one.memo.digest("flour") != other.memo.digest("flour"));
}

TEST_CASE("what the loader saves is counted as its cost") {
  MemoBench bench;
  bench.oven.takes = 40ms;
  REQUIRE(bench.get().ok());
  REQUIRE(bench.get().ok());
  CHECK(bench.cache.snapshot().counts.saved >= 39ms);
  CHECK(bench.cache.snapshot().counts.saved <= 41ms);
}

TEST_CASE("tensors and sets of tensors are memoized, and what draws lots is not") {
  testing::SimRuntime sim;
  Cache cache(sim.runtime());
  int runs = 0;
  auto generate = cache.memoize<TensorSet>(
      "llm", [&](const Context&, const InferenceRequest& request) -> Async<TensorSet> {
        ++runs;
        co_return request.inputs();
      });
  auto twice =
      cache.memoize<Tensor>("twice", [&](const Context&, const Tensor& tensor) -> Async<Tensor> {
        ++runs;
        co_return Tensor::from<float>({1}, {2 * tensor.data<float>()[0]});
      });
  sim.start();
  const Tensor three = Tensor::from<float>({1}, {3}).value();
  InferenceRequest request("llm");
  request.add("x", three);
  const Context& ctx = Context::background();
  for (int i = 0; i < 3; ++i) {
    CHECK(block_on(sim.runtime(), generate(ctx, request)).value().find("x") != nullptr);
    CHECK(block_on(sim.runtime(), twice(ctx, three)).value().data<float>()[0] == 6);
  }
  CHECK(runs == 2);
  request.set("temperature", 1.0);
  for (int i = 0; i < 3; ++i) CHECK(block_on(sim.runtime(), generate(ctx, request)).ok());
  CHECK(runs == 5);
  CHECK_FALSE(generate.find(ctx, request).has_value());
}

TEST_CASE("options out of range and names used twice are refused at wiring") {
  testing::SimRuntime sim;
  Cache cache(sim.runtime());
  const auto memoize = [&](std::string name, MemoOptions options) {
    cache.memoize<std::string>(
        std::move(name),
        [](const Context&, const std::string& input) -> Async<std::string> { co_return input; },
        std::move(options));
  };
  memoize("name", {});
  CHECK_THROWS_AS(memoize("name", {}), ConfigError);
  CHECK_THROWS_AS(memoize("", {}), ConfigError);
  CHECK_THROWS_AS(memoize(std::string(129, 'x'), {}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.version = std::string(129, 'x')}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.ttl = 0s}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.ttl = 1s, .soft_ttl = 2s}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.soft_ttl = 0s}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.stale_if_error = -1s}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.ttl_jitter = 0.6}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.negative_ttl = -1s}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.max_waiters = 0}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.max_loads = 0}), ConfigError);
  CHECK_THROWS_AS(memoize("a", {.refresh_timeout = 0ms}), ConfigError);
  memoize(std::string(128, 'x'), {});
}
