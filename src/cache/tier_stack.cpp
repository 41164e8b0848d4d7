#include "cache/tier_stack.hpp"

#include "core/runtime_core.hpp"

namespace aiserve::inline v0::detail {
namespace {

// 64 KiB when written.
constexpr std::size_t kMostKills = 4'096;
// So that a tier that forgets what was put first, or was not read lately, does not forget these.
constexpr unsigned kTicksBetweenRewrites = 60;
constexpr char kKeyLabel = 'k';

WallTime wall_time(decide::Nanos at) noexcept {
  return at == decide::kNever ? WallTime::max() : WallTime(Duration(at));
}

}  // namespace

struct TierStack::Tier {
  Tier(TierStack& stack, CacheTier& tier, const TierOptions& options)
      : link(stack.runtime_, stack.cache_, tier, options),
        reader(link, {.wanted = [this, &stack] { return stack.wanted_kills(*this); },
                      .got = [this, &stack](const auto& bytes) { stack.got_kills(*this, bytes); }}),
        writer(link, stack.gate_,
               {.take_urgent = [this, &stack] { return stack.take_kills(*this); },
                .put_back_urgent =
                    [this, &stack] {
                      const std::scoped_lock lock(stack.mutex_);
                      dirty = true;
                    },
                .erase_lost =
                    [this, &stack](const TierKey& key) {
                      const std::scoped_lock lock(stack.mutex_);
                      stack.log_.kill(stack.label(kKeyLabel, key.tenant(), key.key().text()),
                                      stack.wall_now());
                      dirty = true;
                    }}) {}

  TierLink link;
  TierReader reader;
  TierWriter writer;
  bool known = false;  // its invalidations have been read
  bool dirty = false;  // ours have to be written
};

TierStack::TierStack(Runtime& runtime, const CacheOptions& options, DrainGate& gate)
    : runtime_(runtime),
      key_(options.digest_key.value_or(DigestKey::of_process())),
      cache_(options.name),
      stable_key_(options.digest_key.has_value()),
      gate_(gate),
      log_(kMostKills) {}

TierStack::~TierStack() = default;

void TierStack::add(CacheTier& tier, const TierOptions& options) {
  if (!stable_key_) {
    throw ConfigError("cache " + cache_ + ": tiers need a digest_key that outlives the process");
  }
  tiers_.push_back(std::make_unique<Tier>(*this, tier, options));
}

TierStamp TierStack::wall_now() const noexcept {
  return runtime_.clock().wall_now().time_since_epoch().count();
}

TierStamp TierStack::birth() {
  const std::scoped_lock lock(mutex_);
  return log_.birth(wall_now());
}

TierLabel TierStack::label(char kind, const TenantId& tenant, std::string_view text) const {
  return Digester(key_).add(kind).add(tenant.view()).add(text).finish().low();
}

void TierStack::kill(TierLabel label) {
  if (tiers_.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    log_.kill(label, wall_now());
  }
  mark_all_dirty();
}

void TierStack::kill_all() {
  if (tiers_.empty()) return;
  {
    const std::scoped_lock lock(mutex_);
    log_.kill_all(wall_now());
  }
  mark_all_dirty();
}

void TierStack::mark_all_dirty() {
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& tier : tiers_) tier->dirty = true;
  }
  for (const auto& tier : tiers_) tier->writer.wake();
}

Async<std::optional<TierRecord>> TierStack::read(const Context& ctx, const TierKey& key) {
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    Tier& tier = *tiers_[i];
    const Result<std::optional<Bytes>> got = co_await tier.reader.get(ctx, key);
    if (!got) co_return got.error();
    if (!*got) continue;
    std::optional<TierRecord> record = judge(tier, key, **got);
    if (!record) continue;
    for (std::size_t above = 0; above < i; ++above) {
      tiers_[above]->writer.put(TierEntry(key, **got, wall_time(record->expiry.last)));
    }
    co_return record;
  }
  co_return std::optional<TierRecord>();
}

std::optional<TierRecord> TierStack::judge(Tier& tier, const TierKey& key, const Bytes& bytes) {
  std::optional<TierRecord> record = decode_record(key, bytes);
  if (!record) {
    tier.link.counters().garbled.inc();
    tier.writer.erase(key);
    return std::nullopt;
  }
  if (tier.writer.erasing(key) || !alive(key, *record)) {
    tier.link.counters().misses.inc();
    return std::nullopt;
  }
  tier.link.counters().hits.inc();
  return record;
}

bool TierStack::alive(const TierKey& key, const TierRecord& record) const {
  const decide::Freshness now = decide::freshness(record.expiry, wall_now());
  if (now != decide::Freshness::fresh && now != decide::Freshness::stale) return false;
  std::vector<TierLabel> labels = record.labels;
  labels.push_back(label(kKeyLabel, key.tenant(), key.key().text()));
  const std::scoped_lock lock(mutex_);
  return log_.alive(record.born, labels);
}

void TierStack::write(const TierKey& key, const TierRecord& record) {
  const TierEntry entry(key, encode_record(key, record), wall_time(record.expiry.last));
  for (const auto& tier : tiers_) tier->writer.put(entry);
}

void TierStack::erase(const TierKey& key) {
  for (const auto& tier : tiers_) tier->writer.erase(key);
}

void TierStack::erase_tenant(const TenantId& tenant) {
  for (const auto& tier : tiers_) tier->writer.erase_tenant(tenant);
}

std::optional<TierKey> TierStack::wanted_kills(const Tier& tier) const {
  const std::scoped_lock lock(mutex_);
  if (tier.known) return std::nullopt;
  return kills_key();
}

Async<void> TierStack::flush(const Context& ctx) {
  for (const auto& tier : tiers_) {
    if (wanted_kills(*tier)) static_cast<void>(co_await tier->reader.get(ctx, kills_key()));
    if (wanted_kills(*tier)) co_return Error(Errc::unavailable, "the tier cannot be read");
    const Result<void> written = co_await tier->writer.flush(ctx);
    if (!written) co_return written;
  }
  co_return success();
}

// Not known what was invalidated: then all that was.
void TierStack::got_kills(Tier& tier, const std::optional<Bytes>& bytes) {
  std::optional<TierKills> kills = bytes ? decode_kills(*bytes) : TierKills();
  if (!kills) kills = TierKills{.floor = wall_now()};
  {
    const std::scoped_lock lock(mutex_);
    if (tier.known) return;
    log_.merge(kills->floor, kills->kills);
    tier.known = true;
    if (!tier.dirty) return;
  }
  tier.writer.wake();
}

// Not before the tier's own have been read: they would be overwritten.
std::optional<TierEntry> TierStack::take_kills(Tier& tier) {
  const std::scoped_lock lock(mutex_);
  if (!tier.known || !tier.dirty) return std::nullopt;
  tier.dirty = false;
  const TierKills kills{.floor = log_.floor(), .kills = log_.kills()};
  return TierEntry(kills_key(), encode_kills(kills), WallTime::max());
}

void TierStack::start() {
  for (const auto& tier : tiers_) tier->writer.wake();
}

void TierStack::tick() {
  const bool rewrite = ++ticks_ % kTicksBetweenRewrites == 0;
  for (const auto& tier : tiers_) {
    if (wanted_kills(*tier)) ask_for_kills(*tier);
  }
  const bool any = [&] {
    const std::scoped_lock lock(mutex_);
    return log_.newest_kill() > 0 || log_.floor() > 0;
  }();
  if (rewrite && any) mark_all_dirty();
}

void TierStack::ask_for_kills(Tier& tier) {
  const auto ask = [&tier](const Context& ctx) -> Async<void> {
    static_cast<void>(co_await tier.reader.get(ctx, kills_key()));
    co_return success();
  };
  spawn(runtime_, Context::background(), ask);
}

}  // namespace aiserve::inline v0::detail
