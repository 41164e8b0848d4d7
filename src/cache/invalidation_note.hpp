// InvalidationNote: what was invalidated, in words that another node understands; FeedMessage: a
// note on its way, numbered by its sender and signed with the key that all nodes share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aiserve/cache/digest.hpp"
#include "aiserve/core/bytes.hpp"
#include "aiserve/core/tenant.hpp"

namespace aiserve::inline v0::detail {

/// What `kind` may be, beside the kinds of labels of loading.hpp.
inline constexpr char kEntryNote = 'e';     // `text` is the key
inline constexpr char kPartsNote = 'E';     // the same, of a CacheKey
inline constexpr char kResultNote = 'r';    // `text` is the name of the operation
inline constexpr char kAllNote = 'a';       // everything
inline constexpr char kBeatNote = 'b';      // nothing: says how far the sender is
inline constexpr char kFarewellNote = 'f';  // nothing: the sender ends

struct InvalidationNote {
  char kind = 0;
  TenantId tenant{};
  std::string text{};
  Digest digest{};  ///< of a result's input

  friend bool operator==(const InvalidationNote&, const InvalidationNote&) noexcept = default;
};

struct FeedMessage {
  std::uint64_t sender = 0;
  std::uint64_t number = 0;
  InvalidationNote note{};
};

Bytes encode_message(const DigestKey& key, const FeedMessage& message);
/// Nothing if the bytes are not what encode_message() gave under this key.
std::optional<FeedMessage> decode_message(const DigestKey& key, const Bytes& bytes);

}  // namespace aiserve::inline v0::detail
