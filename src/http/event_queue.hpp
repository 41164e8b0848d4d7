// EventQueue: the bounded buffer between an EventStream and its connection.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "aiserve/http/event_stream.hpp"
#include "http/stream_source.hpp"

namespace aiserve::inline v0::http::detail {

// Appends the event in its wire format. False for a line break or NUL in event or id.
bool append_event(std::string& out, const Event& event);

class EventQueue final : public StreamSource {
 public:
  // `wake` is called, on the sender's thread with the lock held, when there is something new to
  // pull; it may only push to an inbox.
  EventQueue(std::size_t capacity, std::function<void()> wake) noexcept
      : capacity_(capacity), wake_(std::move(wake)) {}

  Result<void> send(const Event& event);
  bool open() const noexcept;

  State pull(std::vector<Bytes>& pieces) override;
  std::string_view heartbeat() const noexcept override { return ":\n\n"; }
  // The sending side ends: what waits still goes out.
  void close() noexcept;
  void gone(CancelReason reason) noexcept override;

 private:
  void wake() noexcept;

  mutable std::mutex mutex_;
  const std::size_t capacity_;
  std::function<void()> wake_;
  std::string text_;
  bool woken_ = false;
  bool closed_ = false;  // by the sender
  bool overflowed_ = false;
  bool gone_ = false;  // by the connection
};

}  // namespace aiserve::inline v0::http::detail
