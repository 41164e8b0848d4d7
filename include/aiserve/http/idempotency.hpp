/// idempotent(): a POST or PATCH that carries an Idempotency-Key
/// (draft-ietf-httpapi-idempotency-key-header) has its effect once; a repetition gets the answer of
/// the first, marked Idempotent-Replayed: true.
///
/// A key belongs to one request of one tenant: 409 with Retry-After while that is worked on, 422
/// for another method, target, Content-Type or body. Answers that say "try again" (408, 425, 429,
/// 5xx, an exception, a cancelled handler) are not kept and free the key: the repetition runs the
/// handler again, so a handler that fails halfway undoes what it did, or asks for `keep_failures`.
/// If the process dies, the key is free when its lease ends. A client that has gone is no failure:
/// the handler ends, and its answer waits for the repetition.
/// *Thread safety:* as all hooks. *Errors:* to the client: 400 without a key where one is required,
/// 422 for what is no key, 409, and those of the store (503), then nothing has run. If the store
/// cannot take the answer, the client still gets it, and the key stays taken until its lease ends.
///
///     MemoryIdempotencyStore runs;
///     server.post("/v1/payments", pay, {.hooks = http::Hooks().around(http::idempotent(runs))});
#pragma once

#include <aiserve/http/hooks.hpp>
#include <aiserve/http/rate_limiter.hpp>
#include <aiserve/storage/idempotency_store.hpp>

#include <chrono>
#include <cstddef>

namespace aiserve::inline v0::http {

struct IdempotencyOptions {
  /// Without a key: 400. Default: the handler just runs.
  bool required = false;
  /// How long a handler may take before a repetition runs it again: 1 s to 1 day. Longer than the
  /// route's timeout.
  std::chrono::milliseconds lease = std::chrono::minutes(2);
  /// How long an answer is kept: 1 s to 1 year.
  std::chrono::milliseconds ttl = std::chrono::hours(24);
  /// Bytes of the largest answer that is kept, 1 KiB to 16 MiB, and no more than the store's
  /// largest value. A repetition of a larger one is 409 and says so.
  std::size_t max_answer = 64 * 1024;
  /// Keep 5xx, too: for handlers whose effect may have happened when they fail.
  bool keep_failures = false;
  /// Whose key it is within the tenant, of a request that passed the before hooks. Default: the
  /// tenant's. All requests of no tenant share their keys unless this tells them apart.
  LimitKey scope{};
};

/// An around hook. The store must outlive the server. ConfigError if an option is out of its range.
detail::AroundHook idempotent(IdempotencyStore& store, IdempotencyOptions options = {});

}  // namespace aiserve::inline v0::http
