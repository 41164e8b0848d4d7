#include "security/jwk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "security/base64url.hpp"

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

Error unusable(std::string why) { return Error(Errc::invalid_argument, std::move(why)); }

// Empty if it is there; false in `good` if it is there and no text.
std::string text_member(const json& key, const char* name, bool& good) {
  const auto found = key.find(name);
  if (found == key.end()) return {};
  if (!found->is_string()) {
    good = false;
    return {};
  }
  return found->get<std::string>();
}

// Of a member that holds bytes; empty if it is missing or not strictly base64url.
std::string bytes_member(const json& key, const char* name) {
  const auto found = key.find(name);
  if (found == key.end() || !found->is_string()) return {};
  return from_base64url(found->get_ref<const std::string&>()).value_or(std::string());
}

// RFC 7517 sections 4.2 and 4.3: absent means any use.
bool is_for_verifying(const json& key) {
  bool good = true;
  const std::string use = text_member(key, "use", good);
  if (!good || (key.contains("use") && use != "sig")) return false;
  const auto operations = key.find("key_ops");
  if (operations == key.end()) return true;
  return operations->is_array() &&
         std::find(operations->begin(), operations->end(), "verify") != operations->end();
}

Curve curve_of(const std::string& type, const std::string& name) {
  struct Row {
    std::string_view type;
    std::string_view name;
    Curve curve;
  };
  static constexpr std::array<Row, 5> kRows{{{"EC", "P-256", Curve::p256},
                                             {"EC", "P-384", Curve::p384},
                                             {"EC", "P-521", Curve::p521},
                                             {"OKP", "Ed25519", Curve::ed25519},
                                             {"OKP", "Ed448", Curve::ed448}}};
  for (const Row& row : kRows) {
    if (row.type == type && row.name == name) return row.curve;
  }
  return Curve::none;
}

Result<VerificationKey> read_key(const json& key) {
  bool good = true;
  const std::string type = text_member(key, "kty", good);
  const std::string curve_name = text_member(key, "crv", good);
  if (!good) return unusable("a key whose kty or crv is no text");
  if (type == "RSA") return VerificationKey::rsa(bytes_member(key, "n"), bytes_member(key, "e"));
  if (type == "oct") return VerificationKey::secret(bytes_member(key, "k"));
  const Curve curve = curve_of(type, curve_name);
  if (curve == Curve::none) return unusable("a key of a kind that is not known here");
  if (type == "OKP") return VerificationKey::okp(curve, bytes_member(key, "x"));
  return VerificationKey::ec(curve, bytes_member(key, "x"), bytes_member(key, "y"));
}

}  // namespace

Result<Jwk> Jwk::parse(const json& json) {
  if (!json.is_object()) return unusable("a key that is no object");
  if (!is_for_verifying(json)) return unusable("a key that is not for signatures");
  bool good = true;
  std::string id = text_member(json, "kid", good);
  const std::string name = text_member(json, "alg", good);
  if (!good) return unusable("a key whose kid or alg is no text");
  // RFC 7520 calls the algorithm of its P-521 key after the curve, and others have copied that.
  const std::optional<JwsAlgorithm> algorithm =
      parse_jws_algorithm(name == "ES521" ? "ES512" : name);
  const bool bound = json.contains("alg");
  if (bound && !algorithm) return unusable("a key for an algorithm that is not known here");
  Result<VerificationKey> key = read_key(json);
  if (!key) return std::move(key).error();
  if (bound && !key->fits(*algorithm)) return unusable("a key that does not fit its algorithm");
  return Jwk(std::move(id), algorithm, std::move(*key));
}

}  // namespace aiserve::inline v0::detail
