#include "aiserve/security/api_key_verifier.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include <openssl/rand.h>

#include "security/base64url.hpp"
#include "security/token_digest.hpp"

namespace aiserve::inline v0 {
namespace {

constexpr std::size_t kMaxKey = 256;

Error refused() { return Error(Errc::unauthenticated, "the key is not known"); }

}  // namespace

ApiKey make_api_key(std::string_view prefix) {
  const bool plain = std::all_of(prefix.begin(), prefix.end(),
                                 [](unsigned char c) { return c < 128 && std::isalnum(c) != 0; });
  if (prefix.empty() || prefix.size() > 32 || !plain) {
    throw ConfigError("api key: the prefix must be 1 to 32 letters and digits");
  }
  std::array<unsigned char, 32> secret{};
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1) {
    throw ConfigError("api key: there are no random numbers");
  }
  const std::string_view bytes(reinterpret_cast<const char*>(secret.data()), secret.size());
  ApiKey key;
  key.text = std::string(prefix) + '_' + detail::to_base64url(bytes);
  key.digest = api_key_digest(key.text);
  return key;
}

std::string api_key_digest(std::string_view text) {
  return detail::to_hex(detail::token_digest(text));
}

class ApiKeyVerifier::Impl {
 public:
  explicit Impl(Clock& clock) noexcept : clock_(clock) {}

  Result<Principal> find(std::string_view token) const {
    if (token.size() > kMaxKey) return refused();
    const detail::TokenDigest digest = detail::token_digest(token);
    const std::shared_lock lock(mutex_);
    const Entry* const entry = entry_of(digest);
    if (entry == nullptr) return refused();
    if (clock_.wall_now() >= entry->who.expires()) {
      return Error(Errc::unauthenticated, "the key has expired");
    }
    return entry->who;
  }

  Result<void> add(ApiKeySpec spec) {
    const auto digest = detail::from_hex(spec.digest);
    if (!digest) return Error(Errc::invalid_argument, "digest must be 64 hexadecimal digits");
    if (spec.owner.empty()) return Error(Errc::invalid_argument, "owner is empty");
    PrincipalSpec who{.subject = std::move(spec.owner),
                      .tenant = std::move(spec.tenant),
                      .scopes = std::move(spec.scopes),
                      .expires = spec.expires};
    const std::unique_lock lock(mutex_);
    if (entry_of(*digest) != nullptr)
      return Error(Errc::already_exists, "the key is there already");
    if (live_keys(who.subject) >= kKeysPerOwner) {
      return Error(Errc::conflict, "the owner has two live keys: remove one first");
    }
    entries_.emplace(hash_(*digest), Entry{*digest, Principal(std::move(who))});
    return success();
  }

  bool remove(std::string_view text) {
    const auto digest = detail::from_hex(text);
    if (!digest) return false;
    const std::unique_lock lock(mutex_);
    const auto [first, last] = entries_.equal_range(hash_(*digest));
    const auto found = std::find_if(first, last, [&](const auto& entry) {
      return detail::same_digest(entry.second.digest, *digest);
    });
    if (found == last) return false;
    entries_.erase(found);
    return true;
  }

  std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    detail::TokenDigest digest;
    Principal who;
  };

  // By a part of the digest; the whole is compared in constant time.
  const Entry* entry_of(const detail::TokenDigest& digest) const {
    const auto [first, last] = entries_.equal_range(hash_(digest));
    for (auto at = first; at != last; ++at) {
      if (detail::same_digest(at->second.digest, digest)) return &at->second;
    }
    return nullptr;
  }

  std::size_t live_keys(const std::string& owner) const {
    const WallTime now = clock_.wall_now();
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
          const Principal& who = entry.second.who;
          return who.subject() == owner && now < who.expires();
        }));
  }

  Clock& clock_;
  detail::TokenDigestHash hash_;
  mutable std::shared_mutex mutex_;
  std::unordered_multimap<std::size_t, Entry> entries_;
};

ApiKeyVerifier::ApiKeyVerifier(Runtime& runtime, std::vector<ApiKeySpec> keys)
    : impl_(std::make_unique<Impl>(runtime.clock())) {
  for (ApiKeySpec& key : keys) {
    if (Result<void> added = impl_->add(std::move(key)); !added) {
      throw ConfigError("api key: " + added.error().message());
    }
  }
}

ApiKeyVerifier::~ApiKeyVerifier() = default;

std::optional<Result<Principal>> ApiKeyVerifier::try_verify(std::string_view token) {
  return impl_->find(token);
}

Async<Principal> ApiKeyVerifier::verify(const Context& /*ctx*/, std::string_view token) {
  co_return impl_->find(token);
}

Result<void> ApiKeyVerifier::add(ApiKeySpec key) { return impl_->add(std::move(key)); }
bool ApiKeyVerifier::remove(std::string_view digest) { return impl_->remove(digest); }
std::size_t ApiKeyVerifier::size() const { return impl_->size(); }

}  // namespace aiserve::inline v0
