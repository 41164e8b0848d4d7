// ClientTls: whom a client trusts, and what it shows of itself, as OpenSSL takes it.
#pragma once

#include <memory>
#include <string>

#include "aiserve/http/client_options.hpp"
#include "http/tls_filter.hpp"

namespace aiserve::inline v0::http::detail {

class ClientTls {
 public:
  // Throws ConfigError.
  explicit ClientTls(const ClientTlsOptions& options);

  // The client's side of a connection to `host`: a name, which is sent (SNI) and which the
  // certificate must be made out to, or an address, which it must hold. Throws std::bad_alloc.
  std::unique_ptr<ssl_st, SslFree> connection_to(const std::string& host) const;

 private:
  std::unique_ptr<ssl_ctx_st, SslContextFree> context_;
};

}  // namespace aiserve::inline v0::http::detail
