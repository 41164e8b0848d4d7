// The bodies of requests: gathered for their handlers, or passed on to them as they come.
#include <algorithm>
#include <cstring>
#include <utility>

#include "http/connection.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// What nobody wants of a body is read and dropped up to here; beyond it the connection ends.
constexpr std::size_t kDiscardUpTo = 64 * 1024;
// A body shorter than this comes through the shared buffer.
constexpr std::size_t kDirectFrom = 8 * 1024;

Errc code_of(int status) noexcept {
  if (status == 408) return Errc::deadline_exceeded;
  return status == 413 ? Errc::too_large : Errc::malformed;
}

}  // namespace

// The answer came before the body.
void Connection::early_answer() {
  Exchange& exchange = *reading_;
  exchange.continue_wanted = exchange.data.head.expect_continue;
  leave_unread(exchange);
  exchange.state = Exchange::State::ready;
  write_out();
}

// The rest of the body is dropped if it is small, else the connection ends.
void Connection::leave_unread(Exchange& exchange) noexcept {
  const Head& head = exchange.data.head;
  const std::uint64_t left = head.chunked ? 1 : head.content_length - exchange.body_filled;
  const bool small = !head.chunked && !exchange.continue_wanted && left <= kDiscardUpTo;
  if (left != 0 && !small) {
    exchange.close_after = linger_ = true;
  } else {
    discard_left_ = static_cast<std::size_t>(left);
  }
  exchange.continue_wanted = false;
  end_of_body(exchange);
}

bool Connection::take_body(std::string_view& input) {
  if (reading_->sink != nullptr) return sink_step(input);
  return reading_->data.head.chunked ? chunked_step(input) : length_step(input);
}

bool Connection::length_step(std::string_view& input) {
  Exchange& exchange = *reading_;
  const auto length = static_cast<std::size_t>(exchange.data.head.content_length);
  if (exchange.body_block.size() == 0) {  // all of it is in the input
    exchange.data.body = std::as_bytes(std::span(input.data(), length));
    input.remove_prefix(length);
    start(exchange);
    return true;
  }
  const std::size_t n = std::min(length - exchange.body_filled, input.size());
  std::memcpy(exchange.body_block.data() + exchange.body_filled, input.data(), n);
  input.remove_prefix(n);
  body_received(n, now_);
  return reading_ == nullptr;
}

std::span<std::byte> Connection::body_target() noexcept {
  if (reading_ == nullptr || reading_->state != Exchange::State::body) return {};
  const std::span<std::byte> left = reading_->body_block.span().subspan(
      std::min(reading_->body_filled, reading_->body_block.size()));
  return left.size() < kDirectFrom ? std::span<std::byte>() : left;
}

void Connection::body_received(std::size_t n, TimePoint now) {
  now_ = now;
  Exchange& exchange = *reading_;
  exchange.continue_wanted = false;
  exchange.body_filled += n;
  if (exchange.body_filled < exchange.body_block.size()) return;
  exchange.data.body_block = std::move(exchange.body_block).freeze();
  exchange.data.body = exchange.data.body_block.view();
  start(exchange);
  if (!processing_) advance();
}

bool Connection::chunked_step(std::string_view& input) {
  Exchange& exchange = *reading_;
  exchange.continue_wanted = false;
  std::string_view piece;
  for (;;) {
    switch (exchange.decoder.next(input, piece)) {
      case ChunkedDecoder::Outcome::data:
        exchange.chunks += piece;
        continue;
      case ChunkedDecoder::Outcome::more:
        return false;
      case ChunkedDecoder::Outcome::failed:
        refuse(exchange.decoder.status(), exchange.decoder.reason());
        return false;
      case ChunkedDecoder::Outcome::done:
        break;
    }
    break;
  }
  exchange.data.body_block = Bytes::adopt(std::move(exchange.chunks));
  exchange.data.body = exchange.data.body_block.view();
  start(exchange);
  return true;
}

// --- to a handler that reads while the body comes

bool Connection::sink_step(std::string_view& input) {
  Exchange& exchange = *reading_;
  if (exchange.sink->full()) return false;
  exchange.continue_wanted = false;
  if (exchange.data.head.chunked) return sink_chunk(exchange, input);
  const std::uint64_t left = exchange.data.head.content_length - exchange.body_filled;
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size()));
  exchange.body_filled += n;
  exchange.sink->put(input.substr(0, n));
  input.remove_prefix(n);
  if (n == left) finish_sink(exchange);
  return true;
}

bool Connection::sink_chunk(Exchange& exchange, std::string_view& input) {
  std::string_view piece;
  switch (exchange.decoder.next(input, piece)) {
    case ChunkedDecoder::Outcome::data:
      exchange.sink->put(piece);
      return true;
    case ChunkedDecoder::Outcome::more:
      return false;
    case ChunkedDecoder::Outcome::failed:
      fail_sink(exchange.decoder.status(), exchange.decoder.reason());
      return false;
    case ChunkedDecoder::Outcome::done:
      break;
  }
  finish_sink(exchange);
  return true;
}

void Connection::finish_sink(Exchange& exchange) {
  exchange.sink->end();
  end_of_body(exchange);
}

// The client hears of it now, whatever its handler does, unless that has answered already.
void Connection::fail_sink(int status, std::string_view reason) {
  Exchange& exchange = *std::exchange(reading_, nullptr);
  exchange.close_after = stop_reading_ = linger_ = true;
  exchange.sink->fail(Error(code_of(status), std::string(reason)));
  if (!exchange.answered) answer(exchange, events_.refusal(exchange, status, reason), now_);
}

}  // namespace aiserve::inline v0::http::detail
