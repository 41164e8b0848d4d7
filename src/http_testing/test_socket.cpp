#include <utility>

#include "http/websocket_frame.hpp"
#include "http_testing/call_state.hpp"
#include "http_testing/reply_parser.hpp"
#include "http_testing/socket_frames.hpp"

namespace aiserve::inline v0::http {
namespace {

constexpr std::uint16_t kNoStatus = 1005;
constexpr std::uint16_t kAbnormal = 1006;

constexpr unsigned char code(detail::Opcode opcode) noexcept {
  return static_cast<unsigned char>(opcode);
}

std::string close_payload(std::uint16_t status) {
  return {static_cast<char>(status >> 8), static_cast<char>(status & 0xff)};
}

}  // namespace

TestClient::Socket::Socket(Call call) : call_(std::move(call)) {
  std::string& received = call_.state_->received;
  const std::size_t end = received.find("\r\n\r\n");
  const bool open = received.starts_with("HTTP/1.1 101 ") && end != std::string::npos;
  if (!open) {
    handshake_ = call_.reply();
    return;
  }
  handshake_ = detail::parse_reply(received.substr(0, end + 4), true, true).reply;
  received.erase(0, end + 4);
}

TestClient::Socket::Socket(Socket&&) noexcept = default;
TestClient::Socket& TestClient::Socket::operator=(Socket&&) noexcept = default;
TestClient::Socket::~Socket() = default;

void TestClient::Socket::send(std::string_view text) {
  send_frame(code(detail::Opcode::text), text);
}

void TestClient::Socket::send_binary(std::string_view data) {
  send_frame(code(detail::Opcode::binary), data);
}

void TestClient::Socket::ping(std::string_view payload) {
  send_frame(code(detail::Opcode::ping), payload);
}

void TestClient::Socket::close(std::uint16_t status) {
  closing_ = true;
  send_frame(code(detail::Opcode::close), close_payload(status));
}

void TestClient::Socket::send_frame(unsigned char opcode, std::string_view payload) {
  raw(detail::client_frame(opcode, payload));
}

void TestClient::Socket::raw(std::string_view bytes) {
  call_.state_->unsent += bytes;
  call_.state_->turn();
}

std::optional<TestClient::Socket::Message> TestClient::Socket::receive() {
  take_frames();
  if (messages_.empty()) return std::nullopt;
  Message message = std::move(messages_.front());
  messages_.erase(messages_.begin());
  return message;
}

std::size_t TestClient::Socket::pongs() {
  take_frames();
  return pongs_;
}

std::uint16_t TestClient::Socket::close_code() {
  take_frames();
  if (close_code_ == 0 && call_.state_->ended) close_code_ = kAbnormal;
  return close_code_;
}

void TestClient::Socket::take_frames() {
  call_.state_->turn();
  while (auto frame = detail::take_frame(call_.state_->received)) {
    switch (static_cast<detail::Opcode>(frame->opcode)) {
      case detail::Opcode::ping:
        send_frame(code(detail::Opcode::pong), frame->payload);
        break;
      case detail::Opcode::pong:
        ++pongs_;
        break;
      case detail::Opcode::close: {
        const std::string& said = frame->payload;
        close_code_ = said.size() < 2
                          ? kNoStatus
                          : static_cast<std::uint16_t>(static_cast<unsigned char>(said[0]) * 256u +
                                                       static_cast<unsigned char>(said[1]));
        if (!std::exchange(closing_, true)) send_frame(code(detail::Opcode::close), said);
        break;
      }
      default:
        if (frame->opcode != code(detail::Opcode::continuation)) {
          partial_ = {{}, frame->opcode == code(detail::Opcode::binary)};
        }
        partial_.data += frame->payload;
        if (frame->last) messages_.push_back(std::exchange(partial_, {}));
    }
  }
}

}  // namespace aiserve::inline v0::http
