#include "security/jwk_set.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/json_guard.hpp"

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

Error refused(std::string why) {
  return Error(Errc::invalid_argument, "the key set " + std::move(why));
}

bool is_secret(const json& key) {
  const auto type = key.find("kty");
  return type != key.end() && *type == "oct";
}

// Whoever could read the set could sign.
bool is_private(const json& key) { return key.contains("d") && !is_secret(key); }

// What can be used and what cannot alike: else who is which may depend on who reads it.
bool has_twins(const json& keys) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const json& key : keys) {
    if (!key.is_object() || !key.contains("kid") || !key.contains("kty")) continue;
    if (!seen.emplace(key["kty"].dump(), key["kid"].dump()).second) return true;
  }
  return false;
}

}  // namespace

Result<JwkSet> JwkSet::parse(std::string_view text, const JwkSetRules& rules) {
  const Result<json> root = parse_json(text, {.max_depth = 16, .max_values = 100'000});
  if (!root) return root.error();
  if (!root->is_object()) return refused("is no object");
  const auto keys = root->find("keys");
  if (keys == root->end() || !keys->is_array()) return refused("has no array named keys");
  if (keys->size() > rules.max_keys) return refused("holds too many keys");
  if (has_twins(*keys)) return refused("holds two keys of one id");
  JwkSet set;
  for (const json& entry : *keys) {
    if (entry.is_object() && is_private(entry)) return refused("holds a private key");
    if (entry.is_object() && is_secret(entry) && !rules.secrets) {
      return refused("holds a shared secret, which hmac does not allow");
    }
    Result<Jwk> key = Jwk::parse(entry);
    if (!key) {
      set.left_out_.push_back(key.error().message());
      continue;
    }
    if (Result<void> added = set.add(std::move(*key)); !added) return std::move(added).error();
  }
  if (set.keys_.empty()) return refused("holds no key that can be used");
  return set;
}

Result<void> JwkSet::add(Jwk key) {
  const auto same_id = [&key](const Jwk& other) {
    return !key.id().empty() && other.id() == key.id();
  };
  if (std::any_of(keys_.begin(), keys_.end(), same_id)) {
    return refused("holds two keys of one id");
  }
  if (!keys_.empty() && keys_.front().symmetric() != key.symmetric()) {
    return refused("holds secrets beside public keys");
  }
  keys_.push_back(std::move(key));
  return success();
}

bool JwkSet::knows(std::string_view id) const noexcept {
  const auto has_id = [id](const Jwk& key) { return !id.empty() && key.id() == id; };
  return std::any_of(keys_.begin(), keys_.end(), has_id);
}

const Jwk* JwkSet::find(std::string_view id, JwsAlgorithm algorithm) const noexcept {
  const Jwk* found = nullptr;
  for (const Jwk& key : keys_) {
    if (!key.allows(algorithm)) continue;
    if (!id.empty()) {
      if (key.id() == id) return &key;
      continue;
    }
    if (found != nullptr) return nullptr;  // it could be either
    found = &key;
  }
  return found;
}

}  // namespace aiserve::inline v0::detail
