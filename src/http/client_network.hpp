// Whom limits take for one client: an IPv4 address, or the /64 of an IPv6 address, which is what
// one customer gets, and he may use all of it.
#pragma once

#include <string>
#include <string_view>

namespace aiserve::inline v0::http::detail {

// Of Request::client(): "192.0.2.1", "2001:db8:0:1::/64"; what is no address as it is ("unix").
std::string client_network(std::string_view client);

}  // namespace aiserve::inline v0::http::detail
