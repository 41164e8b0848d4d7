#include "http/connection.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace aiserve::inline v0::http::detail {
namespace {

// What is read and dropped after the last answer.
constexpr std::size_t kLingerUpTo = 256 * 1024;

}  // namespace

Connection::Connection(ConnectionEvents& events, const ConnectionLimits& limits,
                       ConnectionResources& resources, TimePoint now) noexcept
    : events_(events),
      limits_(limits),
      resources_(resources),
      now_(now),
      since_(now),
      ticked_(now),
      out_since_(now) {}

Connection::~Connection() { abort(CancelReason::client_gone); }

// --- input

void Connection::feed(std::string_view bytes, TimePoint now) {
  now_ = now;
  if (phase_ == Phase::lingering) {
    lingered_ += bytes.size();
    if (lingered_ > kLingerUpTo) phase_ = Phase::closed;
    return;
  }
  if (protocol_ != nullptr) return feed_protocol(bytes);
  if (stop_reading_ && !bytes.empty()) linger_ = true;
  if (phase_ != Phase::open || stop_reading_) return;
  if (spill_.empty()) {
    const std::string_view rest = process(bytes);
    if (!rest.empty()) spill_.assign(rest);
  } else {
    spill_.append(bytes);
    process_spill();
  }
  write_out();
  hand_over_spill();
}

void Connection::process_spill() {
  const std::string_view rest = process(spill_);
  if (rest.empty()) {
    std::string().swap(spill_);
  } else {
    spill_.erase(0, spill_.size() - rest.size());
  }
}

std::string_view Connection::process(std::string_view input) {
  processing_ = true;
  resources_.repeated.forget();
  while (!input.empty() && step(input)) {
  }
  processing_ = false;
  // Another connection may be in the midst of this, further out.
  resources_.repeated.forget();
  if (!stop_reading_) return input;
  if (!input.empty()) linger_ = true;
  return {};
}

bool Connection::can_parse() const noexcept {
  const std::size_t waiting = out_ == nullptr ? 0 : out_->pending();
  return phase_ == Phase::open && !stop_reading_ && count_ < kSlots && waiting < limits_.out_bytes;
}

bool Connection::step(std::string_view& input) {
  if (stop_reading_ || may_switch_ || protocol_ != nullptr || phase_ != Phase::open) return false;
  if (discard_left_ != 0) {
    const std::size_t n = std::min(discard_left_, input.size());
    input.remove_prefix(n);
    discard_left_ -= n;
    return true;
  }
  if (reading_ == nullptr) {
    if (!can_parse()) return false;
    reading_ = &resources_.exchanges.acquire();
    reading_->connection = this;
    reading_->body_limit = limits_.body_bytes;
    reading_->times.first_byte = since_ = now_;
  }
  return reading_->state == Exchange::State::head ? head_step(input) : take_body(input);
}

bool Connection::must_wait(const Head& head) const noexcept {
  // HTTP/1.0 knows no pipelining, and its answers may end with the connection.
  const auto side_by_side = [](const Head& x) { return is_safe(x.method) && !x.http10; };
  const auto works = [](const Exchange& x) {
    return x.state == Exchange::State::running || x.handler_running;
  };
  if (count_ == 0) return false;
  if (side_by_side(head) && !head.upgrade) {
    // The newest has waited for all that it could not run beside.
    const Exchange& newest = *ring_[(first_ + count_ - 1u) % kSlots];
    return works(newest) && !side_by_side(newest.data.head);
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (works(*ring_[(first_ + i) % kSlots])) return true;
  }
  return false;
}

bool Connection::head_step(std::string_view& input) {
  Exchange& exchange = *reading_;
  held_ = false;
  const bool repeated = exchange.parser.fresh() && resources_.repeated.repeat(input, exchange.data);
  if (!repeated && !parse_head(input)) return false;
  if (must_wait(exchange.data.head)) {
    held_ = true;
    return false;
  }
  if (!repeated && !bind(input)) return false;
  input.remove_prefix(exchange.data.head.bytes);
  head_complete(input);
  return true;
}

// False: it is not complete, or was refused.
bool Connection::parse_head(std::string_view input) {
  Exchange& exchange = *reading_;
  switch (exchange.parser.parse(input, limits_.head, exchange.data.head)) {
    case HeadParser::Outcome::more:
      return false;
    case HeadParser::Outcome::failed:
      refuse(exchange.parser.status(), exchange.parser.reason());
      return false;
    case HeadParser::Outcome::done:
      break;
  }
  return true;
}

// False: refused.
bool Connection::bind(std::string_view input) {
  RequestState& request = reading_->data;
  if (!request.bind(input.data())) {
    refuse(400, "the path is malformed or ambiguous");
    return false;
  }
  const bool more_behind = input.size() > request.head.bytes;
  if (more_behind && !request.head.has_body()) resources_.repeated.keep(request);
  return true;
}

void Connection::head_complete(std::string_view& input) {
  Exchange& exchange = *reading_;
  const Head& head = exchange.data.head;
  ring_[(first_ + count_++) % kSlots] = &exchange;
  exchange.began = since_ = now_;
  if (!head.keep_alive) exchange.close_after = true;
  events_.on_head(exchange);
  if (exchange.answered) return early_answer();
  if (!head.has_body()) {
    if (exchange.sink != nullptr) exchange.sink->end();
    return start(exchange);
  }
  if (head.content_length > exchange.body_limit) {
    return refuse(413, "the body is larger than this resource takes");
  }
  exchange.state = Exchange::State::body;
  exchange.continue_wanted = head.expect_continue && input.empty();
  if (head.chunked || exchange.sink != nullptr) exchange.data.own_head();
  if (head.chunked) {
    exchange.decoder = ChunkedDecoder(ChunkedLimits{.body_bytes = exchange.body_limit});
  } else if (exchange.sink == nullptr && input.size() < head.content_length) {
    exchange.data.own_head();
    exchange.body_block = MutableBytes(static_cast<std::size_t>(head.content_length));
  }
  if (exchange.sink != nullptr) start(exchange);
}

// With a sink the body is still to come; else the request is complete.
void Connection::start(Exchange& exchange) {
  if (exchange.sink == nullptr || !exchange.data.head.has_body()) end_of_body(exchange);
  exchange.state = Exchange::State::running;
  ++running_;
  may_switch_ = exchange.sink == nullptr && can_switch(exchange);
  const bool nested = std::exchange(processing_, true);
  events_.on_request(exchange);
  processing_ = nested;
  write_out();
}

void Connection::end_of_body(const Exchange& exchange) noexcept {
  reading_ = nullptr;
  since_ = now_;
  if (exchange.close_after) stop_reading_ = true;
}

// Answers what is being read with an error, after all that came before it, and ends.
void Connection::refuse(int status, std::string_view reason) {
  Exchange& exchange = *std::exchange(reading_, nullptr);
  if (exchange.state == Exchange::State::head &&
      !(count_ != 0 && &slot(count_ - 1u) == &exchange)) {
    ring_[(first_ + count_++) % kSlots] = &exchange;
  }
  stop_reading_ = linger_ = true;
  exchange.close_after = exchange.answered = true;
  exchange.continue_wanted = false;
  exchange.response = events_.refusal(exchange, status, reason);
  exchange.kept = true;
  exchange.status = exchange.response.status();
  exchange.state = Exchange::State::ready;
  write_out();
}

void Connection::end_of_input(TimePoint now) {
  now_ = now;
  if (phase_ == Phase::lingering) phase_ = Phase::closed;
  if (phase_ != Phase::open) return;
  if (protocol_ != nullptr) {
    protocol_->end_of_input(now);
    return follow_protocol();
  }
  const bool waited_for = running_ != 0 || std::any_of(ring_.begin(), ring_.end(), [](Exchange* x) {
                            return x != nullptr && x->state == Exchange::State::streaming;
                          });
  const bool streams = reading_ != nullptr && reading_->sink != nullptr;
  if (waited_for || streams || out_ == nullptr) return abort(CancelReason::client_gone);
  drop_reading();
  // The peer has only stopped sending: it gets what was answered.
  stop_reading_ = close_after_out_ = true;
}

// A request whose end will not come; it is the newest of the ring, if it is there already.
void Connection::drop_reading() noexcept {
  if (reading_ == nullptr) return;
  Exchange& exchange = *std::exchange(reading_, nullptr);
  if (count_ != 0 && &slot(count_ - 1u) == &exchange) ring_[(first_ + --count_) % kSlots] = nullptr;
  resources_.exchanges.release(exchange);
}

}  // namespace aiserve::inline v0::http::detail
