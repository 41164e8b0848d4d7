// The offer of permessage-deflate in a handshake, and what is agreed on (RFC 7692, section 7.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// What the server is ready for.
struct DeflateTerms {
  bool context_takeover = false;  // either side may refer to earlier messages
  int window_bits = 15;           // of the server's compressor, 9 to 15
};

struct DeflateAgreement {
  bool server_takeover = false;
  bool client_takeover = false;
  int window_bits = 15;
  std::string response{};  // the value of Sec-WebSocket-Extensions
};

// `offers` is the value of Sec-WebSocket-Extensions, several fields joined with commas. The first
// offer that can be met is; an offer with unknown, repeated or invalid parameters is declined, and
// so is a window of 8 bits, which zlib cannot make.
std::optional<DeflateAgreement> agree_on_deflate(std::string_view offers,
                                                 const DeflateTerms& terms);

}  // namespace aiserve::inline v0::http::detail
