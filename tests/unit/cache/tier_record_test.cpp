#include "cache/tier_record.hpp"

#include <cstring>

#include <doctest/doctest.h>

using namespace aiserve;
using namespace aiserve::detail;

namespace {

const TierKey kKey(TenantId("acme"), Bytes::literal("key"));

TierRecord record() {
  return {.value = Bytes::literal("value"),
          .expiry = {.stored = 1, .soft = 2, .hard = 3, .last = 4},
          .cost = 5,
          .born = 6,
          .labels = {7, 8}};
}

// Every bit flipped on its own, and every length: none may pass.
template <class Decode>
void mutilate(const Bytes& good, const Decode& decode) {
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(decode(good.slice(0, size)).has_value());
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    MutableBytes bad(good.size());
    std::memcpy(bad.data(), good.data(), good.size());
    bad.data()[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    CHECK_FALSE(decode(std::move(bad).freeze()).has_value());
  }
}

}  // namespace

TEST_CASE("a record comes back as it was written") {
  const TierRecord back = decode_record(kKey, encode_record(kKey, record())).value();
  CHECK(back.value.text() == "value");
  CHECK(back.expiry.stored == 1);
  CHECK(back.expiry.soft == 2);
  CHECK(back.expiry.hard == 3);
  CHECK(back.expiry.last == 4);
  CHECK(back.cost == 5);
  CHECK(back.born == 6);
  CHECK(back.labels == std::vector<TierLabel>{7, 8});
  CHECK(decode_record(kKey, encode_record(kKey, {})).value().value.empty());
}

TEST_CASE("a record is good for its own tenant and key only") {
  const Bytes bytes = encode_record(kKey, record());
  CHECK_FALSE(decode_record(TierKey(TenantId("acm"), Bytes::literal("ekey")), bytes).has_value());
  CHECK_FALSE(decode_record(TierKey(TenantId("globex"), kKey.key()), bytes).has_value());
  CHECK_FALSE(decode_record(TierKey(kKey.tenant(), Bytes::literal("kez")), bytes).has_value());
}

TEST_CASE("a record with a flipped bit, or cut, is no record") {
  mutilate(encode_record(kKey, record()),
           [](const Bytes& bytes) { return decode_record(kKey, bytes); });
}

TEST_CASE("invalidations come back as they were written, or not at all") {
  const Bytes bytes = encode_kills({.floor = 9, .kills = {{1, 2}, {3, 4}}});
  const TierKills back = decode_kills(bytes).value();
  CHECK(back.floor == 9);
  CHECK(back.kills == std::vector<decide::InvalidationLog::Kill>{{1, 2}, {3, 4}});
  mutilate(bytes, [](const Bytes& bad) { return decode_kills(bad); });
  CHECK_FALSE(decode_kills(encode_record(kills_key(), record())).has_value());
}
