// WebSocketOutbox: the bounded queue between those who send messages, on any thread, and the
// connection that writes them. Outlives its connection in the hands of WebSocketSenders.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/metrics.hpp"
#include "aiserve/core/result.hpp"
#include "aiserve/http/websocket_options.hpp"
#include "http/websocket_frame.hpp"

namespace aiserve::inline v0::http::detail {

// Messages in order, with the bytes they hold.
class MessageQueue {
 public:
  struct Item {
    Opcode opcode = Opcode::text;
    Bytes payload;
  };
  // Counted beside a payload, so that empty messages are bounded too.
  static constexpr std::size_t kOverhead = 64;

  bool empty() const noexcept { return first_ == items_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }
  static std::size_t cost(std::size_t payload) noexcept { return payload + kOverhead; }

  void push(Opcode opcode, Bytes payload);
  // Precondition: not empty.
  Item pop() noexcept;
  void clear() noexcept;

 private:
  std::vector<Item> items_;
  std::size_t first_ = 0;
  std::size_t bytes_ = 0;
};

// A close frame that waits until what was sent before it is out.
struct CloseRequest {
  std::uint16_t code = 1000;
  std::string reason;
};

class WebSocketOutbox {
 public:
  // `wake` is called under the lock, on the sender's thread, and may only push to an inbox.
  WebSocketOutbox(std::size_t capacity, SlowClient policy, Counter& dropped,
                  std::function<void()> wake) noexcept
      : capacity_(capacity), policy_(policy), dropped_(dropped), wake_(std::move(wake)) {}

  // --- any thread
  Result<void> push(Opcode opcode, Bytes payload);
  Result<void> close(std::uint16_t code, std::string_view reason);
  // Whether a message could be sent if there were room for it.
  Result<void> check(Opcode opcode, std::string_view payload) const;
  bool open() const noexcept { return open_.load(std::memory_order_acquire); }
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  bool has_room_for(std::size_t payload) const noexcept {
    return bytes() + MessageQueue::cost(payload) <= capacity_;
  }
  std::size_t capacity() const noexcept { return capacity_; }

  // --- the connection's thread
  // The next message, in the order of sending.
  std::optional<MessageQueue::Item> pop();
  // The close, once all messages before it are taken.
  std::optional<CloseRequest> take_close();
  bool overflowed() const noexcept { return overflowed_.load(std::memory_order_acquire); }
  // Nobody will take anything any more.
  void end() noexcept;

 private:
  bool make_room(std::size_t payload);
  void wake() noexcept;
  void settle_bytes() noexcept { bytes_.store(queue_.bytes(), std::memory_order_relaxed); }

  const std::size_t capacity_;
  const SlowClient policy_;
  Counter& dropped_;  // not used after end(): the registry may go before a sender
  std::mutex mutex_;
  std::function<void()> wake_;
  bool woken_ = false;
  MessageQueue queue_;
  std::optional<CloseRequest> close_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> open_{true};
  std::atomic<bool> overflowed_{false};
};

Error closed_error();

}  // namespace aiserve::inline v0::http::detail
