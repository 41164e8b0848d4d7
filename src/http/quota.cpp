#include "aiserve/http/quota.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "aiserve/core/clock.hpp"
#include "aiserve/core/context.hpp"
#include "decide/quota.hpp"
#include "http/client_network.hpp"

namespace aiserve::inline v0 {
namespace {

using decide::QuotaCounts;

constexpr int kTries = 100;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestKey = 512;
// Beyond the end of the month, for clocks that don't agree.
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

decide::QuotaLimits pure(const QuotaLimits& limits) noexcept {
  const auto value = [](const std::optional<std::int64_t>& limit) {
    return limit ? std::max<std::int64_t>(*limit, 0) : decide::kNoQuota;
  };
  return {value(limits.per_day), value(limits.per_month)};
}

// "20779 12 682 340": number and count of the day, of the month.
Bytes encode(const QuotaCounts& counts) {
  std::string text;
  for (const std::int64_t number :
       {counts.day.window, counts.day.used, counts.month.window, counts.month.used}) {
    text.append(text.empty() ? "" : " ").append(std::to_string(number));
  }
  return Bytes::adopt(std::move(text));
}

std::optional<QuotaCounts> decode(std::string_view text) noexcept {
  std::array<std::int64_t, 4> numbers{};
  for (std::int64_t& number : numbers) {
    if (&number != numbers.data() && text.starts_with(' ')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  if (!text.empty() || numbers[1] < 0 || numbers[3] < 0) return std::nullopt;
  return QuotaCounts{{numbers[0], numbers[1]}, {numbers[2], numbers[3]}};
}

std::optional<Quota::Standing> standing(const decide::QuotaStanding& of) {
  if (of.limit == decide::kNoQuota) return std::nullopt;
  return Quota::Standing{of.limit, of.remaining, Duration(of.reset_after), Duration(of.window)};
}

// After that nobody asks for the count any more.
std::chrono::milliseconds kept(const decide::QuotaVerdict& verdict) noexcept {
  return std::chrono::ceil<std::chrono::milliseconds>(Duration(verdict.month.reset_after)) +
         kKeptLonger;
}

Quota::Verdict public_verdict(const decide::QuotaVerdict& verdict) {
  return {verdict.allowed, standing(verdict.day), standing(verdict.month),
          Duration(verdict.retry_after)};
}

}  // namespace

Quota::Quota(KeyValueStore& store, QuotaOptions options)
    : store_(store), options_(checked(std::move(options))) {}

Async<Quota::Verdict> Quota::take(const Context& ctx, const std::string& key, std::int64_t amount,
                                  WallTime now) {
  if (key.size() > kLongestKey || amount < 1) {
    co_return Error(Errc::invalid_argument, "a quota's key or amount is out of its range");
  }
  const StoreKey at(ctx.tenant().id(), "quota/" + options_.name + "/" + key);
  const decide::QuotaLimits limits =
      pure(options_.limits_of ? options_.limits_of(ctx.tenant()) : options_.limits);
  for (int i = 0; i < kTries; ++i) {
    const Result<std::optional<Versioned>> old = co_await store_.get(ctx, at);
    if (!old) co_return old.error();
    const bool there = old->has_value();
    auto counts = there ? decode((*old)->value().text()) : QuotaCounts();
    if (!counts) co_return Error(Errc::data_loss, "a quota's count cannot be read");
    const decide::QuotaVerdict verdict =
        decide::quota_take(*counts, limits, amount, now.time_since_epoch().count());
    if (!verdict.allowed) co_return public_verdict(verdict);
    const Bytes value = encode(*counts);
    const PutOptions same{.if_version = there ? (*old)->version() : PutOptions::kAbsent,
                          .ttl = kept(verdict)};
    const Result<std::int64_t> put = co_await store_.put(ctx, at, value, same);
    if (put.ok()) co_return public_verdict(verdict);
    if (put.error().code() != Errc::conflict) co_return put.error();
  }
  co_return Error(Errc::overloaded, "the quota is in use by too many")
      .retry_after(std::chrono::seconds(1));
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

}  // namespace http
}  // namespace aiserve::inline v0
