/// TLS of a Server: its certificates, and who its clients have proved to be.
///
/// TLS 1.2 and 1.3 only, suites with forward secrecy and authenticated encryption only (RFC 9325),
/// no compression, no renegotiation, ALPN "http/1.1". Files are PEM. They are read by the Server's
/// constructor, again when they change (reload_interval), and by Server::reload_tls(): what is
/// connected stays so, new connections get the new certificate; files that don't fit together leave
/// the old one in place, with a line in the log. Sessions are resumed by tickets whose keys live at
/// most 12 hours; where client certificates are asked for, every connection proves its own.
/// *Thread safety:* values. *Errors:* ConfigError from the Server's constructor, naming the option.
///
///     http::Server server(runtime, {.port = 8443,
///                                   .tls = {.certificate = "tls.crt", .private_key = "tls.key",
///                                           .client_ca = "clients.pem"}});
///     server.get("/who", [](const Context&, const http::Request& request) {
///       return http::text(request.client_certificate()->subject);
///     });
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace aiserve::inline v0::http {

/// One more certificate, chosen by the name that the client asks for.
struct TlsCertificate {
  /// The server's own first, then the chain up to, without need, the root.
  std::string certificate{};
  /// Its private key, without a pass phrase.
  std::string private_key{};
};

struct TlsOptions {
  /// The server's own first, then the chain. Empty: plain HTTP. Names no other certificate answers
  /// to, and clients that name none (SNI, RFC 6066), get this one.
  std::string certificate{};
  /// Its private key, without a pass phrase.
  std::string private_key{};
  /// Further certificates, each for the names it is made out to, wildcards included.
  std::vector<TlsCertificate> more{};

  /// Certificates of the authorities that clients' certificates are verified against. Empty:
  /// clients are not asked for one.
  std::string client_ca{};
  /// With client_ca: clients without a certificate are refused in the handshake. If false they are
  /// let in, and Request::client_certificate() is null.
  bool require_client_certificate = true;

  /// Connect to the end of the handshake, 1 ms to one day. ServerOptions::head_timeout bounds
  /// it, too, since no byte of a request has come.
  std::chrono::milliseconds handshake_timeout{10'000};
  /// How often the files are looked at for changes, up to one day; zero: every 12 hours only.
  std::chrono::milliseconds reload_interval{10'000};
};

/// What a client's verified certificate says of it.
struct ClientCertificate {
  std::string subject;                 ///< "CN=batch,O=Example" (RFC 2253)
  std::string issuer;                  ///< likewise
  std::string serial;                  ///< hexadecimal, upper case
  std::string fingerprint;             ///< SHA-256 of the certificate, 64 lower-case digits
  std::vector<std::string> dns_names;  ///< of the subject alternative names
  std::vector<std::string> uris;       ///< likewise; SPIFFE ids are here
  std::vector<std::string> emails;     ///< likewise
};

}  // namespace aiserve::inline v0::http
