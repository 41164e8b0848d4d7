#include "http/websocket_handshake.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <openssl/evp.h>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kKeyLength = 24;  // 16 bytes in base64

// The values of all fields of that name as one list (RFC 9110, section 5.3).
std::string combined(const Request& request, std::string_view name) {
  std::string list;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [field, value] = request.header_at(i);
    if (!iequals(field, name)) continue;
    if (!list.empty()) list += ',';
    list += value;
  }
  return list;
}

std::size_t count(const Request& request, std::string_view name) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    if (iequals(request.header_at(i).first, name)) ++found;
  }
  return found;
}

// The members of a comma-separated list; empty ones are left out.
std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> members;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    const std::string_view member = trim(list.substr(0, end));
    if (!member.empty()) members.push_back(member);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return members;
}

bool is_token(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return is(c, kToken); });
}

// The base64 of 16 bytes: 22 characters, the last of which holds 2 bits only, and "==".
bool is_key(std::string_view key) noexcept {
  const auto base64 = [](char c) {
    return (is(c, kToken) && (is(c, kDigit) || lower(c) != c || (c >= 'a' && c <= 'z'))) ||
           c == '+' || c == '/';
  };
  constexpr std::string_view kLast = "AQgw";
  return key.size() == kKeyLength && key.ends_with("==") &&
         std::all_of(key.begin(), key.begin() + 22, base64) &&
         kLast.find(key[21]) != std::string_view::npos;
}

bool asks_for_websocket(const HeadInfo& head, const Request& request) {
  if (head.method != Method::get || head.http10 || !head.upgrade) return false;
  const std::string list = combined(request, "upgrade");
  const auto members = split(list);
  return std::any_of(members.begin(), members.end(),
                     [](std::string_view member) { return iequals(member, "websocket"); });
}

// Only browsers send an Origin. Without a list they may come from this very host.
bool allows_origin(const Request& request, const std::vector<std::string>& allowed) {
  if (!request.has_header("origin")) return true;
  if (count(request, "origin") != 1) return false;
  const std::string_view origin = request.header("origin");
  if (allowed.empty()) {
    const std::size_t authority = origin.find("://");
    return authority != std::string_view::npos &&
           iequals(origin.substr(authority + 3), request.host());
  }
  return std::any_of(allowed.begin(), allowed.end(),
                     [&](const std::string& one) { return one == "*" || iequals(one, origin); });
}

// Nothing if the client's list is malformed; empty if there is none in common.
std::optional<std::string> choose_subprotocol(const Request& request,
                                              const std::vector<std::string>& preferred) {
  const std::string list = combined(request, "sec-websocket-protocol");
  const auto offered = split(list);
  if (!std::all_of(offered.begin(), offered.end(), is_token)) return std::nullopt;
  for (const std::string& one : preferred) {
    if (std::find(offered.begin(), offered.end(), one) != offered.end()) return one;
  }
  return std::string();
}

Handshake refusal(int status, std::string_view reason) {
  Handshake refused;
  refused.status = status;
  refused.reason = reason;
  return refused;
}

}  // namespace

std::string accept_key(std::string_view key) {
  std::string text(key);
  text += kGuid;
  std::array<unsigned char, kSha1Bytes> digest{};
  ::EVP_Digest(text.data(), text.size(), digest.data(), nullptr, ::EVP_sha1(), nullptr);
  std::string encoded(4 * ((kSha1Bytes + 2) / 3) + 1, '\0');
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                       digest.data(), static_cast<int>(digest.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

Handshake check_handshake(const HeadInfo& head, const Request& request,
                          const WebSocketOptions& options) {
  if (!asks_for_websocket(head, request)) return refusal(426, "this resource speaks WebSocket");
  if (head.has_body()) return refusal(400, "a WebSocket handshake with a body");
  if (count(request, "sec-websocket-version") > 1 || count(request, "sec-websocket-key") != 1) {
    return refusal(400, "a WebSocket handshake with no key, or with a field twice");
  }
  if (request.header("sec-websocket-version") != "13") {
    return refusal(426, "the version of WebSocket must be 13");
  }
  const std::string_view key = request.header("sec-websocket-key");
  if (!is_key(key)) return refusal(400, "the key of a WebSocket handshake is not 16 bytes");
  if (!allows_origin(request, options.origins)) return refusal(403, "this origin is not allowed");
  auto subprotocol = choose_subprotocol(request, options.subprotocols);
  if (!subprotocol) return refusal(400, "the list of subprotocols is malformed");
  Handshake agreed;
  agreed.accept = accept_key(key);
  agreed.subprotocol = std::move(*subprotocol);
  if (options.deflate.enabled) {
    const DeflateTerms terms{options.deflate.context_takeover, options.deflate.window_bits};
    agreed.deflate = agree_on_deflate(combined(request, "sec-websocket-extensions"), terms);
  }
  return agreed;
}

}  // namespace aiserve::inline v0::http::detail
