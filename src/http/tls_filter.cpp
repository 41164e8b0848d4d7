#include "http/tls_filter.hpp"

#include <algorithm>
#include <climits>
#include <cstring>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/tls_identity.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kRecord = 16 * 1024;
// More than this is encrypted only when the peer has taken it.
constexpr std::size_t kOutput = 64 * 1024;
constexpr std::size_t kKeep = 128 * 1024;

struct MethodFree {
  void operator()(BIO_METHOD* method) const noexcept { BIO_meth_free(method); }
};

}  // namespace

void SslFree::operator()(ssl_st* ssl) const noexcept { SSL_free(ssl); }

const bio_method_st* TlsFilter::method() noexcept {
  static const std::unique_ptr<BIO_METHOD, MethodFree> made = [] {
    BIO_METHOD* const method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "aiserve");
    if (method != nullptr) {
      BIO_meth_set_read(method, &TlsFilter::bio_read);
      BIO_meth_set_write(method, &TlsFilter::bio_write);
      BIO_meth_set_ctrl(method, &TlsFilter::bio_control);
    }
    return std::unique_ptr<BIO_METHOD, MethodFree>(method);
  }();
  return made.get();
}

int TlsFilter::bio_read(bio_st* bio, char* target, int room) noexcept {
  auto& input = static_cast<TlsFilter*>(BIO_get_data(bio))->input_;
  BIO_clear_retry_flags(bio);
  if (input.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t n = std::min(input.size(), static_cast<std::size_t>(room));
  std::memcpy(target, input.data(), n);
  input.remove_prefix(n);
  return static_cast<int>(n);
}

int TlsFilter::bio_write(bio_st* bio, const char* data, int size) noexcept {
  auto* const self = static_cast<TlsFilter*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  try {
    if (self->output_.empty()) self->output_.swap(self->scratch_.spare);
    self->output_.append(data, static_cast<std::size_t>(size));
    return size;
  } catch (const std::bad_alloc&) {
    return -1;
  }
}

long TlsFilter::bio_control(bio_st*, int command, long, void*) noexcept {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

TlsFilter::TlsFilter(std::shared_ptr<const TlsContext> context, TlsScratch& scratch)
    : context_(std::move(context)), scratch_(scratch), ssl_(SSL_new(context_->get())) {
  attach();
  SSL_set_accept_state(ssl_.get());
}

TlsFilter::TlsFilter(std::unique_ptr<ssl_st, SslFree> ssl, TlsScratch& scratch)
    : scratch_(scratch), ssl_(std::move(ssl)) {
  attach();
  SSL_set_connect_state(ssl_.get());
}

void TlsFilter::attach() {
  BIO* const bio = ssl_ == nullptr ? nullptr : BIO_new(method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
}

TlsFilter::~TlsFilter() = default;

std::size_t TlsFilter::read(void* target, std::size_t room) noexcept {
  if (state_ == State::ended || state_ == State::failed) return 0;
  ERR_clear_error();
  const int n =
      SSL_read(ssl_.get(), target, static_cast<int>(std::min<std::size_t>(room, INT_MAX)));
  if (state_ == State::handshake && SSL_is_init_finished(ssl_.get()) == 1) state_ = State::open;
  if (n > 0) return static_cast<std::size_t>(n);
  switch (SSL_get_error(ssl_.get(), n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      break;
    case SSL_ERROR_ZERO_RETURN:
      state_ = State::ended;
      break;
    default:
      fail();
  }
  return 0;
}

void TlsFilter::shake_hands() noexcept {
  if (state_ != State::handshake) return;
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    state_ = State::open;
  } else if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) {
    fail();
  }
}

void TlsFilter::fail() noexcept {
  state_ = State::failed;
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  plain_http_ = ERR_GET_LIB(error) == ERR_LIB_SSL &&
                (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST);
  const char* const text = ERR_reason_error_string(error);
  failure_ = text == nullptr ? "protocol error" : text;
}

std::size_t TlsFilter::write(std::span<const iovec> pieces) {
  if (state_ != State::open || pieces.empty()) return 0;
  const void* data = pieces[0].iov_base;
  std::size_t size = std::min(pieces[0].iov_len, kOutput);
  // A head with its body goes out as one record.
  if (pieces.size() > 1 && size < kRecord) {
    scratch_.plain.clear();
    for (const iovec& piece : pieces) {
      const std::size_t room = kRecord - scratch_.plain.size();
      scratch_.plain.append(static_cast<const char*>(piece.iov_base),
                            std::min(piece.iov_len, room));
      if (scratch_.plain.size() == kRecord) break;
    }
    data = scratch_.plain.data();
    size = scratch_.plain.size();
  }
  ERR_clear_error();
  const int n = SSL_write(ssl_.get(), data, static_cast<int>(size));
  if (n > 0) return static_cast<std::size_t>(n);
  fail();
  return 0;
}

void TlsFilter::end() noexcept {
  if (state_ != State::open && state_ != State::ended) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsFilter::consume(std::size_t n) noexcept {
  sent_ += n;
  if (sent_ < output_.size()) return;
  output_.clear();
  sent_ = 0;
  const bool kept = output_.capacity() <= kKeep && scratch_.spare.capacity() < output_.capacity();
  if (kept) scratch_.spare.swap(output_);
  std::string().swap(output_);
}

std::optional<ClientCertificate> TlsFilter::client_certificate() const {
  return identity_of(*ssl_);
}

bool TlsFilter::resumed() const noexcept { return SSL_session_reused(ssl_.get()) == 1; }

bool TlsFilter::distrusted() const noexcept {
  return SSL_get_verify_result(ssl_.get()) != X509_V_OK;
}

}  // namespace aiserve::inline v0::http::detail
