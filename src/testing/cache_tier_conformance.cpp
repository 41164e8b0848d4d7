#include "aiserve/testing/cache_tier_conformance.hpp"

#include <array>
#include <string>

namespace aiserve::inline v0::testing {
namespace {

const TenantId kOne("conformance-1");
const TenantId kTwo("conformance-2");

TierKey key(std::string_view text, const TenantId& tenant = kOne) {
  return {tenant, Bytes::copy(text)};
}
TierEntry entry(const TierKey& key, std::string_view value) {
  return {key, Bytes::copy(value), WallTime::max()};
}

Error broken(std::string message) { return Error(Errc::internal, std::move(message)); }

/// What the tier has for each key, compared with what it must have.
Async<void> expect(const Context& ctx, CacheTier& tier, std::vector<TierKey> keys,
                   std::vector<std::optional<std::string>> values) {
  const Result<TierValues> got = co_await tier.get(ctx, keys);
  if (!got) co_return got.error();
  if (got->size() != keys.size()) co_return broken("get() returned not one value per key");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& value = (*got)[i];
    const std::string which = "key " + std::to_string(i);
    if (!value && values[i]) co_return broken(which + " was put and is not there");
    if (value && !values[i]) co_return broken(which + " is there and must not be");
    if (value && value->text() != *values[i]) co_return broken(which + " has another value");
  }
  co_return success();
}

Async<void> returns_what_was_put(const Context& ctx, CacheTier& tier) {
  const std::vector<TierKey> keys{key("a"), key("absent"), key("b"), key("a")};
  const std::vector<TierEntry> entries{entry(keys[0], "1"), entry(keys[2], "2")};
  if (auto put = co_await tier.put(ctx, entries); !put) co_return put;
  const std::vector<std::optional<std::string>> values{"1", std::nullopt, "2", "1"};
  co_return co_await expect(ctx, tier, keys, values);
}

Async<void> keeps_tenants_apart(const Context& ctx, CacheTier& tier) {
  const std::vector<TierKey> keys{key("same", kOne), key("same", kTwo)};
  const std::vector<TierEntry> one{entry(keys[0], "of one")};
  if (auto put = co_await tier.put(ctx, one); !put) co_return put;
  const std::vector<std::optional<std::string>> first{"of one", std::nullopt};
  if (auto held = co_await expect(ctx, tier, keys, first); !held) co_return held;
  const std::vector<TierEntry> two{entry(keys[1], "of two")};
  if (auto put = co_await tier.put(ctx, two); !put) co_return put;
  const std::vector<std::optional<std::string>> both{"of one", "of two"};
  co_return co_await expect(ctx, tier, keys, both);
}

Async<void> keeps_the_later_value(const Context& ctx, CacheTier& tier) {
  const std::vector<TierKey> keys{key("replaced")};
  const std::vector<TierEntry> twice{entry(keys[0], "1"), entry(keys[0], "2")};
  if (auto put = co_await tier.put(ctx, twice); !put) co_return put;
  const std::vector<std::optional<std::string>> second{"2"};
  if (auto held = co_await expect(ctx, tier, keys, second); !held) co_return held;
  const std::vector<TierEntry> again{entry(keys[0], "3")};
  if (auto put = co_await tier.put(ctx, again); !put) co_return put;
  const std::vector<std::optional<std::string>> third{"3"};
  co_return co_await expect(ctx, tier, keys, third);
}

Async<void> erases(const Context& ctx, CacheTier& tier) {
  const std::vector<TierKey> keys{key("kept"), key("erased"), key("never there")};
  const std::vector<TierEntry> entries{entry(keys[0], "1"), entry(keys[1], "2")};
  if (auto put = co_await tier.put(ctx, entries); !put) co_return put;
  const std::span<const TierKey> gone = std::span(keys).subspan(1);
  if (auto erased = co_await tier.erase(ctx, gone); !erased) co_return erased;
  const std::vector<std::optional<std::string>> values{"1", std::nullopt, std::nullopt};
  co_return co_await expect(ctx, tier, keys, values);
}

Async<void> erases_a_tenant(const Context& ctx, CacheTier& tier) {
  const std::vector<TierKey> keys{key("x", kOne), key("y", kOne), key("x", kTwo)};
  const std::vector<TierEntry> entries{entry(keys[0], "1"), entry(keys[1], "2"),
                                       entry(keys[2], "3")};
  if (auto put = co_await tier.put(ctx, entries); !put) co_return put;
  if (auto erased = co_await tier.erase_tenant(ctx, kOne); !erased) co_return erased;
  const std::vector<std::optional<std::string>> values{std::nullopt, std::nullopt, "3"};
  if (auto held = co_await expect(ctx, tier, keys, values); !held) co_return held;
  const TenantId unknown("conformance-unknown");
  co_return co_await tier.erase_tenant(ctx, unknown);
}

Async<void> takes_any_bytes(const Context& ctx, CacheTier& tier) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string large(std::size_t{100} << 10, '\xff');
  using namespace std::string_view_literals;
  const std::vector<TierKey> keys{key(""),  key("\0"sv),  key("\0\0"sv), key("% _'"),
                                  key(all), key("large"), key("x"),      key("x", TenantId())};
  const std::vector<std::string> values{"empty key", "",    "two zeros",   "quoted",
                                        all,         large, "\0"sv.data(), "no tenant"};
  std::vector<TierEntry> entries;
  std::vector<std::optional<std::string>> expected;
  entries.reserve(keys.size());
  expected.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    entries.push_back(entry(keys[i], values[i]));
    expected.emplace_back(values[i]);
  }
  if (auto put = co_await tier.put(ctx, entries); !put) co_return put;
  co_return co_await expect(ctx, tier, keys, expected);
}

Async<void> takes_empty_calls(const Context& ctx, CacheTier& tier) {
  const Result<TierValues> got = co_await tier.get(ctx, std::span<const TierKey>());
  if (!got) co_return got.error();
  if (!got->empty()) co_return broken("get() of no keys returned values");
  if (auto put = co_await tier.put(ctx, std::span<const TierEntry>()); !put) co_return put;
  co_return co_await tier.erase(ctx, std::span<const TierKey>());
}

constexpr std::array<CacheTierCase, 7> kCases{{
    {"returns what was put, in the order of the keys", &returns_what_was_put},
    {"keeps equal keys of two tenants apart", &keeps_tenants_apart},
    {"keeps the later value of a key", &keeps_the_later_value},
    {"erases keys, those that are not there too", &erases},
    {"erases a tenant and leaves the others", &erases_a_tenant},
    {"takes any bytes as key and value", &takes_any_bytes},
    {"takes calls without keys", &takes_empty_calls},
}};

}  // namespace

std::span<const CacheTierCase> cache_tier_cases() noexcept { return kCases; }

}  // namespace aiserve::inline v0::testing
