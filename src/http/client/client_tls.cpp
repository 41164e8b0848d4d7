#include "http/client/client_tls.hpp"

#include <new>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "aiserve/core/error.hpp"
#include "http/client/tls_sessions.hpp"
#include "http/ip_address.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// RFC 9325 section 4.2, as the server does.
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr unsigned char kProtocols[] = "\x08http/1.1";

[[noreturn]] void refuse(const std::string& option, const std::string& file) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  const std::string why = reason == nullptr ? "cannot be read" : reason;
  ERR_clear_error();
  throw ConfigError("http client: tls." + option + " \"" + file + "\": " + why);
}

// Nobody is there to type one in.
int no_pass_phrase(char*, int, int, void*) noexcept { return 0; }

void show_identity(SSL_CTX* context, const ClientTlsOptions& options) {
  if (options.certificate.empty() != options.private_key.empty()) {
    throw ConfigError("http client: tls.certificate and tls.private_key go together");
  }
  if (options.certificate.empty()) return;
  SSL_CTX_set_default_passwd_cb(context, &no_pass_phrase);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
    refuse("certificate", options.certificate);
  }
  const char* const key = options.private_key.c_str();
  if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    refuse("private_key", options.private_key);
  }
}

}  // namespace

ClientTls::ClientTls(const ClientTlsOptions& options) : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(context, kSuites12);
  SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (options.resume) TlsSessions::enable(*context);
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
    refuse("ca", options.ca);
  }
  show_identity(context, options);
  ERR_clear_error();
}

std::unique_ptr<ssl_st, SslFree> ClientTls::connection_to(const std::string& host) const {
  std::unique_ptr<ssl_st, SslFree> ssl(SSL_new(context_.get()));
  if (ssl == nullptr) throw std::bad_alloc();
  X509_VERIFY_PARAM* const verify = SSL_get0_param(ssl.get());
  bool known = false;
  if (IpAddress::parse(host)) {
    known = X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str()) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(
        verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    known = X509_VERIFY_PARAM_set1_host(verify, host.data(), host.size()) == 1 &&
            SSL_set_tlsext_host_name(ssl.get(), host.c_str()) == 1;
  }
  if (!known) throw std::bad_alloc();
  return ssl;
}

}  // namespace aiserve::inline v0::http::detail
