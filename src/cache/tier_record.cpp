#include "cache/tier_record.hpp"

#include <cstring>

#include "cache/byte_reader.hpp"
#include "core/checksum.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::uint32_t kRecord = 0x31727461;  // "atr1"
constexpr std::uint32_t kKills = 0x316b7461;   // "atk1"

// Begins both kinds; `count` labels or kills follow, then the value.
struct Head {
  std::uint32_t kind;
  std::uint32_t count;
  std::uint64_t checksum;  // of all but itself
  decide::Expiry expiry;
  std::int64_t cost;
  TierStamp stamp;
};
static_assert(std::is_trivially_copyable_v<Head> && sizeof(Head) == 64);

std::uint64_t checksum(const TierKey& key, const Head& head, ByteView rest) {
  Checksum sum;
  sum.add(key.tenant().view()).add(key.key().view());
  sum.add(std::uint64_t{head.kind}).add(std::uint64_t{head.count});
  for (const std::int64_t part : {head.expiry.stored, head.expiry.soft, head.expiry.hard,
                                  head.expiry.last, head.cost, head.stamp}) {
    sum.add(static_cast<std::uint64_t>(part));
  }
  return sum.add(rest).finish();
}

Bytes assemble(const TierKey& key, Head head, ByteView items, ByteView value) {
  MutableBytes block(sizeof head + items.size() + value.size());
  std::byte* const rest = block.data() + sizeof head;
  if (!items.empty()) std::memcpy(rest, items.data(), items.size());
  if (!value.empty()) std::memcpy(rest + items.size(), value.data(), value.size());
  head.checksum = checksum(key, head, {rest, items.size() + value.size()});
  std::memcpy(block.data(), &head, sizeof head);
  return std::move(block).freeze();
}

// The head, and `count` items of this size behind it, if all is as it was assembled.
std::optional<Head> opened(const TierKey& key, std::uint32_t kind, std::size_t item,
                           const Bytes& bytes) {
  ByteReader in(bytes);
  const Head head = in.read<Head>();
  if (!in.ok() || head.kind != kind) return std::nullopt;
  const Bytes rest = in.rest();
  if (head.count > rest.size() / item) return std::nullopt;
  if (head.checksum != checksum(key, head, rest.view())) return std::nullopt;
  return head;
}

}  // namespace

Bytes encode_record(const TierKey& key, const TierRecord& record) {
  const Head head{.kind = kRecord,
                  .count = static_cast<std::uint32_t>(record.labels.size()),
                  .checksum = 0,
                  .expiry = record.expiry,
                  .cost = record.cost,
                  .stamp = record.born};
  return assemble(key, head, std::as_bytes(std::span(record.labels)), record.value.view());
}

std::optional<TierRecord> decode_record(const TierKey& key, const Bytes& bytes) {
  const std::optional<Head> head = opened(key, kRecord, sizeof(TierLabel), bytes);
  if (!head) return std::nullopt;
  const std::size_t labels = head->count * sizeof(TierLabel);
  TierRecord record{.value = bytes.slice(sizeof(Head) + labels),
                    .expiry = head->expiry,
                    .cost = head->cost,
                    .born = head->stamp};
  record.labels.resize(head->count);
  if (labels > 0) std::memcpy(record.labels.data(), bytes.data() + sizeof(Head), labels);
  return record;
}

const TierKey& kills_key() {
  static const TierKey key(TenantId("\x01"
                                    "aiserve"),
                           Bytes::literal("invalidations"));
  return key;
}

Bytes encode_kills(const TierKills& kills) {
  std::vector<std::int64_t> items;
  items.reserve(2 * kills.kills.size());
  for (const auto& [label, stamp] : kills.kills) {
    items.push_back(static_cast<std::int64_t>(label));
    items.push_back(stamp);
  }
  const Head head{.kind = kKills,
                  .count = static_cast<std::uint32_t>(kills.kills.size()),
                  .checksum = 0,
                  .expiry = {},
                  .cost = 0,
                  .stamp = kills.floor};
  return assemble(kills_key(), head, std::as_bytes(std::span(items)), {});
}

std::optional<TierKills> decode_kills(const Bytes& bytes) {
  constexpr std::size_t kItem = 2 * sizeof(std::int64_t);
  const std::optional<Head> head = opened(kills_key(), kKills, kItem, bytes);
  if (!head) return std::nullopt;
  TierKills kills{.floor = head->stamp};
  ByteReader in(bytes.slice(sizeof(Head)));
  kills.kills.reserve(head->count);
  for (std::uint32_t i = 0; i < head->count; ++i) {
    const auto label = in.read<TierLabel>();
    kills.kills.emplace_back(label, in.read<TierStamp>());
  }
  return kills;
}

}  // namespace aiserve::inline v0::detail
