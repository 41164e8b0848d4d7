#include "http/client_network.hpp"

#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

std::string client_network(std::string_view client) {
  const bool v6 = client.find(':') != std::string_view::npos;
  const auto address = v6 ? IpAddress::parse(client) : std::nullopt;
  if (!address) return std::string(client);
  return address->is_v4() ? address->text() : address->masked(64).text() + "/64";
}

}  // namespace aiserve::inline v0::http::detail
