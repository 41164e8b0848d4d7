#include "testing/gate_pipe.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace aiserve::inline v0::testing::detail {
namespace {

using Kind = GateMode::Kind;
constexpr std::size_t kBuffer = 64 * 1024;

bool would_block() noexcept {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS;
}

// SplitMix64 (Steele, Lea, Flood 2014): a hash good enough to pick bytes by.
std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// A limited line sends this much at a time, 10 ms' worth.
std::size_t burst(const GateMode& mode) noexcept {
  return std::max<std::size_t>(1, mode.amount() / 100);
}

}  // namespace

GateSocket& GateSocket::operator=(GateSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void GateSocket::send_at_once() noexcept {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void GateSocket::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void GateSocket::reset() noexcept {
  const linger now{1, 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

bool GatePipe::wants_read() const noexcept {
  return !ended_ && !from_.broken() && pending_.size() < kBuffer;
}

bool GatePipe::wants_write(const GateMode& mode, TimePoint now) const noexcept {
  if (pending_.empty() || to_.broken()) return false;
  const auto at = due(mode);
  return !at || *at <= now;
}

std::optional<TimePoint> GatePipe::due(const GateMode& mode) const noexcept {
  if (pending_.empty() || to_.broken()) return std::nullopt;
  if (mode.kind() == Kind::delay) {
    return pieces_.front().came + std::chrono::milliseconds(mode.amount());
  }
  if (mode.kind() == Kind::limit) return free_at_;
  return std::nullopt;
}

bool GatePipe::over(const GateMode& mode) const noexcept {
  return ended_ && (told_ || to_.broken() || mode.kind() == Kind::drop);
}

GatePipe::Verdict GatePipe::turn(const GateMode& mode, TimePoint now) {
  if (wants_read()) {
    const Verdict verdict = receive(mode, now);
    if (verdict != Verdict::go_on) return verdict;
  }
  if (from_.broken()) {
    end();
    if (mode.kind() != Kind::drop) return Verdict::reset;
  }
  if (mode.kind() == Kind::drop || to_.broken()) forget(pending_.size());
  send(mode, now);
  if (ended_ && !told_ && pending_.empty() && mode.kind() != Kind::drop && !to_.broken()) {
    ::shutdown(to_.fd(), SHUT_WR);
    told_ = true;
  }
  return Verdict::go_on;
}

GatePipe::Verdict GatePipe::receive(const GateMode& mode, TimePoint now) {
  std::array<char, kBuffer> bytes;
  const ssize_t n = ::recv(from_.fd(), bytes.data(), bytes.size() - pending_.size(), 0);
  if (n < 0 && would_block()) return Verdict::go_on;
  if (n < 0) from_.close();
  if (n <= 0) {
    end();
    return Verdict::go_on;
  }
  const auto size = static_cast<std::size_t>(n);
  counters_.received += size;
  if (mode.kind() == Kind::close) return Verdict::close;
  if (mode.kind() == Kind::reset) return Verdict::reset;
  if (mode.kind() == Kind::corrupt) corrupt(mode, std::span(bytes.data(), size));
  position_ += size;
  pending_.append(bytes.data(), size);
  pieces_.push_back({now, size});
  return Verdict::go_on;
}

void GatePipe::end() noexcept {
  if (!std::exchange(ended_, true)) ++counters_.ends;
}

void GatePipe::corrupt(const GateMode& mode, std::span<char> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t dice = mix(mix(mode.seed() ^ salt_) + position_ + i);
    if (dice % mode.amount() != 0) continue;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << (dice >> 61)));
    ++counters_.corrupted;
  }
}

void GatePipe::send(const GateMode& mode, TimePoint now) {
  while (wants_write(mode, now)) {
    std::size_t most = pending_.size();
    if (mode.kind() == Kind::delay) most = pieces_.front().bytes;
    if (mode.kind() == Kind::slice) most = mode.amount();
    if (mode.kind() == Kind::limit) {
      most = std::min(burst(mode), pending_.size());
      const auto rate = static_cast<std::int64_t>(mode.amount());
      const std::chrono::nanoseconds time(static_cast<std::int64_t>(most) * 1'000'000'000 / rate);
      free_at_ = now + std::max(time, std::chrono::nanoseconds(1));
    }
    if (!send_once(std::min(most, pending_.size()))) return;
  }
}

bool GatePipe::send_once(std::size_t most) {
  const ssize_t n = ::send(to_.fd(), pending_.data(), most, MSG_NOSIGNAL);
  if (n > 0) {
    counters_.forwarded += static_cast<std::size_t>(n);
    forget(static_cast<std::size_t>(n));
    return true;
  }
  if (!would_block()) to_.close();
  return false;
}

void GatePipe::forget(std::size_t bytes) noexcept {
  pending_.erase(0, bytes);
  while (bytes != 0) {
    const std::size_t taken = std::min(bytes, pieces_.front().bytes);
    pieces_.front().bytes -= taken;
    bytes -= taken;
    if (pieces_.front().bytes == 0) pieces_.pop_front();
  }
}

}  // namespace aiserve::inline v0::testing::detail
