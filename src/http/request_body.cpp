#include "http/request_body.hpp"

#include <utility>

namespace aiserve::inline v0::http {
namespace detail {

using v0::detail::make_intrusive;
using v0::detail::Operation;

RequestBody::RequestBody(std::size_t capacity, Context ctx, std::shared_ptr<SessionLink> link)
    : capacity_(capacity), ctx_(std::move(ctx)), link_(std::move(link)) {}

// --- the handler's side

Async<Bytes> RequestBody::read() {
  if (waiter_) co_return Error(Errc::conflict, "another read waits");
  if (const CancelReason why = ctx_.reason(); why != CancelReason::none) co_return to_error(why);
  while (text_.empty() && !ended_ && !error_) {
    const Result<void> came = co_await wait_for_more();
    if (!came.ok()) co_return came.error();
  }
  if (!text_.empty()) co_return take();
  if (error_) co_return *error_;
  co_return Bytes();
}

Bytes RequestBody::take() {
  const bool was_full = full();
  std::string taken = std::exchange(text_, {});
  decode();
  // The connection has stopped reading, and goes on when it is woken.
  if (was_full && !full()) link_->wake();
  return Bytes::adopt(std::move(taken));
}

Async<void> RequestBody::wait_for_more() {
  waiter_ = make_intrusive<Operation>();
  const auto waiter = waiter_;
  waiter->bind(link_->home());
  waiter->watch(ctx_);
  if (!std::exchange(asked_, true)) link_->wake();  // 100 Continue may have to be sent
  co_await waiter->wait();
  waiter_ = {};
  if (waiter->outcome() != Operation::Outcome::completed) co_return waiter->error();
  co_return success();
}

// --- the connection's side

void RequestBody::put(std::string_view piece) {
  if (error_) return;
  if (decoder_) {
    coded_ += piece;
    decode();
  } else {
    text_ += piece;
  }
  resume();
}

void RequestBody::end() {
  if (decoder_) {
    coded_ended_ = true;
    decode();
  } else {
    ended_ = true;
  }
  resume();
}

// As much as there is room for; the rest waits for the handler.
void RequestBody::decode() {
  if (!decoder_ || error_ || ended_) return;
  ByteView left = std::as_bytes(std::span(coded_)).subspan(coded_at_);
  while ((!left.empty() || decoder_->holds_back()) && text_.size() < capacity_) {
    const auto outcome = decoder_->feed(left, text_, capacity_ - text_.size());
    if (outcome == BodyDecoder::Outcome::more) continue;
    const bool large = outcome == BodyDecoder::Outcome::large;
    error_ = large ? Error(Errc::too_large, kDecodesToMore) : Error(Errc::malformed, kNotInCoding);
    left = {};
    break;
  }
  coded_at_ = coded_.size() - left.size();
  if (left.empty()) {
    coded_.clear();
    coded_at_ = 0;
    if (!decoder_->holds_back()) end_decoding();
  }
}

void RequestBody::end_decoding() {
  if (!coded_ended_ || error_) return;
  if (decoder_->complete()) {
    ended_ = true;
  } else {
    error_ = Error(Errc::malformed, kNotInCoding);
  }
}

void RequestBody::fail(Error error) {
  error_ = std::move(error);
  resume();
}

void RequestBody::resume() noexcept {
  const bool news = !text_.empty() || ended_ || error_;
  if (waiter_ && news) waiter_->settle(Operation::Outcome::completed);
}

}  // namespace detail

Async<Bytes> BodyReader::read() { return body_->read(); }

}  // namespace aiserve::inline v0::http
