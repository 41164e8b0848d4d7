// A blocking TLS client for tests; every wait is bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/http/certificates.hpp"

namespace aiserve::http {

struct TlsClientOptions {
  std::string before{};  // sent before the handshake
  std::string server_name{};
  std::vector<std::string> protocols{};  // ALPN
  const Identity* identity = nullptr;
  int version = 0;                 // TLS1_2_VERSION, ...; 0: the best
  std::string suites{};            // of TLS 1.2
  SSL_SESSION* session = nullptr;  // to resume
};

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {})
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        context_(SSL_CTX_new(TLS_client_method())) {
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
    (void)::send(socket_, options.before.data(), options.before.size(), MSG_NOSIGNAL);
    configure(options);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_);
    if (!options.server_name.empty()) {
      SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
    }
    if (options.session != nullptr) SSL_set_session(ssl_.get(), options.session);
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }
  ~TlsClient() { ::close(socket_); }
  TlsClient(const TlsClient&) = delete;

  // The handshake succeeded, as far as the client can see.
  bool connected() const { return connected_; }
  SSL* ssl() const { return ssl_.get(); }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  // Common name of the server's certificate.
  std::string server() const {
    const std::unique_ptr<X509, CertificateFree> shown(SSL_get1_peer_certificate(ssl_.get()));
    char name[256] = "";
    if (shown != nullptr) {
      X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name,
                                sizeof name);
    }
    return name;
  }

  bool send(std::string_view bytes) {
    const bool sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    ERR_clear_error();
    return sent;
  }
  // Reads a piece more; false at the end.
  bool receive() {
    char bytes[16'384];
    const int n = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (n > 0) received_.append(bytes, static_cast<std::size_t>(n));
    ended_ = n <= 0 && SSL_get_error(ssl_.get(), n) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    return n > 0;
  }
  // Ends with a reset when it is destroyed.
  void kill() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  // The head and body of one response with Content-Length; empty if it ended before.
  std::string reply() {
    std::size_t end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return {};
    }
    const std::size_t at = received_.find("Content-Length: ");
    const std::size_t size = end + 4 + std::stoul(received_.substr(at + 16));
    while (received_.size() < size) {
      if (!receive()) return {};
    }
    std::string reply = received_.substr(0, size);
    received_.erase(0, size);
    return reply;
  }
  std::string get(std::string_view path) {
    if (!send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n")) return {};
    return reply();
  }
  // True if the server says that nothing follows, and doesn't just end.
  bool wait_for_close_notify() {
    while (receive()) {
    }
    return ended_;
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void configure(const TlsClientOptions& options) {
    SSL_CTX* const context = context_.get();
    if (options.version != 0) {
      SSL_CTX_set_min_proto_version(context, options.version);
      SSL_CTX_set_max_proto_version(context, options.version);
    }
    // Also what no server should take.
    SSL_CTX_set_security_level(context, 0);
    if (!options.suites.empty()) SSL_CTX_set_cipher_list(context, options.suites.c_str());
    if (options.identity != nullptr) {
      SSL_CTX_use_certificate(context, options.identity->certificate.get());
      SSL_CTX_use_PrivateKey(context, options.identity->key.get());
    }
    std::string list;
    for (const std::string& name : options.protocols) {
      list += static_cast<char>(name.size());
      list += name;
    }
    if (list.empty()) return;
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
  }

  int socket_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  bool connected_ = false;
  bool ended_ = false;
  std::string received_;
};

}  // namespace aiserve::http
