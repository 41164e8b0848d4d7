#include <array>
#include <limits>

#include "testing/conformance.hpp"

namespace aiserve::inline v0::testing {
namespace {

using Value = std::optional<Versioned>;
using namespace std::chrono_literals;

StoreKey key(std::string_view name, const TenantId& tenant = kOne) {
  return {tenant, std::string(name)};
}

Async<std::int64_t> put(const Context& ctx, KeyValueStore& store, StoreKey key,
                        std::string_view text) {
  const Bytes value = Bytes::copy(text);
  const PutOptions options;
  co_return co_await store.put(ctx, key, value, options);
}

/// The key has this value now; without one: it is absent.
Async<void> expect(const Context& ctx, KeyValueStore& store, StoreKey key,
                   std::optional<std::string> text) {
  const Result<Value> got = co_await store.get(ctx, key);
  if (!got) co_return got.error();
  if (!text) co_return require(!got->has_value(), "a key that must be absent has a value");
  if (!*got) co_return broken("a key that was written is absent");
  co_return require((*got)->value().text() == *text, "a key has another value than was written");
}

Async<void> keeps_values(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  const StoreKey a = key("a");
  if (auto held = co_await expect(ctx, store, a, std::nullopt); !held) co_return held;
  const Result<std::int64_t> first = co_await put(ctx, store, a, "1");
  const Result<std::int64_t> second = co_await put(ctx, store, a, "2");
  if (!first || !second) co_return broken("put() failed");
  if (*first < 1 || *second <= *first) co_return broken("versions do not ascend from 1");
  const Result<Value> got = co_await store.get(ctx, a);
  if (!got || !*got || (*got)->version() != *second) {
    co_return broken("get() returned another version than put()");
  }
  co_return co_await expect(ctx, store, a, "2");
}

Async<void> keeps_tenants_apart(const Context& ctx, KeyValueStore& store,
                                const PassTime& /*pass*/) {
  const StoreKey one = key("same", kOne);
  const StoreKey two = key("same", kTwo);
  if (auto done = co_await put(ctx, store, one, "of one"); !done) co_return done.error();
  if (auto held = co_await expect(ctx, store, two, std::nullopt); !held) co_return held;
  if (auto done = co_await put(ctx, store, two, "of two"); !done) co_return done.error();
  const Result<bool> erased = co_await store.erase(ctx, two, std::nullopt);
  if (!erased) co_return erased.error();
  const KeyPage page;
  const auto listed = co_await store.list(ctx, kTwo, page);
  if (!listed) co_return listed.error();
  if (!listed->empty()) co_return broken("list() shows another tenant's keys, or erased ones");
  co_return co_await expect(ctx, store, one, "of one");
}

Async<void> compares_versions(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  const StoreKey k = key("compared");
  const Bytes value = Bytes::literal("new");
  const PutOptions absent{.if_version = PutOptions::kAbsent};
  const Result<std::int64_t> made = co_await store.put(ctx, k, value, absent);
  if (!made) co_return made.error();
  const auto again = co_await store.put(ctx, k, value, absent);
  auto held = require_error(again, Errc::conflict, "put() of a key that must be absent");
  if (!held) co_return held;
  const PutOptions same{.if_version = *made};
  const Result<std::int64_t> next = co_await store.put(ctx, k, value, same);
  if (!next) co_return next.error();
  const auto late = co_await store.put(ctx, k, value, same);
  held = require_error(late, Errc::conflict, "put() with an old version");
  if (!held) co_return held;
  const auto wrong = co_await store.erase(ctx, k, *made);
  held = require_error(wrong, Errc::conflict, "erase() with an old version");
  if (!held) co_return held;
  const auto right = co_await store.erase(ctx, k, *next);
  if (!right) co_return right.error();
  const auto gone = co_await store.erase(ctx, k, *next);
  co_return require_error(gone, Errc::conflict, "erase() of an absent key with a version");
}

Async<void> repeats_no_version(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  const StoreKey k = key("born again");
  const Result<std::int64_t> first = co_await put(ctx, store, k, "1");
  if (!first) co_return first.error();
  if (auto erased = co_await store.erase(ctx, k, std::nullopt); !erased) co_return erased.error();
  const Result<bool> again = co_await store.erase(ctx, k, std::nullopt);
  if (!again) co_return again.error();
  if (*again) co_return broken("erase() of an absent key says it was there");
  const Result<std::int64_t> second = co_await put(ctx, store, k, "2");
  if (!second) co_return second.error();
  co_return require(*second > *first, "a version came again after erase()");
}

Async<void> lets_values_expire(const Context& ctx, KeyValueStore& store, const PassTime& pass) {
  const StoreKey k = key("expires");
  const StoreKey kept = key("expires not");
  const Bytes value = Bytes::literal("x");
  const PutOptions brief{.ttl = 200ms};
  if (auto done = co_await store.put(ctx, k, value, brief); !done) co_return done.error();
  if (auto done = co_await put(ctx, store, kept, "x"); !done) co_return done.error();
  if (auto held = co_await expect(ctx, store, k, "x"); !held) co_return held;
  pass(250ms);
  if (auto held = co_await expect(ctx, store, k, std::nullopt); !held) co_return held;
  if (auto held = co_await expect(ctx, store, kept, "x"); !held) co_return held;
  const KeyPage page{.prefix = "expires"};
  const auto listed = co_await store.list(ctx, kOne, page);
  if (!listed) co_return listed.error();
  if (listed->size() != 1) co_return broken("list() shows an expired key");
  const PutOptions absent{.if_version = PutOptions::kAbsent};
  const auto reborn = co_await store.put(ctx, k, value, absent);
  if (!reborn) co_return broken("an expired key does not count as absent");
  pass(250ms);
  co_return co_await expect(ctx, store, k, "x");
}

/// Adds, and holds the store to what must come of it.
Async<void> expect_sum(const Context& ctx, KeyValueStore& store, StoreKey key, std::int64_t amount,
                       AddOptions options, Sum expected) {
  const Result<Sum> sum = co_await store.add(ctx, key, amount, options);
  if (!sum) co_return sum.error();
  co_return require(sum->value == expected.value && sum->added == expected.added,
                    "add() gives another sum than there must be");
}

Async<void> adds(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  struct Step {
    std::int64_t amount;
    std::int64_t at_most;
    Sum expected;
  };
  constexpr std::array<Step, 10> kSteps{{{5, 5, {5, true}},
                                         {1, 5, {5, false}},
                                         {-2, 0, {3, true}},
                                         {0, 0, {3, true}},
                                         {2, 5, {5, true}},
                                         {-10, 5, {-5, true}},
                                         {kMost, kMost, {kMost - 5, true}},
                                         {6, kMost, {kMost - 5, false}},
                                         {5, kMost, {kMost, true}},
                                         {-kMost, kMost, {0, true}}}};
  const StoreKey k = key("number");
  for (const Step& step : kSteps) {
    const AddOptions options{.at_most = step.at_most};
    auto held = co_await expect_sum(ctx, store, k, step.amount, options, step.expected);
    if (!held) co_return held;
  }
  if (auto held = co_await expect(ctx, store, k, "0"); !held) co_return held;
  const StoreKey refused = key("refused");
  const AddOptions none{.at_most = 0};
  auto held = co_await expect_sum(ctx, store, refused, 1, none, Sum{0, false});
  if (!held) co_return held;
  co_return co_await expect(ctx, store, refused, std::nullopt);
}

Async<void> only_asks(const Context& ctx, KeyValueStore& store, const StoreKey& number,
                      const StoreKey& absent) {
  const Result<Value> before = co_await store.get(ctx, number);
  if (!before) co_return before.error();
  const AddOptions any;
  auto held = co_await expect_sum(ctx, store, number, 0, any, Sum{42, true});
  if (!held) co_return held;
  const Result<Value> after = co_await store.get(ctx, number);
  if (!after) co_return after.error();
  held = require((*after)->version() == (*before)->version(), "add() of 0 writes");
  if (!held) co_return held;
  if (held = co_await expect_sum(ctx, store, absent, 0, any, Sum{0, true}); !held) co_return held;
  co_return co_await expect(ctx, store, absent, std::nullopt);
}

Async<void> adds_to_what_is_there(const Context& ctx, KeyValueStore& store, const PassTime& pass) {
  const StoreKey k = key("number", kTwo);
  const AddOptions brief{.ttl = 400ms};
  const Result<std::int64_t> first = co_await put(ctx, store, k, "41");
  if (!first) co_return first.error();
  auto held = co_await expect_sum(ctx, store, k, 1, brief, Sum{42, true});
  if (!held) co_return held;
  const Result<Value> got = co_await store.get(ctx, k);
  if (!got) co_return got.error();
  if (!*got || (*got)->version() <= *first) co_return broken("add() gives no new version");
  const StoreKey made = key("made by add");
  if (held = co_await only_asks(ctx, store, k, made); !held) co_return held;
  for (const std::int64_t sum : {1, 2}) {
    held = co_await expect_sum(ctx, store, made, 1, brief, Sum{sum, true});
    if (!held) co_return held;
    pass(250ms);
  }
  if (held = co_await expect(ctx, store, k, "42"); !held) co_return held;
  if (held = co_await expect(ctx, store, made, std::nullopt); !held) co_return held;
  held = co_await expect_sum(ctx, store, made, 7, brief, Sum{7, true});
  if (!held) co_return held;
  const AddOptions any;
  for (const std::string_view text : {"", "x", "1 ", " 1", "1.5", "9223372036854775808"}) {
    if (auto done = co_await put(ctx, store, k, text); !done) co_return done.error();
    const auto sum = co_await store.add(ctx, k, 1, any);
    held = require_error(sum, Errc::data_loss, "add() to what is no number");
    if (!held) co_return held;
  }
  const AddOptions never{.ttl = 0ms};
  const auto sum = co_await store.add(ctx, made, 1, never);
  co_return require_error(sum, Errc::invalid_argument, "add() without time to live");
}

Async<void> adds_one_after_the_other(const Context& ctx, KeyValueStore& store,
                                     const PassTime& /*pass*/) {
  constexpr int kEach = 20;
  constexpr int kMost = 50;
  const StoreKey k = key("contended");
  const AddOptions options{.at_most = kMost};
  int added = 0;
  const auto adder = [&](const Context& own) -> Async<void> {
    for (int i = 0; i < kEach; ++i) {
      const Result<Sum> sum = co_await store.add(own, k, 1, options);
      if (!sum) co_return sum.error();
      if (sum->added) ++added;
    }
    co_return success();
  };
  const auto done = co_await all(ctx, adder, adder, adder, adder);
  if (!done) co_return done.error();
  if (added != kMost) co_return broken("add() of several at once loses some, or adds too many");
  co_return co_await expect(ctx, store, k, std::to_string(kMost));
}

Async<void> lists_in_order(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  for (const std::string_view name : {"p/2", "q", "p/10", "p/\xff", "p", "p/1"}) {
    const StoreKey k = key(name);
    if (auto done = co_await put(ctx, store, k, "x"); !done) co_return done.error();
  }
  std::vector<std::string> names;
  for (std::string after; names.size() < 10;) {
    const KeyPage page{.prefix = "p/", .after = after, .limit = 3};
    const auto listed = co_await store.list(ctx, kOne, page);
    if (!listed) co_return listed.error();
    if (listed->empty()) break;
    for (const StoreKey& found : *listed) names.push_back(found.name());
    after = names.back();
  }
  const std::vector<std::string> expected{"p/1", "p/10", "p/2", "p/\xff"};
  co_return require(names == expected, "list() does not give all keys of a prefix in byte order");
}

Async<void> takes_any_bytes(const Context& ctx, KeyValueStore& store, const PassTime& /*pass*/) {
  using namespace std::string_view_literals;
  const std::string large(std::size_t{100} << 10, '\xfe');
  const std::string all = all_bytes();
  const std::vector<std::pair<StoreKey, std::string>> pairs{
      {key("\0"sv), ""},
      {key("\0\0"sv), "\0"},
      {key("% _'\""), all},
      {key(all), large},
      {key("x", TenantId()), "anonymous"},
      {key(std::string(StoreKey::kMaxSize, 'k')), "long"}};
  for (const auto& [k, text] : pairs) {
    if (auto done = co_await put(ctx, store, k, text); !done) co_return done.error();
  }
  for (const auto& [k, text] : pairs) {
    if (auto held = co_await expect(ctx, store, k, text); !held) co_return held;
  }
  co_return success();
}

Async<void> refuses_bad_arguments(const Context& ctx, KeyValueStore& store,
                                  const PassTime& /*pass*/) {
  for (const std::string& name : {std::string(), std::string(StoreKey::kMaxSize + 1, 'k')}) {
    const StoreKey bad = key(name);
    const auto done = co_await put(ctx, store, bad, "x");
    if (auto held = require_error(done, Errc::invalid_argument, "put() under a bad key"); !held) {
      co_return held;
    }
    const auto got = co_await store.get(ctx, bad);
    if (auto held = require_error(got, Errc::invalid_argument, "get() of a bad key"); !held) {
      co_return held;
    }
  }
  const StoreKey k = key("k");
  const Bytes value = Bytes::literal("x");
  const PutOptions never{.ttl = 0ms};
  const auto done = co_await store.put(ctx, k, value, never);
  co_return require_error(done, Errc::invalid_argument, "put() without time to live");
}

constexpr std::array<StoreCase<KeyValueStore>, 11> kCases{{
    {"keeps values, and versions ascend", &keeps_values},
    {"keeps equal keys of two tenants apart", &keeps_tenants_apart},
    {"compares versions before it writes or erases", &compares_versions},
    {"repeats no version after an erase", &repeats_no_version},
    {"lets values expire", &lets_values_expire},
    {"adds to numbers, up to a bound", &adds},
    {"adds to what was put, and lets what it made expire", &adds_to_what_is_there},
    {"adds for several at once without losing any", &adds_one_after_the_other},
    {"lists the keys of a prefix in order, page by page", &lists_in_order},
    {"takes any bytes as key and value", &takes_any_bytes},
    {"refuses bad keys and times", &refuses_bad_arguments},
}};

}  // namespace

std::span<const StoreCase<KeyValueStore>> key_value_store_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
