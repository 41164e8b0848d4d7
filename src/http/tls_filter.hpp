// TlsFilter: the TLS side of one connection without its socket: ciphertext in, plaintext out, and
// back. Ciphertext is read where it was received and written to a buffer that idle connections
// don't hold.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/uio.h>

#include "aiserve/http/tls.hpp"
#include "http/tls_context.hpp"

struct bio_method_st;
struct bio_st;

namespace aiserve::inline v0::http::detail {

struct SslFree {
  void operator()(ssl_st* ssl) const noexcept;
};

// Shared by the connections of one I/O thread.
struct TlsScratch {
  std::string plain;  // pieces put together to one record
  std::string spare;  // an output buffer that is nobody's now
};

class TlsFilter {
 public:
  enum class State : std::uint8_t {
    handshake,
    open,
    ended,  // the peer has said that nothing follows
    failed
  };

  // Of a server. Throws std::bad_alloc.
  TlsFilter(std::shared_ptr<const TlsContext> context, TlsScratch& scratch);
  // Of a client: `ssl` knows whom it talks to. shake_hands() comes first. Throws std::bad_alloc.
  TlsFilter(std::unique_ptr<ssl_st, SslFree> ssl, TlsScratch& scratch);
  ~TlsFilter();
  TlsFilter(const TlsFilter&) = delete;
  TlsFilter& operator=(const TlsFilter&) = delete;

  State state() const noexcept { return state_; }
  // Why it failed, for the log.
  std::string_view failure() const noexcept { return failure_; }
  // It failed because the peer speaks HTTP without TLS.
  bool plain_http() const noexcept { return plain_http_; }

  // Ciphertext of the peer, there until read() returns 0.
  void receive(std::string_view cipher) noexcept { input_ = cipher; }
  // Begins the handshake, or goes on with it, and leaves what lies behind it.
  void shake_hands() noexcept;
  // Decrypts up to `room` bytes; 0: there is no more now.
  std::size_t read(void* target, std::size_t room) noexcept;

  // Encrypts what the pieces hold, or a first part of it, to output(); returns how much.
  std::size_t write(std::span<const iovec> pieces);
  // Says that nothing follows.
  void end() noexcept;
  // What is to be sent.
  std::string_view output() const noexcept { return std::string_view(output_).substr(sent_); }
  void consume(std::size_t n) noexcept;

  // Of a verified client; nothing if it showed none.
  std::optional<ClientCertificate> client_certificate() const;
  // The handshake has resumed an earlier session.
  bool resumed() const noexcept;
  // The peer's certificate was not what it had to be.
  bool distrusted() const noexcept;

 private:
  void attach();
  static const bio_method_st* method() noexcept;
  static int bio_read(bio_st* bio, char* target, int room) noexcept;
  static int bio_write(bio_st* bio, const char* data, int size) noexcept;
  static long bio_control(bio_st* bio, int command, long number, void* pointer) noexcept;
  void fail() noexcept;

  std::shared_ptr<const TlsContext> context_;  // of a server: its callbacks refer to it
  TlsScratch& scratch_;
  std::unique_ptr<ssl_st, SslFree> ssl_;
  std::string_view input_;
  std::string output_;
  std::size_t sent_ = 0;
  State state_ = State::handshake;
  bool plain_http_ = false;
  std::string_view failure_;
};

}  // namespace aiserve::inline v0::http::detail
