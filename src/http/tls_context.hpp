// TlsContext: the certificates of a server as OpenSSL takes them; immutable, so that a reload makes
// a new one while connections keep theirs.
#pragma once

#include <memory>
#include <vector>

#include "aiserve/core/clock.hpp"
#include "aiserve/http/tls.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace aiserve::inline v0::http::detail {

struct SslContextFree {
  void operator()(ssl_ctx_st* context) const noexcept;
};

class TlsContext {
 public:
  // Throws ConfigError.
  explicit TlsContext(const TlsOptions& options);

  ssl_ctx_st* get() const noexcept { return contexts_.front().get(); }
  // The first of all certificates to expire.
  WallTime expires() const noexcept { return expires_; }

 private:
  using SslContext = std::unique_ptr<ssl_ctx_st, SslContextFree>;

  void add(const TlsOptions& options, const TlsCertificate& files, const std::string& option);
  static int choose(ssl_st* ssl, int* alert, void* self) noexcept;

  std::vector<SslContext> contexts_;  // the first is that of clients who name no server
  WallTime expires_ = WallTime::max();
};

}  // namespace aiserve::inline v0::http::detail
