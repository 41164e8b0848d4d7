#include "cache/invalidation_note.hpp"

#include <cstring>

#include "cache/byte_reader.hpp"

namespace aiserve::inline v0::detail {
namespace {

// Stays as it is: what is new gets a kind of its own, which older nodes take for everything.
struct Head {
  std::uint32_t version = 1;
  std::uint32_t kind = 0;
  std::uint64_t sender = 0;
  std::uint64_t number = 0;
  std::uint64_t digest_high = 0;
  std::uint64_t digest_low = 0;
  std::uint64_t tenant_size = 0;
  std::uint64_t sign_high = 0;
  std::uint64_t sign_low = 0;
};

Digest sign(const DigestKey& key, const Head& head, std::string_view body) {
  return Digester(key)
      .add("invalidation")
      .add(head.version)
      .add(head.kind)
      .add(head.sender)
      .add(head.number)
      .add(head.digest_high)
      .add(head.digest_low)
      .add(head.tenant_size)
      .add(body)
      .finish();
}

}  // namespace

Bytes encode_message(const DigestKey& key, const FeedMessage& message) {
  const InvalidationNote& note = message.note;
  const std::string body = note.tenant.value() + note.text;
  Head head{.kind = static_cast<unsigned char>(note.kind),
            .sender = message.sender,
            .number = message.number,
            .digest_high = note.digest.high(),
            .digest_low = note.digest.low(),
            .tenant_size = note.tenant.view().size()};
  const Digest signature = sign(key, head, body);
  head.sign_high = signature.high();
  head.sign_low = signature.low();
  MutableBytes block(sizeof head + body.size());
  std::memcpy(block.data(), &head, sizeof head);
  if (!body.empty()) std::memcpy(block.data() + sizeof head, body.data(), body.size());
  return std::move(block).freeze();
}

std::optional<FeedMessage> decode_message(const DigestKey& key, const Bytes& bytes) {
  ByteReader in(bytes);
  const auto head = in.read<Head>();
  if (!in.ok() || head.version != Head().version) return std::nullopt;
  if (sign(key, head, in.rest().text()) != Digest(head.sign_high, head.sign_low)) {
    return std::nullopt;
  }
  const Bytes tenant = in.take(head.tenant_size);
  if (!in.ok()) return std::nullopt;
  return FeedMessage{.sender = head.sender,
                     .number = head.number,
                     .note = {.kind = static_cast<char>(head.kind),
                              .tenant = TenantId(tenant.text()),
                              .text = in.rest().to_string(),
                              .digest = Digest(head.digest_high, head.digest_low)}};
}

}  // namespace aiserve::inline v0::detail
