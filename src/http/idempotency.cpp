#include "aiserve/http/idempotency.hpp"

#include <string>
#include <utility>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/context.hpp"
#include "http/idempotency_key.hpp"
#include "http/saved_response.hpp"
#include "storage/sha256.hpp"

namespace aiserve::inline v0::http {
namespace {

using detail::SavedResponse;
using std::chrono::milliseconds;
using v0::detail::Sha256Hash;

constexpr std::chrono::seconds kAskAgain{1};
constexpr std::chrono::seconds kPatienceToSettle{5};

IdempotencyOptions checked(IdempotencyOptions options) {
  const auto check = [](const char* name, auto value, auto low, auto high) {
    if (value >= low && value <= high) return;
    throw ConfigError("idempotent: " + std::string(name) + " is out of its range");
  };
  const milliseconds second = std::chrono::seconds(1);
  check("lease", options.lease, second, milliseconds(std::chrono::days(1)));
  check("ttl", options.ttl, second, milliseconds(std::chrono::days(366)));
  check("max_answer", options.max_answer, std::size_t{1024}, std::size_t{16} << 20);
  return options;
}

int status_of(const Result<Response>& result) noexcept {
  return result.ok() ? result->status() : traits(result.error().code()).http_status;
}

// Asks for another try, which the key must not stand in the way of.
bool asks_again(int status, bool keep_failures) noexcept {
  if (status == 408 || status == 425 || status == 429) return true;
  return status >= 499 && !keep_failures;
}

// Length first, so that no scope and key are those of another pair.
StoreKey store_key(const Context& ctx, const std::string& scope, const std::string& key) {
  Sha256Hash hash;
  hash.add(std::to_string(scope.size())).add(":").add(scope).add(key);
  return StoreKey(ctx.tenant().id(), "http/idempotency/" + v0::detail::hex(hash.finish()));
}

Bytes fingerprint(const Request& request) {
  Sha256Hash hash;
  hash.add(name(request.method())).add(" ").add(request.target()).add("\n");
  const auto digest =
      hash.add(request.header("Content-Type")).add("\n").add(request.body()).finish();
  return Bytes::copy(ByteView(digest));
}

// Says what no answer that was kept can say: a status of 0.
Bytes too_large() { return Bytes::literal("too large"); }

Result<Response> replay(const Bytes& answer) {
  if (answer == too_large()) {
    return Error(Errc::conflict, "this was done before, and its answer is too large to be kept");
  }
  Result<Response> response = SavedResponse::restore(answer);
  if (response.ok()) response->header("Idempotent-Replayed", "true");
  return response;
}

// One request with its key. Lives in the frame of Idempotency::run().
class Run {
 public:
  Run(IdempotencyStore& store, const IdempotencyOptions& options, StoreKey key,
      std::int64_t fence) noexcept
      : store_(store), options_(options), key_(std::move(key)), fence_(fence) {}

  // The client may have gone, and the deadline passed: what was done is kept all the same.
  Async<bool> settle(const Context& ctx, const Request& request, const Result<Response>& result) {
    ContextOptions of_its_own{.request_id = ctx.request_id(), .tenant = ctx.tenant()};
    of_its_own.deadline = Deadline::after(request.clock().now(), kPatienceToSettle);
    const Context own(std::move(of_its_own));
    if (asks_again(status_of(result), options_.keep_failures)) {
      co_return co_await store_.abandon(own, key_, fence_);
    }
    const Bytes answer = answer_of(ctx, result);
    Result<bool> kept = co_await store_.finish(own, key_, fence_, answer, options_.ttl);
    if (kept.ok() || kept.error().code() != Errc::too_large) co_return kept;
    const Bytes stand_in = too_large();
    co_return co_await store_.finish(own, key_, fence_, stand_in, options_.ttl);
  }

 private:
  Bytes answer_of(const Context& ctx, const Result<Response>& result) const {
    const auto saved = result.ok()
                           ? SavedResponse::save(*result, options_.max_answer)
                           : SavedResponse::save(problem(ctx, result.error()), options_.max_answer);
    return saved.value_or(too_large());
  }

  IdempotencyStore& store_;
  const IdempotencyOptions& options_;
  StoreKey key_;
  std::int64_t fence_;
};

class Idempotency {
 public:
  Idempotency(IdempotencyStore& store, IdempotencyOptions options)
      : store_(store), options_(checked(std::move(options))) {}

  Async<Response> operator()(const Context& ctx, const Request& request, const Next& next) const {
    const bool applies = request.method() == Method::post || request.method() == Method::patch;
    return applies ? run(ctx, request, next) : next(ctx, request);
  }

 private:
  Async<Response> run(const Context& ctx, const Request& request, const Next& next) const {
    const Result<std::optional<std::string>> given = detail::idempotency_key(request);
    if (!given) co_return given.error();
    if (!*given && options_.required) co_return problem(ctx, 400, "an Idempotency-Key is needed");
    if (!*given) co_return co_await next(ctx, request);
    const std::string scope = options_.scope ? options_.scope(ctx, request) : std::string();
    const StoreKey key = store_key(ctx, scope, **given);
    const Bytes same = fingerprint(request);
    const Result<IdempotentRun> begun = co_await store_.begin(ctx, key, same, options_.lease);
    if (!begun) co_return begun.error();
    switch (begun->state()) {
      case IdempotentRun::State::started:
        break;
      case IdempotentRun::State::in_flight:
        co_return Error(Errc::conflict, "this is being worked on").retry_after(kAskAgain);
      case IdempotentRun::State::finished:
        co_return replay(begun->answer());
      case IdempotentRun::State::mismatch:
        co_return Error(Errc::invalid_argument, "the key belongs to another request");
    }
    Run one(store_, options_, key, begun->fence());
    Result<Response> result = co_await next(ctx, request);
    (void)co_await one.settle(ctx, request, result);
    co_return result;
  }

  IdempotencyStore& store_;
  IdempotencyOptions options_;
};

}  // namespace

detail::AroundHook idempotent(IdempotencyStore& store, IdempotencyOptions options) {
  return Idempotency(store, std::move(options));
}

}  // namespace aiserve::inline v0::http
