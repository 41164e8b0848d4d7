// The opening handshake of WebSocket (RFC 6455, section 4.2): what a client asks for is checked,
// and an answer found. The head is parsed already, by the parser all requests go through.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aiserve/http/request.hpp"
#include "aiserve/http/websocket_options.hpp"
#include "http/head.hpp"
#include "http/websocket_extension.hpp"

namespace aiserve::inline v0::http::detail {

// Throws ConfigError naming the option.
void check(const WebSocketOptions& options);

struct Handshake {
  int status = 101;         // or the one to refuse with
  std::string_view reason;  // of a refusal
  std::string accept;       // Sec-WebSocket-Accept
  std::string subprotocol;  // empty: none
  std::optional<DeflateAgreement> deflate;
};

Handshake check_handshake(const HeadInfo& head, const Request& request,
                          const WebSocketOptions& options);

// The answer to a key: SHA-1 of it and the RFC's own GUID, in base64.
std::string accept_key(std::string_view key);

}  // namespace aiserve::inline v0::http::detail
