/// TcpGate: a TCP proxy on loopback that misbehaves on demand: what networks do, as ordinary tests.
///
/// It listens on a free port and forwards every connection to the target, each direction by its
/// own mode, which may change at any time, for connections that are open already, too: when the
/// call returns, what has not been forwarded yet goes by the new mode. An end or a reset of one
/// side is told to the other, unless that direction drops. Buffers are bounded (64 KiB per
/// direction): a side that doesn't read holds back the other. It has a thread of its own; the
/// destructor resets what is open and joins it. *Thread safety:* any thread. *Errors:* the
/// constructor throws ConfigError when there is no socket to be had; a mode's argument out of range
/// throws ConfigError, too. A target that refuses resets the client.
///
///     testing::TcpGate gate(server.port());
///     gate.to_target(testing::GateMode::slice(1));
///     Client client(gate.port());  // every byte of its requests comes alone
///     gate.both(testing::GateMode::drop());
///     gate.wait_until([](const testing::GateCounters& now) { return now.open == 0; });
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace aiserve::inline v0::testing {

/// What a gate does with the bytes of one direction.
class GateMode {
 public:
  enum class Kind : std::uint8_t { pass, drop, delay, close, reset, slice, corrupt, limit };

  /// Forwards at once.
  static GateMode pass() noexcept { return {Kind::pass, 0, 0}; }
  /// A black hole: reads and forgets. Neither an end nor a reset is told on.
  static GateMode drop() noexcept { return {Kind::drop, 0, 0}; }
  /// Forwards every piece that long after it came, 0 to 1 h.
  static GateMode delay(std::chrono::milliseconds by);
  /// Ends the connection on both sides when a byte comes; the byte is not forwarded.
  static GateMode close_on_data() noexcept { return {Kind::close, 0, 0}; }
  /// The same with a reset instead of an end.
  static GateMode reset_on_data() noexcept { return {Kind::reset, 0, 0}; }
  /// Forwards in writes of `bytes` each, at least 1, undelayed by Nagle's algorithm.
  static GateMode slice(std::size_t bytes);
  /// Flips one bit in about one of `one_in` bytes, at least 1. Which ones depends on the seed, the
  /// number of the connection and the position only.
  static GateMode corrupt(std::uint64_t seed, std::size_t one_in = 64);
  /// Forwards at most that many bytes per second on each connection, at least 1.
  static GateMode limit(std::size_t bytes_per_second);

  Kind kind() const noexcept { return kind_; }
  /// Milliseconds, bytes, one in so many bytes, bytes per second; 0 for kinds without.
  std::uint64_t amount() const noexcept { return amount_; }
  std::uint64_t seed() const noexcept { return seed_; }

 private:
  GateMode(Kind kind, std::uint64_t amount, std::uint64_t seed) noexcept
      : kind_(kind), amount_(amount), seed_(seed) {}

  Kind kind_;
  std::uint64_t amount_;
  std::uint64_t seed_;
};

struct GateCounters {
  struct Direction {
    std::uint64_t received = 0;   ///< bytes that came in
    std::uint64_t forwarded = 0;  ///< bytes that went out
    std::uint64_t corrupted = 0;  ///< bytes that were changed
    std::uint64_t ends = 0;       ///< connections whose sender ended or was reset
  };
  std::uint64_t accepted = 0;  ///< connections since the start
  std::uint64_t open = 0;      ///< connections of now
  Direction to_target;
  Direction to_client;
};

class TcpGate {
 public:
  /// Forwards to 127.0.0.1:`target_port`, in both directions in mode pass.
  explicit TcpGate(std::uint16_t target_port);
  ~TcpGate();
  TcpGate(const TcpGate&) = delete;
  TcpGate& operator=(const TcpGate&) = delete;

  /// The port it listens on.
  std::uint16_t port() const noexcept;

  void to_target(GateMode mode);
  void to_client(GateMode mode);
  void both(GateMode mode);
  /// Resets what is open now; new connections are served.
  void reset_all();

  GateCounters counters() const;
  /// Waits until `reached(counters)`; false if it isn't within `patience`.
  bool wait_until(const std::function<bool(const GateCounters&)>& reached,
                  std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::testing
