// One direction of a connection through a TcpGate: read, changed by the mode, bounded, written.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "aiserve/core/deadline.hpp"
#include "aiserve/testing/tcp_gate.hpp"

namespace aiserve::inline v0::testing::detail {

// Owns a non-blocking socket.
class GateSocket {
 public:
  explicit GateSocket(int fd) noexcept : fd_(fd) {}
  GateSocket(GateSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  GateSocket& operator=(GateSocket&& other) noexcept;
  ~GateSocket() { close(); }

  int fd() const noexcept { return fd_; }
  // Reset by its peer, or never connected.
  bool broken() const noexcept { return fd_ < 0; }
  // Without Nagle's algorithm.
  void send_at_once() noexcept;
  void close() noexcept;
  void reset() noexcept;

 private:
  int fd_;
};

class GatePipe {
 public:
  // What becomes of the whole connection.
  enum class Verdict : std::uint8_t { go_on, close, reset };

  // `salt` tells the bytes of this pipe from those of others when they are corrupted.
  GatePipe(GateSocket& from, GateSocket& to, std::uint64_t salt,
           GateCounters::Direction& counters) noexcept
      : from_(from), to_(to), salt_(salt), counters_(counters) {}

  bool wants_read() const noexcept;
  bool wants_write(const GateMode& mode, TimePoint now) const noexcept;
  // When something that waits may go; nothing if nothing waits for time to pass.
  std::optional<TimePoint> due(const GateMode& mode) const noexcept;
  Verdict turn(const GateMode& mode, TimePoint now);
  // Nothing more can happen in this direction.
  bool over(const GateMode& mode) const noexcept;

 private:
  struct Piece {
    TimePoint came;
    std::size_t bytes;
  };

  Verdict receive(const GateMode& mode, TimePoint now);
  void end() noexcept;
  void corrupt(const GateMode& mode, std::span<char> bytes) noexcept;
  void send(const GateMode& mode, TimePoint now);
  bool send_once(std::size_t most);
  void forget(std::size_t bytes) noexcept;

  GateSocket& from_;
  GateSocket& to_;
  const std::uint64_t salt_;
  GateCounters::Direction& counters_;
  std::string pending_;
  std::deque<Piece> pieces_;    // of pending_
  std::uint64_t position_ = 0;  // of the next byte that comes in
  TimePoint free_at_{};         // of the limited line
  bool ended_ = false;          // no more comes in
  bool told_ = false;           // and the other side knows
};

}  // namespace aiserve::inline v0::testing::detail
