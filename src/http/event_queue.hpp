// EventQueue: the bounded buffer between an EventStream and its connection.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "aiserve/core/metrics.hpp"
#include "aiserve/http/event_stream.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {

bool is_one_line(std::string_view text) noexcept;
// The event, or the comment, in its wire format.
Result<Bytes> encode(const Event& event);
Bytes encode_comment(std::string_view text);

class EventQueue final : public StreamSource {
 public:
  // What keeping an event costs beside its bytes, so that many small ones are bounded, too.
  static constexpr std::size_t kKeeping = 96;

  // `wake` is called, on the sender's thread with the lock held, when there is something new to
  // pull; it may only push to an inbox. `dropped` counts what a slow client loses.
  EventQueue(std::size_t capacity, SlowClient slow, std::function<void()> wake,
             Counter* dropped = nullptr) noexcept
      : capacity_(capacity), slow_(slow), dropped_counter_(dropped), wake_(std::move(wake)) {}

  Result<void> send(const Event& event);
  Result<void> push(Bytes wire);
  // Whether all of them can be pushed now without loss.
  bool fits(std::span<const Bytes> wires) const noexcept;
  bool open() const noexcept;
  std::uint64_t dropped() const noexcept;
  // The sending side ends: what waits still goes out.
  void close() noexcept;

  State pull(std::vector<Bytes>& pieces) override;
  std::string_view heartbeat() const noexcept override { return ":\n\n"; }
  void gone(CancelReason reason) noexcept override;

 private:
  static std::size_t cost(const Bytes& wire) noexcept { return wire.size() + kKeeping; }
  Result<void> overflow();
  void drop_oldest() noexcept;
  void wake() noexcept;

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  const SlowClient slow_;
  Counter* const dropped_counter_;
  std::function<void()> wake_;
  std::deque<Bytes> events_;
  std::size_t held_ = 0;  // their costs
  std::uint64_t dropped_ = 0;
  bool woken_ = false;
  bool closed_ = false;  // by the sender
  bool overflowed_ = false;
  bool gone_ = false;  // by the connection
};

}  // namespace aiserve::inline v0::http::detail
