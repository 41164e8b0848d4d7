#include "security/jws.hpp"

#include <optional>
#include <utility>

#include "core/json_guard.hpp"
#include "security/base64url.hpp"

namespace aiserve::inline v0::detail {
namespace {

using nlohmann::json;

Error bad(const char* why) { return Error(Errc::unauthenticated, why); }

// False if it is there and is no text.
bool read_text(const json& header, const char* name, std::string& out) {
  const auto found = header.find(name);
  if (found == header.end()) return true;
  if (!found->is_string()) return false;
  out = found->get<std::string>();
  return true;
}

Result<void> read_header(const std::string& text, Jws& jws) {
  const Result<json> header = parse_json(text, {.max_depth = 8, .max_values = 1000});
  if (!header || !header->is_object()) return bad("the token's header is no JSON object");
  if (header->contains("crit") || header->contains("b64")) {
    return bad("the token has a critical extension");
  }
  std::string algorithm;
  const bool texts = read_text(*header, "alg", algorithm) &&
                     read_text(*header, "kid", jws.key_id) && read_text(*header, "typ", jws.type);
  if (!texts) return bad("the token's header is malformed");
  const std::optional<JwsAlgorithm> known = parse_jws_algorithm(algorithm);
  if (!known) return bad("the token's algorithm is not allowed");
  jws.algorithm = *known;
  return success();
}

}  // namespace

Result<Jws> parse_jws(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos) {
    return bad("the token is malformed");
  }
  std::optional<std::string> header = from_base64url(token.substr(0, first));
  std::optional<std::string> payload = from_base64url(token.substr(first + 1, second - first - 1));
  std::optional<std::string> signature = from_base64url(token.substr(second + 1));
  if (!header || !payload || !signature || signature->empty()) return bad("the token is malformed");
  Jws jws;
  if (Result<void> read = read_header(*header, jws); !read) return std::move(read).error();
  jws.signed_text = token.substr(0, second);
  jws.payload = std::move(*payload);
  jws.signature = std::move(*signature);
  return jws;
}

}  // namespace aiserve::inline v0::detail
