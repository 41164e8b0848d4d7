// What proxies say of their client in a request's head: X-Forwarded-For, or Forwarded (RFC 7239).
#pragma once

#include <optional>
#include <string_view>

#include "aiserve/http/forwarding.hpp"
#include "http/trusted_peers.hpp"

namespace aiserve::inline v0::http::detail {

struct Peer;
struct RequestState;

// Of a server.
struct Forwarding {
  TrustedPeers trusted;
  ForwardedBy by = ForwardedBy::x_forwarded_for;
};

// Walks from the socket's end outwards for as long as each is trusted.
std::string_view client_of(const RequestState& state) noexcept;
// "https" or "http".
std::string_view scheme_of(const RequestState& state) noexcept;

// The last element of a comma-separated list, which is taken from it; commas in quoted strings
// don't separate. Nothing if the list is empty.
std::optional<std::string_view> take_last(std::string_view& list) noexcept;
// The address in "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" and
// "[2001:db8::1]:80"; empty if it is none of these.
std::string_view address_in(std::string_view text) noexcept;
// The value of `name` in an element of Forwarded: for="[::1]:80";proto=https; empty if it has none.
std::string_view parameter_in(std::string_view element, std::string_view name) noexcept;

}  // namespace aiserve::inline v0::http::detail
