// HostLookup: finds the addresses of a host name; blocks, so it runs on the blocking pool.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "aiserve/http/client_options.hpp"
#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

class HostLookup {
 public:
  HostLookup(std::string host, HostResolver resolve)
      : host_(std::move(host)), resolve_(std::move(resolve)) {}

  // unavailable if there is none of that name.
  Result<std::vector<IpAddress>> operator()() const;

 private:
  Result<std::vector<IpAddress>> ask_system() const;

  std::string host_;
  HostResolver resolve_;  // empty: the system
};

}  // namespace aiserve::inline v0::http::detail
