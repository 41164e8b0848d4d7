#include "jobs/rate_rows.hpp"

#include <algorithm>
#include <charconv>

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr int kTries = 8;
constexpr std::chrono::milliseconds kSkew = 1min;  // between the clocks of hosts
constexpr std::chrono::milliseconds kLongestLife = std::chrono::hours(24 * 3650);

/// What somebody else put there is no rate.
decide::Nanos number_in(std::string_view text) noexcept {
  decide::Nanos number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size()
             ? std::max<decide::Nanos>(number, 0)
             : 0;
}

/// FNV-1a (RFC draft-eastlake-fnv), the same in every program.
std::uint64_t digest_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

StoreKey RateRows::key(const TenantId& tenant, std::string_view kind,
                       std::string_view order_key) const {
  std::string name = options_.prefix + std::string(kind);
  if (!order_key.empty()) name.append(1, '/').append(order_key);
  if (name.size() > StoreKey::kMaxSize) {
    const std::string digest = '#' + std::to_string(digest_of(name));
    name.resize(StoreKey::kMaxSize - digest.size());
    name += digest;
  }
  return {tenant, std::move(name)};
}

decide::Nanos RateRows::spent(const decide::StartRate& limit,
                              const std::optional<RateView>& seen) const {
  return seen ? decide::plausible(limit, seen->spent_until, now(), Duration(kSkew).count()) : 0;
}

std::size_t RateRows::may_start(const decide::StartRate& limit,
                                const std::optional<RateView>& seen) const {
  return decide::may_start(limit, spent(limit, seen), now());
}

Duration RateRows::until_next(const decide::StartRate& limit,
                              const std::optional<RateView>& seen) const {
  const decide::Nanos next = decide::next_start(limit, spent(limit, seen));
  return Duration(std::max<decide::Nanos>(next - now(), 0));
}

Async<std::size_t> RateRows::take(const Context& ctx, const StoreKey& key,
                                  const decide::StartRate& limit, std::size_t wanted,
                                  std::optional<RateView>& seen) const {
  for (int i = 0; i < kTries; ++i) {
    if (!seen) {
      const Result<void> found = co_await read(ctx, key, seen);
      if (!found) co_return found.error();
    }
    const std::size_t count = std::min(wanted, may_start(limit, seen));
    if (count == 0) co_return 0;
    const decide::Nanos until = decide::spend(limit, spent(limit, seen), count, now());
    const Result<void> written = co_await write(ctx, key, until, seen);
    if (written) co_return count;
    if (written.error().code() != Errc::conflict) co_return written.error();
  }
  co_return Error(Errc::conflict, "too many take from one rate");
}

Async<void> RateRows::give_back(const Context& ctx, const StoreKey& key,
                                const decide::StartRate& limit, std::size_t count,
                                std::optional<RateView>& seen) const {
  for (int i = 0; i < kTries; ++i) {
    if (!seen) {
      const Result<void> found = co_await read(ctx, key, seen);
      if (!found) co_return found.error();
    }
    // All that was spent is over.
    if (spent(limit, seen) <= now()) co_return success();
    const decide::Nanos until = decide::unspend(limit, spent(limit, seen), count);
    const Result<void> written = co_await write(ctx, key, until, seen);
    if (written || written.error().code() != Errc::conflict) co_return written;
  }
  co_return Error(Errc::conflict, "too many take from one rate");
}

Async<void> RateRows::read(const Context& ctx, const StoreKey& key,
                           std::optional<RateView>& seen) const {
  const Result<std::optional<Versioned>> found = co_await options_.store->get(ctx, key);
  if (!found) co_return found.error();
  seen.emplace();
  if (*found)
    seen = {.spent_until = number_in((*found)->value().text()), .version = (*found)->version()};
  co_return success();
}

// After an error the row may have been written or not: it is not known any more.
Async<void> RateRows::write(const Context& ctx, const StoreKey& key, decide::Nanos spent_until,
                            std::optional<RateView>& seen) const {
  const Duration left = Duration(std::max<decide::Nanos>(spent_until - now(), 0));
  const PutOptions options{
      .if_version = seen->version,
      .ttl = std::min(std::chrono::ceil<std::chrono::milliseconds>(left) + kSkew, kLongestLife)};
  const Bytes text = Bytes::adopt(std::to_string(spent_until));
  seen.reset();
  const Result<std::int64_t> version = co_await options_.store->put(ctx, key, text, options);
  if (!version) co_return version.error();
  seen = {.spent_until = spent_until, .version = *version};
  co_return success();
}

}  // namespace aiserve::inline v0::detail
