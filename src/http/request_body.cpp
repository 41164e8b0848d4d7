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
  if (text_.empty() && !ended_ && !error_) {
    const Result<void> came = co_await wait_for_more();
    if (!came.ok()) co_return came.error();
  }
  if (!text_.empty()) {
    // The connection has stopped reading, and goes on when it is woken.
    if (full()) link_->wake();
    co_return Bytes::adopt(std::exchange(text_, {}));
  }
  if (error_) co_return *error_;
  co_return Bytes();
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
  text_ += piece;
  resume();
}

void RequestBody::end() {
  ended_ = true;
  resume();
}

void RequestBody::fail(Error error) {
  error_ = std::move(error);
  resume();
}

void RequestBody::resume() noexcept {
  if (waiter_) waiter_->settle(Operation::Outcome::completed);
}

}  // namespace detail

Async<Bytes> BodyReader::read() { return body_->read(); }

}  // namespace aiserve::inline v0::http
