// NameLookups: where hosts are, for all calls of a client.
//
// A lookup blocks a thread of the blocking pool, for as long as the resolver likes (getaddrinfo has
// no deadline). So those who ask for one name share one lookup; all clients of a Runtime together
// use only a part of the pool's threads (PoolShare), a place being free again when its lookup has
// ended, not when those who asked have left; a bounded number of names waits for a place. Addresses
// are remembered for a while; failures are not. *Thread safety:* the I/O threads of one Runtime.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/async.hpp"
#include "aiserve/http/client_options.hpp"
#include "core/runtime_core.hpp"
#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {

using Addresses = std::vector<IpAddress>;

struct LookupLimits {
  std::size_t waiting = 64;      // names, beside those being looked up
  std::size_t remembered = 256;  // names
  Duration keep{};               // addresses are remembered for so long; 0: not at all
};

class NameLookups {
 public:
  NameLookups(v0::detail::RuntimeCore& core, HostResolver resolve, const LookupLimits& limits);
  ~NameLookups();
  NameLookups(const NameLookups&) = delete;
  NameLookups& operator=(const NameLookups&) = delete;

  // Until the Context ends, whatever the resolver does. Errors: unavailable, overloaded, and those
  // of the Context and of the resolver.
  Async<Addresses> find(const Context& ctx, const std::string& host);
  // What is remembered of a host that cannot be reached there.
  void forget(const std::string& host);

 private:
  class Book;
  class Member;
  v0::detail::RuntimeCore& core_;
  std::shared_ptr<Book> book_;  // also of lookups that still run
};

}  // namespace aiserve::inline v0::http::detail
