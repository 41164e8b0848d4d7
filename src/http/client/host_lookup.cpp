#include "http/client/host_lookup.hpp"

#include <memory>

#include <netdb.h>
#include <sys/socket.h>

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kMostAddresses = 16;

struct Free {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

Error not_found(const std::string& why) {
  return Error(Errc::unavailable, "the service's name cannot be resolved").with_detail(why);
}

}  // namespace

Result<std::vector<IpAddress>> HostLookup::operator()() const {
  if (!resolve_) return ask_system();
  const Result<std::vector<std::string>> named = resolve_(host_);
  if (!named.ok()) return named.error();
  std::vector<IpAddress> found;
  for (const std::string& text : *named) {
    const auto address = IpAddress::parse(text);
    if (!address) return not_found("\"" + text + "\" is no address");
    if (found.size() < kMostAddresses) found.push_back(*address);
  }
  return found;
}

Result<std::vector<IpAddress>> HostLookup::ask_system() const {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(host_.c_str(), nullptr, &hints, &list);
  if (failed != 0) return not_found(::gai_strerror(failed));
  const std::unique_ptr<addrinfo, Free> keep(list);
  std::vector<IpAddress> found;
  for (const addrinfo* at = list; at != nullptr && found.size() < kMostAddresses;
       at = at->ai_next) {
    if (const auto address = IpAddress::of(*at->ai_addr)) found.push_back(*address);
  }
  return found;
}

}  // namespace aiserve::inline v0::http::detail
