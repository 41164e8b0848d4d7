#include "cache/memo_core.hpp"

#include <algorithm>
#include <cstring>

#include "cache/check_memo_options.hpp"
#include "cache/error_bytes.hpp"
#include "cache/memo_flight.hpp"
#include "core/random.hpp"
#include "decide/lookup.hpp"

namespace aiserve::inline v0::detail {
namespace {

using Verdict = MemoLookup::Verdict;

// About what an entry takes beside its value.
constexpr std::size_t kNegativeOverhead = 128;

MemoOptions checked(const std::string& name, const CacheOptions& cache, MemoOptions options) {
  check_memo_options(name, cache, options);
  return options;
}

decide::Nanos nanos(Duration duration) noexcept { return duration.count(); }

decide::Found what_is(const std::optional<TierHit>& found) noexcept {
  if (!found) return decide::Found::nothing;
  if (found->hit.negative) return found->expired ? decide::Found::nothing : decide::Found::negative;
  if (found->expired) return decide::Found::expired;
  return found->hit.stale ? decide::Found::stale : decide::Found::fresh;
}

decide::Ask what_is_asked(const CacheControl& control) noexcept {
  decide::Ask ask{.no_cache = control.no_cache, .only_if_cached = control.only_if_cached};
  if (control.max_age) ask.max_age = nanos(*control.max_age);
  return ask;
}

// RFC 5861 section 4 names 500, 502, 503 and 504.
bool may_pass(Errc code) noexcept {
  return code == Errc::internal || code == Errc::unavailable || code == Errc::overloaded ||
         code == Errc::deadline_exceeded;
}

}  // namespace

MemoryKey::MemoryKey(std::string_view name, const Digest& digest) noexcept {
  const std::array<char, Digest::kSize> bytes = digest.bytes();
  std::memcpy(bytes_.data(), name.data(), name.size());
  bytes_[name.size()] = static_cast<char>(bytes.size());
  std::memcpy(bytes_.data() + name.size() + 1, bytes.data(), bytes.size());
  size_ = name.size() + 1 + bytes.size();
}

MemoCore::MemoCore(Loading& loading, std::string name, MemoOptions options)
    : loading_(loading),
      name_(std::move(name)),
      prefix_(CacheKey(name_).bytes()),
      options_(checked(name_, loading.options(), std::move(options))),
      namespaces_(loading.namespace_labels(name_)),
      flights_(loading.runtime(), loading.gate(),
               {.members = options_.max_waiters, .flights = options_.max_loads}),
      negative_bytes_(options_.negative_capacity,
                      std::max<Duration::rep>(1, nanos(options_.negative_ttl))),
      loads_ok_(counter("ok")),
      loads_failed_(counter("error")),
      stood_in_(metrics().counter("aiserve_cache_stale_if_error_total",
                                  "Expired results that stood in for an error.", labels())),
      load_seconds_(metrics().histogram("aiserve_cache_load_seconds",
                                        "What loaders of memoized operations took.", labels())) {
  set_version(options_.version);
}

Metrics& MemoCore::metrics() const noexcept { return loading_.runtime().telemetry().metrics(); }

Labels MemoCore::labels() const { return {{"cache", loading_.options().name}, {"memo", name_}}; }

Counter& MemoCore::counter(const char* result) const {
  Labels all = labels();
  all.add({"result", result});
  return metrics().counter("aiserve_cache_loads_total", "Runs of loaders of memoized operations.",
                           all);
}

void MemoCore::set_version(std::string text) {
  if (text.size() > kMostVersion) text.resize(kMostVersion);
  const std::scoped_lock lock(mutex_);
  auto known = std::find_if(versions_.begin(), versions_.end(),
                            [&](const MemoVersion& version) { return version.text == text; });
  if (known == versions_.end()) {
    Digester digester(loading_.digest_key());
    digester.add(name_).add(text);
    EntryLabels all = namespaces_;
    loading_.add(all, kVersionLabel, {}, version_text(name_, text));
    known =
        versions_.insert(versions_.end(), MemoVersion{std::move(text), std::move(all), digester});
  }
  version_.store(&*known, std::memory_order_release);
}

bool MemoCore::erase(const TenantId& tenant, const Digest& digest) {
  const bool erased = erase_here(tenant, digest);
  loading_.tell({.kind = kResultNote, .tenant = tenant, .text = name_, .digest = digest});
  return erased;
}

bool MemoCore::erase_here(const TenantId& tenant, const Digest& digest) {
  for (const bool anew : {false, true}) flights_.detach({tenant, digest, anew});
  if (!loading_.tiers().empty()) loading_.tiers().erase(tier_key(tenant, digest));
  return loading_.memory().erase(tenant, memory_key(digest));
}

MemoLookup MemoCore::look_up(const Context& ctx, const MemoKey& key, const CacheControl& control) {
  std::optional<TierHit> found;
  if (!control.no_cache) {
    found = loading_.memory().find_also_expired(ctx.tenant().id(), memory_key(key.digest), now());
  }
  const decide::Nanos age = found ? nanos(found->hit.age) : 0;
  MemoLookup lookup(Verdict::load, key, control);
  switch (decide::decide_lookup(what_is(found), age, what_is_asked(control))) {
    case decide::LookupAction::serve:
      lookup.verdict = Verdict::serve;
      break;
    case decide::LookupAction::serve_and_refresh:
      lookup.verdict = Verdict::serve_and_refresh;
      break;
    case decide::LookupAction::fail:
      lookup.error = decode_error(found->hit.value);
      return lookup;
    case decide::LookupAction::refuse:
      lookup.error = Error(Errc::not_found, "not in the cache");
      return lookup;
    case decide::LookupAction::load:
      return lookup;
    case decide::LookupAction::load_or_expired:
      break;
  }
  lookup.value = std::move(found->hit.value);
  return lookup;
}

Async<Bytes> MemoCore::load(const Context& ctx, const MemoLookup& lookup,
                            const MemoHandle::MakeSource& source) {
  if (const Result<void> alive = ctx.check(now()); !alive) co_return alive.error();
  const TenantId& tenant = ctx.tenant().id();
  const FlightOrder::MakeWork work = [&] {
    return std::make_shared<MemoFlight>(*this, tenant, lookup.key, source());
  };
  FlightKey key = flight_key(tenant, lookup.key.digest, asks_no_tier(lookup.control));
  const FlightOrder order(std::move(key), !lookup.control.no_store, work);
  const std::function<void()> joined = [&] {
    loading_.memory().count_coalesced(tenant, memory_key(lookup.key.digest));
  };
  Result<Bytes> result = co_await flights_.fly(ctx, order, joined);
  if (result || !lookup.value || !may_pass(result.error().code())) co_return result;
  stood_in_.inc();
  co_return *lookup.value;
}

void MemoCore::refresh(const Context& ctx, const MemoLookup& lookup,
                       const MemoHandle::MakeSource& source) {
  if (pauses_.paused(lookup.key.digest, now())) return;
  ContextOptions options;
  options.tenant = ctx.tenant();
  options.deadline = Deadline::after(now(), options_.refresh_timeout);
  options.priority = Priority::background;
  options.trace = ctx.trace();
  const TenantId& tenant = ctx.tenant().id();
  const FlightOrder::MakeWork work = [&] {
    return std::make_shared<MemoFlight>(*this, tenant, lookup.key, source());
  };
  FlightKey key = flight_key(tenant, lookup.key.digest, true);
  flights_.refresh(FlightOrder(std::move(key), true, work), Context(std::move(options)));
}

TierKey MemoCore::tier_key(const TenantId& tenant, const Digest& digest) const {
  const MemoryKey key = memory_key(digest);
  return {tenant, Bytes::copy(KeyView(key).bytes())};
}

void MemoCore::store(const MemoFlight& flight, const Bytes& value, Duration cost) {
  const decide::Lifetimes lifetimes{.soft = nanos(options_.soft_ttl.value_or(kForever)),
                                    .hard = nanos(options_.ttl.value_or(loading_.options().ttl)),
                                    .stale_if_error = nanos(options_.stale_if_error),
                                    .jitter = options_.ttl_jitter};
  const std::uint64_t random = random_u64();
  const decide::Expiry from_now = decide::expiry(lifetimes, 0, random);
  const TierPut what{.ttl = Duration(from_now.hard),
                     .soft_ttl = Duration(from_now.soft),
                     .stale_if_error = options_.stale_if_error,
                     .cost = cost,
                     .stamp = flight.stamp(),
                     .labels = flight.labels().memory};
  // No room for it is counted there, and no matter to those who wait.
  static_cast<void>(
      loading_.memory().put(flight.tenant(), memory_key(flight.digest()), value, now(), what));
  if (loading_.tiers().empty()) return;
  const decide::Nanos wall = loading_.runtime().clock().wall_now().time_since_epoch().count();
  const TierRecord record{.value = value,
                          .expiry = decide::expiry(lifetimes, wall, random),
                          .cost = nanos(cost),
                          .born = flight.born(),
                          .labels = flight.labels().tiers};
  loading_.tiers().write(tier_key(flight.tenant(), flight.digest()), record);
}

// What is left of the times that the record was written with.
void MemoCore::keep(const MemoFlight& flight, const TierRecord& found) {
  const decide::Nanos wall = loading_.runtime().clock().wall_now().time_since_epoch().count();
  const auto left = [wall](decide::Nanos until) {
    if (until == decide::kNever) return kForever;
    return std::max<Duration>(Duration(until - wall), std::chrono::milliseconds(1));
  };
  const TierPut what{.ttl = left(found.expiry.hard),
                     .soft_ttl = left(found.expiry.soft),
                     .stale_if_error = options_.stale_if_error,
                     .cost = Duration(found.cost),
                     .stamp = flight.stamp(),
                     .labels = flight.labels().memory};
  static_cast<void>(loading_.memory().put(flight.tenant(), memory_key(flight.digest()), found.value,
                                          now(), what));
}

void MemoCore::remember(const MemoFlight& flight, const Error& error) {
  if (options_.negative_ttl <= Duration::zero()) return;
  const auto& codes = options_.negative_codes;
  if (std::find(codes.begin(), codes.end(), error.code()) == codes.end()) return;
  const Bytes bytes = encode_error(error);
  {
    const std::scoped_lock lock(mutex_);
    if (!negative_bytes_.take(bytes.size() + kNegativeOverhead, nanos(now().time_since_epoch()))) {
      return;
    }
  }
  const TierPut what{.ttl = options_.negative_ttl,
                     .negative = true,
                     .stamp = flight.stamp(),
                     .labels = flight.labels().memory};
  static_cast<void>(
      loading_.memory().put(flight.tenant(), memory_key(flight.digest()), bytes, now(), what));
}

void MemoCore::refresh_failed(const MemoFlight& flight, const Error& error) {
  pauses_.pause(flight.digest(), now() + options_.refresh_pause);
  loading_.runtime().telemetry().log().warn("a refresh of the cache failed",
                                            {{"memo", name_}, {"error", error.to_string()}});
}

const MemoVersion& MemoHandle::version() const noexcept { return core_->version(); }
Digester MemoHandle::digester(const MemoVersion& version) noexcept { return version.digester; }

MemoLookup MemoHandle::look_up(const Context& ctx, const MemoKey& key,
                               const CacheControl& control) const {
  return core_->look_up(ctx, key, control);
}

Async<Bytes> MemoHandle::load(const Context& ctx, const MemoLookup& lookup,
                              const MakeSource& source) const {
  return core_->load(ctx, lookup, source);
}

void MemoHandle::refresh(const Context& ctx, const MemoLookup& lookup,
                         const MakeSource& source) const {
  core_->refresh(ctx, lookup, source);
}

bool MemoHandle::erase(const TenantId& tenant, const Digest& digest) const {
  return core_->erase(tenant, digest);
}

void MemoHandle::set_version(std::string version) const { core_->set_version(std::move(version)); }
void MemoHandle::invalidate() const { core_->invalidate(); }

}  // namespace aiserve::inline v0::detail
