// ClientCore: what all calls of a client share, and what each I/O thread has of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/http/client_options.hpp"
#include "core/io_thread.hpp"
#include "http/client/address_guard.hpp"
#include "http/client/client_metrics.hpp"
#include "http/client/client_tls.hpp"
#include "http/client/name_lookups.hpp"
#include "http/client/origin_pool.hpp"
#include "http/client/url.hpp"

namespace aiserve::inline v0::http::detail {

// Of one I/O thread, and used by that only.
class ClientThread {
 public:
  ClientThread(v0::detail::IoThread& home, const ClientOptions& options, ClientMetrics& metrics)
      : home_(home), options_(options), metrics_(metrics) {}

  // overloaded if there are too many.
  Result<OriginPool*> origin(const Url& url);
  TlsScratch& scratch() noexcept { return scratch_; }
  v0::detail::IoThread& home() const noexcept { return home_; }

 private:
  bool forget_one();

  v0::detail::IoThread& home_;
  const ClientOptions& options_;
  ClientMetrics& metrics_;
  TlsScratch scratch_;  // outlives the connections
  // Ordered, so that no choice of hosts makes it slow.
  std::map<std::string, std::unique_ptr<OriginPool>> origins_;
};

class ClientCore {
 public:
  // Throws ConfigError.
  ClientCore(Runtime& runtime, ClientOptions options);

  // That of the caller; null if the caller is no I/O thread of the runtime.
  ClientThread* here();
  // Where a host is, as far as it may be connected to. Errors: unavailable, permission_denied.
  Async<Addresses> addresses(const Context& ctx, const std::string& host);

  Runtime& runtime;
  const ClientOptions options;
  const AddressGuard guard;
  const ClientTls tls;
  ClientMetrics metrics;
  NameLookups names;

 private:
  std::vector<std::unique_ptr<ClientThread>> threads_;  // by index; each made by its thread
};

}  // namespace aiserve::inline v0::http::detail
