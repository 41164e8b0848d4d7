#include "aiserve/http/idempotency.hpp"

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "aiserve/storage/memory_idempotency_store.hpp"
#include "unit/http/in_process.hpp"

namespace aiserve::http {
namespace {

using namespace std::chrono_literals;
using Fields = TestClient::Fields;

// Payments that take a second; the tenant is what X-Tenant says.
struct Shop : InProcess {
  explicit Shop(IdempotencyOptions options = {}) : Shop({}, std::move(options)) {}
  Shop(IdempotencyStore* other, IdempotencyOptions options)
      : InProcess({.request_timeout = std::chrono::hours(2)}) {
    server.before([](Context& ctx, const Request& request) {
      ctx = ctx.with_tenant(Tenant({.id = TenantId(request.header("X-Tenant"))}));
    });
    Hooks hooks;
    hooks.around(idempotent(other != nullptr ? *other : runs, std::move(options)));
    const auto handler = [this](const Context& ctx, const Request& request) {
      return pay(ctx, request);
    };
    server.post("/pay/{what...}", handler, {.hooks = hooks});
    server.patch("/pay/{what...}", handler, {.hooks = hooks});
    server.get("/pay/{what...}", handler, {.hooks = hooks});
    sim.start();
  }

  Async<Response> pay(const Context& ctx, const Request& request) {
    const int number = ++begun;
    const std::string mode(request.text());
    const std::string key(request.header("X-Mode"));
    const Context alive = key == "stubborn" ? Context(ContextOptions{}) : ctx;
    const Result<void> slept = co_await sleep(alive, 1s);
    if (!slept) co_return slept.error();
    if (key == "throw") throw std::runtime_error("broken");
    if (key == "busy") co_return Error(Errc::overloaded, "later");
    if (key == "missing") co_return Error(Errc::not_found, "no such account");
    ++effects;
    if (key == "large") co_return text(std::string(100'000, 'x'));
    co_return json("{\"paid\":" + std::to_string(number) + "}")
        .status(201)
        .header("Location", "/payments/" + std::to_string(number))
        .add_header("Link", "<a>")
        .add_header("Link", "<b>");
  }

  TestClient::Call start(std::string key, std::string body = "{}", Fields more = {},
                         std::string_view method = "POST", std::string_view target = "/pay/a") {
    if (!key.empty()) more.emplace_back("Idempotency-Key", std::move(key));
    return client.start(method, target, body, more);
  }
  TestClient::Reply pay(std::string key, std::string body = "{}", Fields more = {},
                        std::string_view method = "POST", std::string_view target = "/pay/a") {
    auto call = start(std::move(key), std::move(body), std::move(more), method, target);
    sim.advance(1s);
    return call.reply();
  }

  MemoryIdempotencyStore runs{{.clock = &sim.clock()}};
  int begun = 0;
  int effects = 0;
};

bool replayed(const TestClient::Reply& reply) {
  return reply.header("Idempotent-Replayed") == "true";
}

TEST_CASE("a repetition gets the answer of the first, and nothing happens twice") {
  Shop shop;
  const auto first = shop.pay("k1");
  CHECK(first.status == 201);
  CHECK_FALSE(replayed(first));
  const auto second = shop.pay("\"k1\"");
  CHECK(second.status == 201);
  CHECK(replayed(second));
  CHECK(second.body == first.body);
  CHECK(second.header("Location") == "/payments/1");
  CHECK(second.header("Content-Type") == "application/json");
  std::vector<std::string> links;
  for (const auto& [name, value] : second.fields) {
    if (name == "Link") links.push_back(value);
  }
  CHECK(links == std::vector<std::string>{"<a>", "<b>"});
  CHECK(shop.effects == 1);
  CHECK(shop.pay("k2").body == "{\"paid\":2}");
}

TEST_CASE("of 64 at once one has the effect, the others are told to wait and then get its answer") {
  Shop shop;
  std::vector<TestClient::Call> calls;
  calls.reserve(64);
  for (int i = 0; i < 64; ++i) calls.push_back(shop.start("same"));
  int waiting = 0;
  for (auto& call : calls) {
    const auto reply = call.reply();
    if (reply.status != 409) continue;
    ++waiting;
    CHECK(reply.header("Retry-After") == "1");
  }
  CHECK(waiting == 63);
  shop.sim.advance(1s);
  CHECK(shop.effects == 1);
  CHECK(calls.front().reply().status == 201);
  for (int i = 0; i < 64; ++i) CHECK(replayed(shop.pay("same")));
  CHECK(shop.begun == 1);
}

TEST_CASE("a key belongs to one request") {
  Shop shop;
  CHECK(shop.pay("k", "{}").status == 201);
  CHECK(shop.pay("k", "{} ").status == 422);
  CHECK(shop.pay("k", "{}", {}, "POST", "/pay/b").status == 422);
  CHECK(shop.pay("k", "{}", {}, "POST", "/pay/a?x=1").status == 422);
  CHECK(shop.pay("k", "{}", {}, "PATCH").status == 422);
  CHECK(shop.pay("k", "{}", {{"Content-Type", "text/plain"}}).status == 422);
  CHECK(shop.effects == 1);
}

TEST_CASE("keys of two tenants are two keys") {
  Shop shop;
  CHECK(shop.pay("k", "{}", {{"X-Tenant", "one"}}).body == "{\"paid\":1}");
  CHECK(shop.pay("k", "{}", {{"X-Tenant", "two"}}).body == "{\"paid\":2}");
  CHECK(shop.pay("k", "{}", {{"X-Tenant", "one"}}).body == "{\"paid\":1}");
}

TEST_CASE("a scope tells users of one tenant apart") {
  Shop shop({.scope = [](const Context&, const Request& request) {
    return std::string(request.header("X-User"));
  }});
  CHECK(shop.pay("xk", "{}", {{"X-User", "a"}}).body == "{\"paid\":1}");
  CHECK(shop.pay("k", "{}", {{"X-User", "ax"}}).body == "{\"paid\":2}");
  CHECK(shop.pay("k", "{}", {{"X-User", "b"}}).body == "{\"paid\":3}");
}

TEST_CASE("failures free the key, refusals are kept") {
  Shop shop;
  for (const char* mode : {"throw", "busy"}) {
    CAPTURE(mode);
    const int before = shop.begun;
    CHECK(shop.pay(mode, "{}", {{"X-Mode", mode}}).status >= 500);
    CHECK(shop.pay(mode, "{}", {{"X-Mode", mode}}).status >= 500);
    CHECK(shop.begun == before + 2);
    CHECK(shop.pay(mode, "{}").status == 201);
  }
  const int before = shop.begun;
  const auto first = shop.pay("m", "{}", {{"X-Mode", "missing"}});
  const auto second = shop.pay("m", "{}", {{"X-Mode", "missing"}});
  CHECK(first.status == 404);
  CHECK(second.status == 404);
  CHECK(second.body == first.body);
  CHECK(replayed(second));
  CHECK(shop.begun == before + 1);
}

TEST_CASE("failures are kept if they are to be, but not what says try again") {
  Shop shop({.keep_failures = true});
  CHECK(shop.pay("k", "{}", {{"X-Mode", "throw"}}).status == 500);
  const auto again = shop.pay("k", "{}", {{"X-Mode", "throw"}});
  CHECK(again.status == 500);
  CHECK(replayed(again));
  CHECK(shop.begun == 1);
  CHECK(again.body.find("broken") == std::string::npos);
}

TEST_CASE("a client that went away finds the answer when it comes back") {
  Shop shop;
  { const auto call = shop.start("k", "{}", {{"X-Mode", "stubborn"}}); }
  shop.sim.advance(1s);
  CHECK(shop.effects == 1);
  const auto reply = shop.pay("k", "{}", {{"X-Mode", "stubborn"}});
  CHECK(reply.status == 201);
  CHECK(replayed(reply));
}

TEST_CASE("a handler that gives up with its client frees the key") {
  Shop shop;
  { const auto call = shop.start("k"); }
  shop.sim.advance(1s);
  CHECK(shop.effects == 0);
  CHECK(shop.pay("k").status == 201);
  CHECK(shop.effects == 1);
}

TEST_CASE("an answer too large to be kept goes to the first, and nothing happens twice") {
  Shop shop;
  CHECK(shop.pay("k", "{}", {{"X-Mode", "large"}}).body.size() == 100'000);
  CHECK(shop.pay("k", "{}", {{"X-Mode", "large"}}).status == 409);
  CHECK(shop.effects == 1);
}

TEST_CASE("keys are forgotten after their time to live") {
  Shop shop({.ttl = 10min});
  CHECK(shop.pay("k").body == "{\"paid\":1}");
  shop.sim.advance(10min - 2s);
  CHECK(shop.pay("k").body == "{\"paid\":1}");
  shop.sim.advance(2s);
  CHECK(shop.pay("k").body == "{\"paid\":2}");
}

TEST_CASE("without a key a handler just runs, or is not allowed to") {
  Shop lax;
  CHECK(lax.pay("").status == 201);
  CHECK(lax.pay("").status == 201);
  CHECK(lax.pay("k", "", {}, "GET").status == 201);
  CHECK(lax.pay("k", "", {}, "GET").body == "{\"paid\":4}");
  Shop strict({.required = true});
  CHECK(strict.pay("").status == 400);
  CHECK(strict.pay("", "", {}, "GET").status == 201);
  CHECK(strict.begun == 1);
}

TEST_CASE("what is no key is 422") {
  Shop shop;
  CHECK(shop.pay(std::string(256, 'k')).status == 422);
  CHECK(shop.pay("\"\"").status == 422);
  CHECK(shop.pay("k\xc3\xa4y").status == 422);
  CHECK(shop.pay("a", "{}", {{"idempotency-key", "b"}}).status == 422);
  CHECK(shop.begun == 0);
  CHECK(shop.pay(std::string(255, 'k')).status == 201);
}

// Fails in the call that it is told to.
class FailingStore final : public IdempotencyStore {
 public:
  explicit FailingStore(IdempotencyStore& inner) : inner_(inner) {}
  Async<IdempotentRun> begin(const Context& ctx, const StoreKey& key, const Bytes& fingerprint,
                             std::chrono::milliseconds lease) override {
    if (fail_begin) co_return Error(Errc::unavailable, "down");
    co_return co_await inner_.begin(ctx, key, fingerprint, lease);
  }
  Async<bool> finish(const Context& ctx, const StoreKey& key, std::int64_t fence,
                     const Bytes& answer, std::chrono::milliseconds ttl) override {
    if (fail_finish) co_return Error(Errc::unavailable, "down");
    co_return co_await inner_.finish(ctx, key, fence, answer, ttl);
  }
  Async<bool> abandon(const Context& ctx, const StoreKey& key, std::int64_t fence) override {
    return inner_.abandon(ctx, key, fence);
  }

  bool fail_begin = false;
  bool fail_finish = false;

 private:
  IdempotencyStore& inner_;
};

TEST_CASE("nothing runs while the store is down, and an answer it cannot take still goes out") {
  testing::ManualClock clock;
  MemoryIdempotencyStore memory({.clock = &clock});
  FailingStore store(memory);
  Shop shop(&store, {.lease = 30s});
  store.fail_begin = true;
  CHECK(shop.pay("k").status == 503);
  CHECK(shop.begun == 0);
  store.fail_begin = false;
  store.fail_finish = true;
  CHECK(shop.pay("k").status == 201);
  CHECK(shop.pay("k").status == 409);
  CHECK(shop.effects == 1);
  store.fail_finish = false;
  clock.advance(30s);  // as if the process had died: the lease ends
  CHECK(shop.pay("k").status == 201);
  CHECK(shop.effects == 2);
  CHECK(replayed(shop.pay("k")));
}

TEST_CASE("options out of their range are refused") {
  MemoryIdempotencyStore runs;
  CHECK_THROWS_AS(idempotent(runs, {.lease = 999ms}), ConfigError);
  CHECK_THROWS_AS(idempotent(runs, {.ttl = 0ms}), ConfigError);
  CHECK_THROWS_AS(idempotent(runs, {.max_answer = 1023}), ConfigError);
  CHECK_THROWS_AS(idempotent(runs, {.max_answer = (std::size_t{16} << 20) + 1}), ConfigError);
}

}  // namespace
}  // namespace aiserve::http
