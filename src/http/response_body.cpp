#include "http/response_body.hpp"

#include <utility>

namespace aiserve::inline v0::http {
namespace detail {
namespace {

using v0::detail::make_intrusive;
using v0::detail::Operation;

// Pieces up to this size are gathered, so that many small ones do not cost a block each.
constexpr std::size_t kSmall = 4 * 1024;
constexpr std::size_t kGathered = 16 * 1024;

Response default_head() { return Response().header("Content-Type", "application/octet-stream"); }

}  // namespace

ResponseBody::ResponseBody(std::size_t capacity, Context ctx, std::shared_ptr<SessionLink> link,
                           Begin begin)
    : capacity_(capacity),
      ctx_(std::move(ctx)),
      link_(std::move(link)),
      begin_(std::move(begin)),
      head_(default_head()) {}

Result<void> ResponseBody::set_head(Response&& head, std::optional<std::uint64_t> length) {
  if (begun_) return Error(Errc::conflict, "the head of the response was sent");
  if (!head.body().empty()) {
    return Error(Errc::invalid_argument, "the head of a streamed response has a body of its own");
  }
  head_ = std::move(head);
  length_ = length;
  return success();
}

// --- the handler's side

Result<void> ResponseBody::check(std::size_t size) {
  if (waiter_) return Error(Errc::conflict, "another write waits for room");
  if (const CancelReason why = ctx_.reason(); why != CancelReason::none) return to_error(why);
  if (gone_) return Error(Errc::cancelled, "nobody reads this response");
  if (failed_ || !length_ || size <= *length_ - written_) return success();
  fail();
  return Error(Errc::invalid_argument, "more was written than the named Content-Length");
}

bool ResponseBody::has_room(std::size_t size) const noexcept {
  const std::size_t held = queued_ + leaving_;
  return held == 0 || held + size <= capacity_;
}

Async<void> ResponseBody::write(Bytes data) {
  Result<void> may = check(data.size());
  while (may.ok() && !has_room(data.size())) {
    may = co_await wait_for_room();
    if (may.ok()) may = check(data.size());
  }
  if (!may.ok()) co_return may;
  push(std::move(data));
  if (!begun_) begin();
  if (gone_) co_return Error(Errc::cancelled, "nobody reads this response");
  link_->wake();
  co_return success();
}

Async<void> ResponseBody::wait_for_room() {
  waiter_ = make_intrusive<Operation>();
  const Waiter waiter = waiter_;
  waiter->bind(link_->home());
  waiter->watch(ctx_);
  co_await waiter->wait();
  waiter_ = {};
  if (waiter->outcome() != Operation::Outcome::completed) co_return waiter->error();
  co_return success();
}

void ResponseBody::push(Bytes&& data) {
  written_ += data.size();
  queued_ += data.size();
  const bool small = data.size() <= kSmall;
  if (small) small_ += data.text();
  if (!small || small_.size() >= kGathered) end_small();
  if (!small) queue_.push_back(std::move(data));
}

void ResponseBody::end_small() {
  if (!small_.empty()) queue_.push_back(Bytes::adopt(std::exchange(small_, {})));
}

void ResponseBody::begin() {
  begun_ = true;
  if (!begin_(std::move(head_))) gone(CancelReason::none);
}

Result<Response> ResponseBody::unsent(bool head_only) {
  if (!length_ || *length_ == 0) return std::move(head_);
  if (head_only) {
    begin();
    return Response();
  }
  return Error().with_detail("nothing was written of the named Content-Length");
}

Result<void> ResponseBody::finish() {
  if (!gone_ && !failed_ && length_ && written_ < *length_) {
    fail();
    return Error().with_detail("less was written than the named Content-Length");
  }
  ended_ = true;
  link_->wake();
  return success();
}

void ResponseBody::fail() noexcept {
  failed_ = true;
  link_->wake();
}

// --- the connection's side

StreamSource::State ResponseBody::pull(std::vector<Bytes>& pieces) {
  // Half of the buffer at a time, so that the handler fills one half while the other leaves.
  leaving_ = 0;
  end_small();
  while (!queue_.empty() && (leaving_ == 0 || leaving_ + queue_.front().size() <= capacity_ / 2)) {
    leaving_ += queue_.front().size();
    pieces.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_ -= leaving_;
  if (waiter_) waiter_->settle(Operation::Outcome::completed);
  if (!queue_.empty()) return State::open;
  return failed_ ? State::failed : ended_ ? State::ended : State::open;
}

void ResponseBody::gone(CancelReason) noexcept {
  gone_ = true;
  queue_.clear();
  std::string().swap(small_);
  queued_ = leaving_ = 0;
  if (waiter_) waiter_->settle(Operation::Outcome::cancelled);
}

}  // namespace detail

Result<void> BodyWriter::head(Response response) {
  return body_->set_head(std::move(response), std::nullopt);
}

Result<void> BodyWriter::head(Response response, std::uint64_t content_length) {
  return body_->set_head(std::move(response), content_length);
}

Async<void> BodyWriter::write(Bytes data) { return body_->write(std::move(data)); }

}  // namespace aiserve::inline v0::http
