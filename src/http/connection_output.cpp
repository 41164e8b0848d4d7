// The sending half of Connection, and its timeouts and ends.
#include <algorithm>
#include <utility>

#include "http/connection.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {

OutBuffer& Connection::out() {
  if (out_ == nullptr) {
    if (resources_.out_buffers.empty()) {
      out_ = std::make_unique<OutBuffer>();
    } else {
      out_ = std::move(resources_.out_buffers.back());
      resources_.out_buffers.pop_back();
    }
    out_since_ = now_;
  }
  return *out_;
}

void Connection::answer(Exchange& exchange, Response&& response, TimePoint now) {
  now_ = now;
  if (exchange.answered) return;  // the deadline was faster
  exchange.answered = true;
  exchange.status = response.status();
  if (exchange.state == Exchange::State::running) {
    exchange.state = Exchange::State::ready;
    --running_;
  }
  // It ran alone: this is the answer that what lies behind its request has waited for.
  if (ResponseWriter::protocol(response) == nullptr) may_switch_ = false;
  if (can_write_now(exchange, response)) {
    write_head(exchange, response);
    exchange.state = Exchange::State::written;
    if (!processing_) advance();
    return;
  }
  exchange.response = std::move(response);
  exchange.kept = true;
  const StreamSource* const source = ResponseWriter::stream(exchange.response).get();
  const bool handled = exchange.state == Exchange::State::ready;
  if (handled && &exchange == reading_ && source == nullptr) leave_unread(exchange);
  if (source != nullptr && !source->length() && exchange.data.head.http10) {
    exchange.close_after = true;  // the end of its body is that of the connection
    if (&exchange != reading_) stop_reading_ = true;
  }
  if (!processing_) advance();
}

// Nearly all: it is the next in order, complete, and so is its request.
bool Connection::can_write_now(const Exchange& exchange, const Response& response) const noexcept {
  return exchange.state == Exchange::State::ready && ring_[first_] == &exchange &&
         &exchange != reading_ && ResponseWriter::stream(response) == nullptr &&
         ResponseWriter::protocol(response) == nullptr && phase_ == Phase::open &&
         !close_after_out_;
}

void Connection::handler_ended(Exchange& exchange) noexcept { exchange.handler_running = false; }

void Connection::stream_ready(TimePoint now) {
  now_ = now;
  advance();
  if (protocol_ == nullptr) return;
  protocol_->woken(now);
  follow_protocol();
}

// After a response: writes what is next in order and parses what had to wait.
void Connection::advance() {
  write_out();
  while (!spill_.empty() && phase_ == Phase::open && protocol_ == nullptr) {
    const std::size_t before = spill_.size();
    if (reading_ == nullptr && !can_parse()) return;
    process_spill();
    write_out();
    if (spill_.size() == before) break;
  }
  hand_over_spill();
}

void Connection::write_out() {
  while (count_ != 0 && phase_ == Phase::open && !close_after_out_) {
    Exchange& exchange = slot(0);
    if (exchange.state == Exchange::State::ready) {
      if (ResponseWriter::protocol(exchange.response) != nullptr) return switch_protocol();
      write_head(exchange, exchange.response);
      if (exchange.state == Exchange::State::streaming) continue;
      pop_front();
    } else if (exchange.state == Exchange::State::written) {
      pop_front();
    } else if (exchange.state == Exchange::State::streaming) {
      if (!pull_stream(exchange)) return;
    } else {
      if (exchange.sink == nullptr || exchange.sink->wanted()) say_continue(exchange);
      return;
    }
  }
  if (close_after_out_ && out_ == nullptr && phase_ == Phase::open) end_sending();
}

void Connection::say_continue(Exchange& exchange) {
  if (std::exchange(exchange.continue_wanted, false)) {
    out().text() += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

void Connection::write_head(Exchange& exchange, Response& response) {
  using Persistence = ResponseWriter::Persistence;
  const Head& head = exchange.data.head;
  const StreamSource* const source = ResponseWriter::stream(response).get();
  const bool head_only = head.method == Method::head;
  const bool stream = source != nullptr && !head_only && !ResponseWriter::bodiless(response);
  const bool unbounded = source != nullptr && !source->length();
  const bool last = exchange.close_after || (draining_ && count_ == 1 && reading_ == nullptr);
  exchange.close_after = last;
  exchange.chunked = unbounded && !head.http10;
  const ResponseWriter::Framing framing{.persistence = last          ? Persistence::close
                                                       : head.http10 ? Persistence::keep_on_http10
                                                                     : Persistence::keep,
                                        .head_only = head_only,
                                        .chunked = exchange.chunked};
  if (stream) {
    say_continue(exchange);  // this was the last chance to
    exchange.state = Exchange::State::streaming;
  }
  ResponseWriter::write(out(), response, framing, resources_.date_line);
}

// True if the stream has ended and the next slot is first.
bool Connection::pull_stream(Exchange& exchange) {
  // No more before what was pulled has left: the source counts it until then.
  if (out_ != nullptr && (exchange.pulled || out_->pending() >= limits_.out_bytes)) return false;
  std::vector<Bytes>& pieces = resources_.pieces;
  const StreamSource::State state = ResponseWriter::stream(exchange.response)->pull(pieces);
  if (!pieces.empty()) append_body(exchange, pieces);
  switch (state) {
    case StreamSource::State::open:
      return false;
    case StreamSource::State::overflowed:
      abort(CancelReason::slow_client);
      return false;
    case StreamSource::State::failed:
      cut_off(exchange);
      return true;
    case StreamSource::State::ended:
      break;
  }
  if (exchange.chunked) out().text() += "0\r\n\r\n";
  pop_front();
  return true;
}

void Connection::append_body(Exchange& exchange, std::vector<Bytes>& pieces) {
  since_ = now_;
  exchange.pulled = true;
  std::size_t size = 0;
  for (const Bytes& piece : pieces) size += piece.size();
  if (exchange.chunked) begin_chunk(out().text(), size);
  for (Bytes& piece : pieces) out().append(std::move(piece));
  if (exchange.chunked) out().text() += "\r\n";
  pieces.clear();
}

// The stream in front is not complete and never will be.
void Connection::cut_off(Exchange& exchange) noexcept {
  const bool told = exchange.chunked || ResponseWriter::stream(exchange.response)->length();
  reset_ = !told;
  exchange.close_after = true;
  pop_front();
}

void Connection::pop_front() noexcept {
  Exchange& exchange = slot(0);
  if (&exchange == reading_) leave_unread(exchange);
  if (exchange.close_after) close_after_out_ = stop_reading_ = true;
  if (const auto& source = ResponseWriter::stream(exchange.response); source != nullptr) {
    source->gone(CancelReason::none);
    if (exchange.handler_running) events_.on_gone(exchange, CancelReason::user);
  }
  ring_[first_] = nullptr;
  first_ = static_cast<std::uint8_t>((first_ + 1) % kSlots);
  --count_;
  since_ = now_;
  served_ = true;
  events_.on_written(exchange);
  let_go(exchange);
}

void Connection::let_go(Exchange& exchange) noexcept {
  if (exchange.handler_running) {
    exchange.connection = nullptr;  // the handler gives it back
    exchange.data.own_peer();
  } else {
    resources_.exchanges.release(exchange);
  }
}

std::size_t Connection::gather(std::span<iovec> pieces) const noexcept {
  if (out_ != nullptr) return out_->gather(pieces);
  return protocol_ == nullptr ? 0 : protocol_->gather(pieces);
}

void Connection::sent(std::size_t n, TimePoint now) {
  now_ = now;
  if (out_ == nullptr) {
    protocol_->sent(n, now);
    return follow_protocol();
  }
  if (n != 0) out_since_ = now;
  out_->consume(n);
  if (out_->empty()) finish_out();
  if (phase_ == Phase::open && !processing_) advance();
  if (protocol_ != nullptr) follow_protocol();
}

void Connection::finish_out() noexcept {
  constexpr std::size_t kKeep = 64;
  if (resources_.out_buffers.size() < kKeep) {
    if (resources_.out_buffers.capacity() == 0) resources_.out_buffers.reserve(kKeep);
    resources_.out_buffers.push_back(std::move(out_));
  }
  out_.reset();
  const bool drained = draining_ && count_ == 0 && reading_ == nullptr && protocol_ == nullptr;
  if (close_after_out_ || drained) end_sending();
}

void Connection::end_sending() noexcept {
  phase_ = linger_ ? Phase::lingering : Phase::closed;
  since_ = now_;
}

bool Connection::wants_write() const noexcept {
  return out_ != nullptr || (protocol_ != nullptr && protocol_->wants_write());
}

bool Connection::wants_read() const noexcept {
  if (phase_ == Phase::lingering) return true;
  if (protocol_ != nullptr) return protocol_->wants_read();
  if (reading_ != nullptr && reading_->sink != nullptr && reading_->sink->full()) return false;
  return phase_ == Phase::open && !stop_reading_ && spill_.size() < limits_.read_ahead;
}

// --- time and ends

void Connection::tick(TimePoint now) {
  now_ = now;
  if (phase_ == Phase::lingering && now - since_ >= limits_.linger_timeout) phase_ = Phase::closed;
  if (phase_ != Phase::open) return;
  if (out_ != nullptr && now - out_since_ >= limits_.write_timeout) {
    return abort(CancelReason::slow_client);
  }
  if (protocol_ != nullptr) {
    protocol_->tick(now);
    return follow_protocol();
  }
  if (count_ != 0) check_deadlines(now);
  if (phase_ != Phase::open) return;
  check_reading(now);
  ticked_ = now;
  if (count_ != 0 && slot(0).state == Exchange::State::streaming) check_stream(now);
}

void Connection::check_reading(TimePoint now) {
  if (stop_reading_) return;
  const Duration quiet = now - since_;
  if (discard_left_ != 0) {
    if (quiet >= limits_.body_timeout) phase_ = Phase::closed;
  } else if (reading_ == nullptr) {
    const Duration patience =
        served_ ? limits_.idle_timeout : std::min(limits_.idle_timeout, limits_.head_timeout);
    if (count_ == 0 && out_ == nullptr && quiet >= patience) phase_ = Phase::closed;
  } else if (reading_->state == Exchange::State::head) {
    if (!held_ && quiet >= limits_.head_timeout) refuse(408, "the head took too long");
  } else if (reading_->sink != nullptr && !reading_->sink->wanted()) {
    since_ += now - ticked_;  // nobody waited for the client meanwhile
  } else if (quiet >= limits_.body_timeout) {
    constexpr std::string_view kReason = "the body took too long";
    reading_->sink == nullptr ? refuse(408, kReason) : fail_sink(408, kReason);
  }
}

void Connection::check_deadlines(TimePoint now) {
  for (std::size_t i = 0; i < count_; ++i) {
    Exchange& exchange = slot(i);
    const bool works = exchange.state == Exchange::State::running || exchange.handler_running;
    if (!works || !exchange.deadline.expired(now)) continue;
    if (!exchange.answered) exchange.close_after = stop_reading_ = true;
    const bool nested = std::exchange(processing_, true);
    events_.on_deadline(exchange);
    processing_ = nested;
    if (exchange.state == Exchange::State::streaming) {
      cut_off(exchange);
      break;
    }
  }
  advance();
}

void Connection::check_stream(TimePoint now) {
  if (out_ != nullptr || now - since_ < limits_.heartbeat) return;
  Exchange& exchange = slot(0);
  const std::string_view beat = ResponseWriter::stream(exchange.response)->heartbeat();
  if (beat.empty()) return;
  since_ = now;
  if (exchange.chunked) {
    append_chunk(out().text(), beat);
  } else {
    out().text() += beat;
  }
}

void Connection::drain(TimePoint now) {
  now_ = now;
  draining_ = true;
  if (protocol_ != nullptr) {
    protocol_->drain(now);
    return follow_protocol();
  }
  if (phase_ == Phase::open && !busy() && reading_ == nullptr) phase_ = Phase::closed;
}

void Connection::abort(CancelReason reason) noexcept {
  while (count_ != 0) {
    Exchange& exchange = slot(0);
    if (&exchange == reading_) reading_ = nullptr;
    if (exchange.handler_running) events_.on_gone(exchange, reason);
    if (const auto& source = ResponseWriter::stream(exchange.response); source != nullptr) {
      source->gone(reason);
    }
    ring_[first_] = nullptr;
    first_ = static_cast<std::uint8_t>((first_ + 1) % kSlots);
    --count_;
    let_go(exchange);
  }
  if (reading_ != nullptr) resources_.exchanges.release(*std::exchange(reading_, nullptr));
  running_ = 0;
  out_.reset();
  spill_.clear();
  phase_ = Phase::closed;
  end_protocol(reason);
}

}  // namespace aiserve::inline v0::http::detail
