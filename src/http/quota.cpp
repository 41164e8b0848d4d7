#include "aiserve/http/quota.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/context.hpp"
#include "decide/quota.hpp"
#include "http/client_network.hpp"

namespace aiserve::inline v0 {
namespace {

using decide::QuotaStanding;
using decide::QuotaWindow;

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestKey = 512;
// Beyond the end of its window, for clocks that don't agree.
constexpr std::chrono::hours kKeptLonger{24};

QuotaOptions checked(QuotaOptions options) {
  const auto refuse = [](const char* what) { throw ConfigError("quota: " + std::string(what)); };
  const QuotaLimits& limits = options.limits;
  if (!options.limits_of && !limits.per_day && !limits.per_month) refuse("limits are missing");
  if (limits.per_day.value_or(0) < 0) refuse("per_day is less than 0");
  if (limits.per_month.value_or(0) < 0) refuse("per_month is less than 0");
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  const std::string& name = options.name;
  const bool good = !name.empty() && name.size() <= kLongestName &&
                    std::all_of(name.begin(), name.end(), is_plain);
  if (!good) refuse("name must be 1 to 64 letters, digits, '-' or '_'");
  return options;
}

std::int64_t pure(const std::optional<std::int64_t>& limit) noexcept {
  return limit ? std::max<std::int64_t>(*limit, 0) : decide::kNoQuota;
}

std::optional<Quota::Standing> public_standing(const QuotaStanding& of, const QuotaWindow& window) {
  if (of.limit == decide::kNoQuota) return std::nullopt;
  return Quota::Standing{of.limit, of.remaining(), Duration(window.reset_after),
                         Duration(window.length)};
}

}  // namespace

// The count of one day or month.
struct Quota::Count {
  Count(StoreKey its_key, const QuotaWindow& of, std::int64_t limit)
      : key(std::move(its_key)), window(of), standing{limit, 0} {}

  StoreKey key;
  QuotaWindow window;
  QuotaStanding standing;
  bool taken = false;
};

Quota::Quota(KeyValueStore& store, QuotaOptions options)
    : store_(store), options_(checked(std::move(options))) {}

// `amount` 0 asks how the count stands.
Async<void> Quota::add(const Context& ctx, Count& count, std::int64_t amount) {
  count.taken = true;
  if (count.standing.limit == decide::kNoQuota) co_return success();
  // After its window nobody asks for the count any more.
  const auto kept = Duration(count.window.reset_after) + kKeptLonger;
  const AddOptions options{.at_most = count.standing.limit,
                           .ttl = std::chrono::ceil<std::chrono::milliseconds>(kept)};
  const Result<Sum> sum = co_await store_.add(ctx, count.key, amount, options);
  if (!sum.ok()) co_return sum.error();
  count.standing.used = sum->value;
  count.taken = sum->added;
  co_return success();
}

Async<Quota::Verdict> Quota::take(const Context& ctx, const std::string& key, std::int64_t amount,
                                  WallTime now) {
  if (key.size() > kLongestKey || amount < 1) {
    co_return Error(Errc::invalid_argument, "a quota's key or amount is out of its range");
  }
  const QuotaLimits limits =
      options_.limits_of ? options_.limits_of(ctx.tenant()) : options_.limits;
  const std::int64_t wall = now.time_since_epoch().count();
  const auto count_of = [&](char kind, const QuotaWindow& window,
                            const std::optional<std::int64_t>& limit) {
    std::string name = "quota/" + options_.name + "/" + kind + std::to_string(window.number) + "/";
    return Count(StoreKey(ctx.tenant().id(), std::move(name) + key), window, pure(limit));
  };
  Count day = count_of('d', decide::quota_day(wall), limits.per_day);
  Count month = count_of('m', decide::quota_month(wall), limits.per_month);
  if (auto done = co_await add(ctx, day, amount); !done) co_return done.error();
  const std::int64_t then = day.taken ? amount : 0;
  if (auto done = co_await add(ctx, month, then); !done) co_return done.error();
  Verdict verdict;
  verdict.allowed = day.taken && month.taken;
  if (day.taken && !month.taken) {
    // Both or neither.
    if (auto done = co_await add(ctx, day, -amount); !done) co_return done.error();
  }
  verdict.day = public_standing(day.standing, day.window);
  verdict.month = public_standing(month.standing, month.window);
  if (!verdict.allowed) {
    verdict.retry_after =
        Duration(decide::quota_retry_after(day.standing, month.standing, amount, wall));
  }
  co_return verdict;
}

namespace http {
namespace {

std::string seconds(Duration time) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(time).count());
}

void add_fields(Response& response, const std::string& name,
                const std::optional<Quota::Standing>& standing) {
  if (!standing) return;
  response.add_header("RateLimit-Policy", name + ";q=" + std::to_string(standing->limit) +
                                              ";w=" + seconds(standing->window));
  response.add_header("RateLimit", name + ";r=" + std::to_string(standing->remaining) +
                                       ";t=" + seconds(standing->reset_after));
}

std::string count_of(const LimitKey& key, const Context& ctx, const Request& request) {
  if (key) return "k:" + key(ctx, request);
  return ctx.tenant().is_anonymous() ? "c:" + detail::client_network(request.client()) : "t";
}

Error refusal(const Quota::Verdict& verdict) {
  return Error(Errc::rate_limited, "the quota is used up")
      .retry_after(std::chrono::ceil<std::chrono::milliseconds>(verdict.retry_after));
}

}  // namespace

detail::AroundHook quota(Quota& quota, LimitKey key) {
  return [&quota, key = std::move(key)](const Context& ctx, const Request& request,
                                        const Next& next) -> Async<Response> {
    const std::string count = count_of(key, ctx, request);
    const WallTime now = request.clock().wall_now();
    const Result<Quota::Verdict> verdict = co_await quota.take(ctx, count, 1, now);
    if (!verdict) co_return verdict.error();
    Result<Response> result = refusal(*verdict);
    if (verdict->allowed) result = co_await next(ctx, request);
    if (!result.ok()) {
      if (traits(result.error().code()).http_status == 500) co_return result;  // one for the log
      result = problem(ctx, result.error());
    }
    const std::string& name = quota.options().name;
    add_fields(*result, '"' + name + "-day\"", verdict->day);
    add_fields(*result, '"' + name + "-month\"", verdict->month);
    co_return result;
  };
}

detail::BeforeHook within_quota(Quota& quota, LimitKey key) {
  return detail::make_before(
      [&quota, key = std::move(key)](const Context& ctx, const Request& request) -> Async<void> {
        const std::string count = count_of(key, ctx, request);
        const WallTime now = request.clock().wall_now();
        const Result<Quota::Verdict> verdict = co_await quota.take(ctx, count, 1, now);
        if (!verdict) co_return verdict.error();
        if (!verdict->allowed) co_return refusal(*verdict);
        co_return success();
      });
}

}  // namespace http
}  // namespace aiserve::inline v0
