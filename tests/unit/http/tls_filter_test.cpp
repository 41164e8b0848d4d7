// TlsFilter against OpenSSL's own client, without sockets.
#include "http/tls_filter.hpp"

#include <algorithm>
#include <array>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "unit/http/certificates.hpp"

namespace aiserve::http {
namespace {

using detail::TlsFilter;

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// A client whose bytes pass between two memory BIOs in pieces of a given size.
struct Pair {
  explicit Pair(std::size_t piece_size) : piece(piece_size) {
    files.write("a", make_identity({.common_name = "a"}));
    const TlsOptions options{.certificate = files.file("a.crt"),
                             .private_key = files.file("a.key")};
    filter =
        std::make_unique<TlsFilter>(std::make_shared<const detail::TlsContext>(options), scratch);
    context.reset(SSL_CTX_new(TLS_client_method()));
    client.reset(SSL_new(context.get()));
    SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(client.get());
  }

  // All that the client has said, in pieces.
  void to_server() {
    char* data = nullptr;
    BIO* const wire = SSL_get_wbio(client.get());
    const long size = BIO_get_mem_data(wire, &data);
    std::string bytes(data, static_cast<std::size_t>(size));
    (void)BIO_reset(wire);
    for (std::string_view left = bytes; !left.empty();) {
      const std::string part(left.substr(0, piece));
      left.remove_prefix(part.size());
      filter->receive(part);
      std::array<char, 1000> plain;
      while (const std::size_t n = filter->read(plain.data(), plain.size())) {
        received.append(plain.data(), n);
      }
    }
  }
  void to_client() {
    const std::string_view bytes = filter->output();
    if (bytes.empty()) return;
    BIO_write(SSL_get_rbio(client.get()), bytes.data(), static_cast<int>(bytes.size()));
    filter->consume(bytes.size());
  }
  bool handshake() {
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client.get());
      to_server();
      to_client();
    }
    return SSL_is_init_finished(client.get()) == 1;
  }
  std::string client_reads() {
    std::string text;
    std::array<char, 20'000> plain;
    for (;;) {
      const int n = SSL_read(client.get(), plain.data(), plain.size());
      if (n <= 0) return text;
      text.append(plain.data(), static_cast<std::size_t>(n));
    }
  }

  CertificateFolder files;
  detail::TlsScratch scratch;
  std::unique_ptr<TlsFilter> filter;
  std::unique_ptr<SSL_CTX, Free> context;
  std::unique_ptr<SSL, Free> client;
  std::size_t piece;
  std::string received;
};

std::string text_of_size(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

iovec piece_of(std::string& text) { return {text.data(), text.size()}; }

TEST_CASE("ciphertext may come in pieces of any size") {
  for (const std::size_t size : {1u, 7u, 1000u, 100'000u}) {
    CAPTURE(size);
    Pair pair(size);
    REQUIRE(pair.handshake());
    CHECK(pair.filter->state() == TlsFilter::State::open);
    const std::string question = text_of_size(40'000);
    SSL_write(pair.client.get(), question.data(), static_cast<int>(question.size()));
    pair.to_server();
    CHECK(pair.received == question);
  }
}

TEST_CASE("a head and a small body go out as one record, large pieces in order") {
  Pair pair(100'000);
  REQUIRE(pair.handshake());
  std::string head = "head|";
  std::string body = "body";
  const std::array<iovec, 2> small{piece_of(head), piece_of(body)};
  CHECK(pair.filter->write(small) == 9);
  constexpr std::size_t kOverhead = 5 + 1 + 16;  // record header, type, tag
  CHECK(pair.filter->output().size() == 9 + kOverhead);
  pair.to_client();
  CHECK(pair.client_reads() == "head|body");

  std::string large = text_of_size(200'000);
  std::string sent;
  for (std::string_view left = large; !left.empty();) {
    std::string rest(left);
    const std::array<iovec, 2> pieces{piece_of(head), piece_of(rest)};
    const std::size_t n = pair.filter->write(std::span(pieces).subspan(1));
    REQUIRE(n != 0);
    CHECK(pair.filter->output().size() < 70'000);
    left.remove_prefix(n);
    pair.to_client();
    sent += pair.client_reads();
  }
  CHECK(sent == large);

  const std::array<iovec, 2> both{piece_of(head), piece_of(large)};
  const std::size_t n = pair.filter->write(both);
  CHECK(n == 16 * 1024);
  pair.to_client();
  CHECK(pair.client_reads() == (head + large).substr(0, n));
}

TEST_CASE("an idle connection gives its output buffer back") {
  Pair pair(100'000);
  REQUIRE(pair.handshake());
  CHECK(pair.filter->output().empty());
  CHECK(pair.scratch.spare.capacity() > 0);
  std::string text = "x";
  const std::array<iovec, 1> piece{piece_of(text)};
  const std::size_t spare = pair.scratch.spare.capacity();
  pair.filter->write(piece);
  CHECK(pair.scratch.spare.capacity() < spare);
  pair.to_client();
  CHECK(pair.scratch.spare.capacity() == spare);
}

TEST_CASE("the end of either side is told to the other") {
  Pair pair(100'000);
  REQUIRE(pair.handshake());
  pair.filter->end();
  pair.to_client();
  char byte = 0;
  const int n = SSL_read(pair.client.get(), &byte, 1);
  CHECK(SSL_get_error(pair.client.get(), n) == SSL_ERROR_ZERO_RETURN);
  SSL_shutdown(pair.client.get());
  pair.to_server();
  CHECK(pair.filter->state() == TlsFilter::State::ended);
}

TEST_CASE("what is not TLS fails, HTTP by its name") {
  Pair http(100'000);
  http.filter->receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  char byte = 0;
  CHECK(http.filter->read(&byte, 1) == 0);
  CHECK(http.filter->state() == TlsFilter::State::failed);
  CHECK(http.filter->plain_http());

  Pair noise(100'000);
  noise.filter->receive(std::string_view("\x16\x03\x01\xff\xff garbage", 13));
  CHECK(noise.filter->read(&byte, 1) == 0);
  CHECK(noise.filter->state() == TlsFilter::State::failed);
  CHECK_FALSE(noise.filter->plain_http());
  CHECK_FALSE(noise.filter->failure().empty());
}

TEST_CASE("a record that was tampered with ends the connection") {
  Pair pair(100'000);
  REQUIRE(pair.handshake());
  SSL_write(pair.client.get(), "hello", 5);
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(pair.client.get()), &data);
  data[size - 1] = static_cast<char>(data[size - 1] ^ 1);
  pair.to_server();
  CHECK(pair.received.empty());
  CHECK(pair.filter->state() == TlsFilter::State::failed);
  CHECK_FALSE(pair.filter->output().empty());  // the alert
}

}  // namespace
}  // namespace aiserve::http
