#include "http/exchange.hpp"

#include <utility>

#include "http/event_queue.hpp"
#include "http/response_writer.hpp"

namespace aiserve::inline v0::http::detail {

void Exchange::clear() noexcept {
  data.clear();
  parser.reset();
  state = State::head;
  answered = handler_running = close_after = continue_wanted = false;
  if (std::exchange(kept, false)) ResponseWriter::clear(response);
  chunked = pulled = false;
  coding = Coding::identity;
  context.reset();
  span.end();
  route = nullptr;
  hooks_run = 0;
  check.reset();
  connection = nullptr;
  session = nullptr;
  events.reset();
  writer.reset();
  reader.reset();
  sink = nullptr;
  socket.reset();
  socket_served = false;
  deadline = Deadline::never();
  pass = Gate::Pass();
  server_place = Places::Pass();
  route_place = Places::Pass();
  tenant_place = TenantPlaces::Pass();
  times = RequestTimes();
  announcement = Announcement();
  body_filled = 0;
  if (body_block.size() != 0) body_block = MutableBytes();
  if (chunks.capacity() > sizeof(std::string)) std::string().swap(chunks);
}

Exchange& ExchangePool::acquire() {
  ++in_use_;
  if (free_.empty()) return *std::make_unique<Exchange>().release();
  Exchange* exchange = free_.back().release();
  free_.pop_back();
  return *exchange;
}

void ExchangePool::release(Exchange& exchange) noexcept {
  --in_use_;
  std::unique_ptr<Exchange> owned(&exchange);
  if (free_.size() >= kKeep) return;
  owned->clear();
  if (free_.capacity() == 0) free_.reserve(kKeep);
  free_.push_back(std::move(owned));
}

}  // namespace aiserve::inline v0::http::detail
