#include <array>

#include "testing/conformance.hpp"

namespace aiserve::inline v0::testing {
namespace {

using State = IdempotentRun::State;
using namespace std::chrono_literals;

const Bytes kPrint = Bytes::literal("fingerprint");
const Bytes kAnswer = Bytes::literal("answer");

/// begin() ends in this state.
Async<IdempotentRun> begin(const Context& ctx, IdempotencyStore& store, StoreKey key, State state) {
  Result<IdempotentRun> run = co_await store.begin(ctx, key, kPrint, 500ms);
  if (!run) co_return run.error();
  if (run->state() == state) co_return run;
  co_return broken("begin() ended in state " + std::to_string(static_cast<int>(run->state())) +
                   " instead of " + std::to_string(static_cast<int>(state)));
}

Async<void> runs_once(const Context& ctx, IdempotencyStore& store, const PassTime& /*pass*/) {
  const StoreKey key(kOne, "once");
  const auto run = co_await begin(ctx, store, key, State::started);
  if (!run) co_return run.error();
  const auto second = co_await begin(ctx, store, key, State::in_flight);
  if (!second) co_return second.error();
  const Result<bool> kept = co_await store.finish(ctx, key, run->fence(), kAnswer, 1h);
  if (!kept || !*kept) co_return broken("finish() of the one that began was refused");
  const auto replay = co_await begin(ctx, store, key, State::finished);
  if (!replay) co_return replay.error();
  if (replay->answer() != kAnswer) co_return broken("the answer is another one");
  const Result<bool> twice = co_await store.finish(ctx, key, run->fence(), Bytes(), 1h);
  co_return require(twice && !*twice, "a finished run could be finished again");
}

Async<void> tells_other_requests(const Context& ctx, IdempotencyStore& store,
                                 const PassTime& /*pass*/) {
  const StoreKey key(kOne, "other request");
  const auto run = co_await begin(ctx, store, key, State::started);
  if (!run) co_return run.error();
  const Bytes other = Bytes::literal("another");
  for (int i = 0; i < 2; ++i) {
    const auto seen = co_await store.begin(ctx, key, other, 500ms);
    if (!seen || seen->state() != State::mismatch) {
      co_return broken("another fingerprint under the key was not told");
    }
    const auto kept = co_await store.finish(ctx, key, run->fence(), kAnswer, 1h);
    if (!kept) co_return kept.error();
  }
  co_return success();
}

Async<void> keeps_tenants_apart(const Context& ctx, IdempotencyStore& store,
                                const PassTime& /*pass*/) {
  const StoreKey one(kOne, "same");
  const StoreKey two(kTwo, "same");
  const auto first = co_await begin(ctx, store, one, State::started);
  if (!first) co_return first.error();
  const auto second = co_await begin(ctx, store, two, State::started);
  if (!second) co_return second.error();
  const auto foreign = co_await store.finish(ctx, two, first->fence(), kAnswer, 1h);
  co_return require(foreign && !*foreign, "another tenant's fence finished the run");
}

Async<void> forgets_abandoned(const Context& ctx, IdempotencyStore& store,
                              const PassTime& /*pass*/) {
  const StoreKey key(kOne, "abandoned");
  const auto first = co_await begin(ctx, store, key, State::started);
  if (!first) co_return first.error();
  const auto left = co_await store.abandon(ctx, key, first->fence());
  if (!left || !*left) co_return broken("abandon() of the one that began was refused");
  const auto second = co_await begin(ctx, store, key, State::started);
  if (!second) co_return second.error();
  const auto late = co_await store.abandon(ctx, key, first->fence());
  co_return require(late && !*late, "the first run abandoned the second");
}

Async<void> fences_the_late(const Context& ctx, IdempotencyStore& store, const PassTime& pass) {
  const StoreKey key(kOne, "late");
  const auto first = co_await begin(ctx, store, key, State::started);
  if (!first) co_return first.error();
  pass(600ms);
  const auto second = co_await begin(ctx, store, key, State::started);
  if (!second) co_return second.error();
  const auto late = co_await store.finish(ctx, key, first->fence(), kAnswer, 1h);
  if (!late || *late) co_return broken("a run that was taken over could finish");
  const auto kept = co_await store.finish(ctx, key, second->fence(), kAnswer, 1h);
  co_return require(kept && *kept, "the run that took over could not finish");
}

Async<void> lets_answers_expire(const Context& ctx, IdempotencyStore& store, const PassTime& pass) {
  const StoreKey key(kOne, "expires");
  const auto first = co_await begin(ctx, store, key, State::started);
  if (!first) co_return first.error();
  if (auto kept = co_await store.finish(ctx, key, first->fence(), kAnswer, 1s); !kept) {
    co_return kept.error();
  }
  pass(700ms);
  const auto replay = co_await begin(ctx, store, key, State::finished);
  if (!replay) co_return replay.error();
  pass(400ms);
  const auto again = co_await begin(ctx, store, key, State::started);
  if (!again) co_return again.error();
  co_return success();
}

Async<void> takes_any_bytes(const Context& ctx, IdempotencyStore& store, const PassTime& /*pass*/) {
  const StoreKey key(TenantId(), all_bytes());
  const Bytes answer = Bytes::copy(all_bytes());
  const auto first = co_await begin(ctx, store, key, State::started);
  if (!first) co_return first.error();
  const auto kept = co_await store.finish(ctx, key, first->fence(), answer, 1h);
  if (!kept) co_return kept.error();
  const auto replay = co_await begin(ctx, store, key, State::finished);
  if (!replay) co_return replay.error();
  if (replay->answer() != answer) co_return broken("the answer is another one");
  const StoreKey bad(kOne, "");
  const auto refused = co_await store.begin(ctx, bad, kPrint, 1s);
  if (auto held = require_error(refused, Errc::invalid_argument, "an empty key"); !held) {
    co_return held;
  }
  const StoreKey brief(kOne, "brief");
  const auto never = co_await store.begin(ctx, brief, kPrint, 0ms);
  co_return require_error(never, Errc::invalid_argument, "a lease of 0");
}

constexpr std::array<StoreCase<IdempotencyStore>, 7> kCases{{
    {"lets one run, and answers all others from it", &runs_once},
    {"tells another request under the same key", &tells_other_requests},
    {"keeps equal keys of two tenants apart", &keeps_tenants_apart},
    {"forgets an abandoned run", &forgets_abandoned},
    {"lets another take over after the lease, and refuses the late one", &fences_the_late},
    {"lets answers expire", &lets_answers_expire},
    {"takes any bytes, and refuses bad arguments", &takes_any_bytes},
}};

}  // namespace

std::span<const StoreCase<IdempotencyStore>> idempotency_store_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
