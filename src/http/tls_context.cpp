#include "http/tls_context.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "aiserve/core/error.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// RFC 9325 section 4.2; the cheapest that is strong goes first.
constexpr const char* kSuites13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";

struct Free {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};

[[noreturn]] void fail(const std::string& option, const std::string& file, const std::string& why) {
  ERR_clear_error();
  throw ConfigError("http: " + option + " \"" + file + "\": " + why);
}

std::string last_reason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "cannot be read" : reason;
}

void check_readable(const std::string& option, const std::string& file) {
  if (file.empty()) throw ConfigError("http: " + option + " is missing");
  errno = 0;
  if (!std::ifstream(file).good()) fail(option, file, std::strerror(errno == 0 ? EIO : errno));
}

// Nobody is there to type one in.
int no_pass_phrase(char*, int, int, void*) noexcept { return 0; }

void set_protocol(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_ciphersuites(context, kSuites13);
  SSL_CTX_set_cipher_list(context, kSuites12);
  SSL_CTX_set1_groups_list(context, kGroups);
  // Tickets are the client's to keep; nothing is kept here.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
}

void load_certificate(SSL_CTX* context, const TlsCertificate& files, const std::string& prefix) {
  const std::string certificate = prefix + "certificate";
  const std::string private_key = prefix + "private_key";
  check_readable(certificate, files.certificate);
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1) {
    fail(certificate, files.certificate, last_reason());
  }
  check_readable(private_key, files.private_key);
  const std::unique_ptr<BIO, Free> file(BIO_new_file(files.private_key.c_str(), "r"));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(file.get(), nullptr, &no_pass_phrase, nullptr));
  if (key == nullptr) {
    fail(private_key, files.private_key, "is no private key in PEM without a pass phrase");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    fail(private_key, files.private_key, "does not belong to " + certificate);
  }
}

void ask_for_client(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_ca.empty()) return;
  check_readable("tls.client_ca", options.client_ca);
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(options.client_ca.c_str());
  if (names == nullptr) fail("tls.client_ca", options.client_ca, last_reason());
  SSL_CTX_set_client_CA_list(context, names);  // takes them over
  if (SSL_CTX_load_verify_file(context, options.client_ca.c_str()) != 1) {
    fail("tls.client_ca", options.client_ca, last_reason());
  }
  const int must = options.require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
  // A resumed session would be let in on what its certificate said then.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
}

// A client that speaks other protocols only must not take us for one of them (RFC 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) noexcept {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int found =
      SSL_select_next_proto(&selected, size, kOurs, sizeof kOurs - 1, offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

WallTime end_of(const X509* certificate) noexcept {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return WallTime::max();
  return WallTime(std::chrono::seconds(::timegm(&end)));
}

}  // namespace

void SslContextFree::operator()(ssl_ctx_st* context) const noexcept { SSL_CTX_free(context); }

TlsContext::TlsContext(const TlsOptions& options) {
  contexts_.reserve(options.more.size() + 1);
  add(options, {options.certificate, options.private_key}, "tls.");
  for (std::size_t i = 0; i < options.more.size(); ++i) {
    add(options, options.more[i], "tls.more[" + std::to_string(i) + "].");
  }
  SSL_CTX_set_tlsext_servername_callback(get(), &TlsContext::choose);
  SSL_CTX_set_tlsext_servername_arg(get(), this);
}

void TlsContext::add(const TlsOptions& options, const TlsCertificate& files,
                     const std::string& prefix) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) throw ConfigError("http: tls: " + last_reason());
  set_protocol(context.get());
  load_certificate(context.get(), files, prefix);
  ask_for_client(context.get(), options);
  SSL_CTX_set_alpn_select_cb(context.get(), &choose_protocol, nullptr);
  expires_ = std::min(expires_, end_of(SSL_CTX_get0_certificate(context.get())));
  contexts_.push_back(std::move(context));
}

int TlsContext::choose(ssl_st* ssl, int*, void* self) noexcept {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name == nullptr) return SSL_TLSEXT_ERR_OK;
  for (const SslContext& context : static_cast<const TlsContext*>(self)->contexts_) {
    if (X509_check_host(SSL_CTX_get0_certificate(context.get()), name, 0, 0, nullptr) == 1) {
      SSL_set_SSL_CTX(ssl, context.get());
      break;
    }
  }
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace aiserve::inline v0::http::detail
