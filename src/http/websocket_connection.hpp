// WebSocketConnection: one WebSocket (RFC 6455) without its socket: what the connection speaks
// after the 101. Bytes go in, bytes come out, time is an argument.
//
// All frames of one read are answered in one write. Reading stops while much output waits, so that
// a client which doesn't read cannot have answers pile up, and while nobody takes the messages
// that came. Messages go to the callback of the route, else into an inbox for receive().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/context.hpp"
#include "aiserve/events/event_bus.hpp"
#include "aiserve/http/handler.hpp"
#include "aiserve/http/websocket.hpp"
#include "core/operation.hpp"
#include "http/protocol.hpp"
#include "http/websocket_extension.hpp"
#include "http/websocket_outbox.hpp"
#include "http/websocket_reader.hpp"
#include "http/websocket_resources.hpp"

namespace aiserve::inline v0::http::detail {

// What one WebSocket is made of. References outlive it.
struct WebSocketSetup {
  const WebSocketOptions& options;
  const MessageHandler* on_message = nullptr;  // null: receive() takes the messages
  WebSocketResources& resources;
  WebSocketMetrics& metrics;
  const Request& request;
  const Context& context;
  std::string subprotocol{};
  std::optional<DeflateAgreement> deflate{};
  Duration write_timeout = std::chrono::seconds(30);  // without a byte taken by the peer
  std::function<void()> wake{};                       // any thread: have woken() called
  std::function<void(Error)> failed{};                // the callback threw
  std::function<void()> over{};                       // the socket has ended, last call
};

constexpr Opcode opcode_of(MessageType type) noexcept {
  return type == MessageType::text ? Opcode::text : Opcode::binary;
}

// How a socket ends whose Context has a deadline, that of a token say.
inline constexpr std::uint16_t kExpired = 1008;
inline constexpr std::string_view kExpiredReason = "the session has expired";

class WebSocketConnection final : public Protocol {
 public:
  WebSocketConnection(WebSocketSetup setup, TimePoint now);
  ~WebSocketConnection() override;

  // --- the connection's side (protocol.hpp)
  void feed(std::string_view bytes, TimePoint now) override;
  void end_of_input(TimePoint now) override;
  std::size_t gather(std::span<iovec> pieces) const noexcept override;
  void sent(std::size_t n, TimePoint now) override;
  bool wants_read() const noexcept override;
  bool wants_write() const noexcept override { return out_ != nullptr; }
  Phase phase() const noexcept override { return phase_; }
  void woken(TimePoint now) override;
  void tick(TimePoint now) override;
  void drain(TimePoint now) override;
  void ended(CancelReason reason) noexcept override;

  // --- the handler's side (websocket.hpp)
  Async<Message> receive(const Context& ctx);
  Async<void> write(const Context& ctx, Message message);
  Result<void> send(Opcode opcode, std::string_view payload);
  Result<void> send(Opcode opcode, const Bytes& payload);
  Result<void> close(std::uint16_t code, std::string_view reason);
  Result<void> follow(EventBus& bus, std::string_view topic, MessageType type);
  void unfollow(std::string_view topic) noexcept;

  // ended() was called.
  bool over() const noexcept { return over_; }
  bool open() const noexcept { return outbox_->open() && !peer_closed_; }
  const CloseStatus& status() const noexcept { return status_; }
  const std::shared_ptr<WebSocketOutbox>& outbox() const noexcept { return outbox_; }
  const WebSocketSetup& setup() const noexcept { return setup_; }
  WebSocket& handle() noexcept { return handle_; }

 private:
  using OperationPtr = v0::detail::IntrusivePtr<v0::detail::Operation>;
  struct Follow {
    std::string topic;
    Attached attached;
  };

  // While one lives, the connection will gather what is written.
  class Turn {
   public:
    Turn(WebSocketConnection& socket, TimePoint now) noexcept : socket_(socket) {
      socket_.now_ = now;
      socket_.in_turn_ = true;
    }
    ~Turn() { socket_.in_turn_ = false; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    WebSocketConnection& socket_;
  };

  // Output beyond which nothing more is read, nor taken from the queue.
  static constexpr std::size_t kOutMark = 64 * 1024;

  // websocket_connection.cpp
  std::size_t process(std::string_view input);
  void process_spill();
  bool may_read() const noexcept;
  void step(std::string_view& input);
  void take_message();
  void deliver();
  void peer_closes();
  void fail(std::uint16_t code, std::string_view reason);
  void stop_listening() noexcept;
  void begin_closing() noexcept;
  void follow_message();
  void check_message();
  void check_silence();
  void end(CancelReason reason) noexcept;
  void tell_end() noexcept;
  void wake_receiver() noexcept;

  // websocket_output.cpp
  OutBuffer& out();
  void give_back_out() noexcept;
  std::size_t waiting() const noexcept { return out_ == nullptr ? 0 : out_->pending(); }
  bool may_write() const noexcept;
  void write_frame(Opcode opcode, std::string_view payload);
  void write_frame(Opcode opcode, const Bytes& payload);
  bool write_compressed(Opcode opcode, std::string_view payload);
  void write_close(std::uint16_t code, std::string_view reason);
  void pump();
  void pump_close();
  void wake_writers() noexcept;

  WebSocketSetup setup_;
  WebSocket handle_{*this};
  std::shared_ptr<WebSocketOutbox> outbox_;
  WebSocketReader reader_;
  std::unique_ptr<OutBuffer> out_;
  std::unique_ptr<Deflater> deflater_;  // with context takeover
  MessageQueue inbox_;
  std::string spill_;  // input that nobody wants yet
  std::size_t spill_at_ = 0;
  OperationPtr receiver_;
  std::vector<OperationPtr> writers_;
  std::vector<Follow> follows_;
  CloseStatus status_;
  TimePoint now_;
  TimePoint heard_;  // from the peer, or since when we listen again
  TimePoint pinged_;
  std::optional<TimePoint> message_since_;  // that of which more is to come
  TimePoint out_since_;                     // last progress of the output
  TimePoint closing_since_;                 // since either side began to close
  Phase phase_ = Phase::open;
  CancelReason reason_ = CancelReason::client_gone;
  bool in_turn_ = false;  // the connection gathers after it anyway
  bool close_sent_ = false;
  bool peer_closed_ = false;  // its close frame has come, or it is not listened to any more
  bool closing_ = false;
  bool failed_ = false;  // by the peer's fault: linger
  bool over_ = false;
};

}  // namespace aiserve::inline v0::http::detail
