// The half of Connection that speaks something other than HTTP.
#include <utility>

#include "http/connection.hpp"

namespace aiserve::inline v0::http::detail {

bool Connection::can_switch(const Exchange& exchange) noexcept {
  const Head& head = exchange.data.head;
  return exchange.state == Exchange::State::running && head.upgrade && !head.http10 &&
         head.method == Method::get && !exchange.close_after;
}

// The response in front is a 101. Its request ran alone and nothing was parsed since.
void Connection::switch_protocol() {
  Exchange& exchange = slot(0);
  ResponseWriter::write(out(), exchange.response, {}, resources_.date_line);
  protocol_ = ResponseWriter::protocol(exchange.response);
  may_switch_ = false;
  pop_front();
  if (draining_) protocol_->drain(now_);
}

void Connection::feed_protocol(std::string_view bytes) {
  protocol_->feed(bytes, now_);
  follow_protocol();
}

void Connection::hand_over_spill() {
  if (protocol_ == nullptr || spill_.empty()) return;
  const std::string rest = std::exchange(spill_, {});
  feed_protocol(rest);
}

// Ends the connection when the protocol has ended, but not before the 101 has left.
void Connection::follow_protocol() noexcept {
  if (phase_ != Phase::open || out_ != nullptr || protocol_->phase() == Phase::open) return;
  phase_ = protocol_->phase();
  since_ = now_;
  end_protocol(CancelReason::none);
}

void Connection::end_protocol(CancelReason reason) noexcept {
  if (const auto protocol = std::exchange(protocol_, nullptr)) protocol->ended(reason);
}

}  // namespace aiserve::inline v0::http::detail
