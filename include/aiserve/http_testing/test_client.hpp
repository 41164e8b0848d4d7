/// TestClient: asks an http::Server inside the test's own process, on simulated time.
///
/// Requests go through all that real ones do (strict reading, hooks, limits, deadlines,
/// compression, streams) over a pair of sockets that never leaves the process: no port, no thread,
/// nothing to wait for. A handler that sleeps is woken by SimRuntime::advance(). Each call uses a
/// connection of its own, so that several may be open at once. *Thread safety:* one thread, that of
/// the SimRuntime. The server is on sim.runtime(), started, and without TLS. *Errors:* a Reply with
/// status 0 if there is no answer yet, or never will be.
///
///     http::TestClient client(sim, server);
///     CHECK(client.get("/hello/Ada").body == "Hello, Ada!\n");
///     auto slow = client.start("GET", "/slow");
///     sim.advance(5s);
///     CHECK(slow.reply().status == 200);
#pragma once

#include <aiserve/core/result.hpp>
#include <aiserve/http/server.hpp>
#include <aiserve/testing/sim_runtime.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aiserve::inline v0::http {

class TestClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  struct Reply {
    /// 0: not complete.
    int status = 0;
    Fields fields{};
    std::string body{};

    /// The first field of that name, in whatever case; empty if there is none.
    std::string_view header(std::string_view name) const noexcept;
  };

  struct Event {
    std::string type{};
    std::string data{};
    std::string id{};
  };

  /// A request that was sent. Destroying it is the client going away.
  class Call {
   public:
    Call(Call&&) noexcept;
    Call& operator=(Call&&) noexcept;
    ~Call();

    /// Runs what can run now. Complete, or status 0. Of a stream: as far as it has come, with the
    /// status of its head.
    Reply reply();
    /// The next event of an event stream that has come; nothing if there is none.
    std::optional<Event> next_event();
    /// More of a body that was begun with start(), chunked.
    void send(std::string_view piece);
    void finish();
    /// The server has ended the connection.
    bool closed();

   private:
    friend class TestClient;
    struct State;
    explicit Call(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
  };

  /// A WebSocket. Destroying it is the client going away without a word. It answers the server's
  /// pings when receive(), pongs() or close_code() looks at what has come: advance() in steps below
  /// the route's idle_timeout, and look in between.
  class Socket {
   public:
    struct Message {
      std::string data{};
      bool binary = false;
    };

    Socket(Socket&&) noexcept;
    Socket& operator=(Socket&&) noexcept;
    ~Socket();

    /// 101; or what the server has answered instead, with handshake() as the whole answer.
    int status() const noexcept { return handshake_.status; }
    const Reply& handshake() const noexcept { return handshake_; }
    void send(std::string_view text);
    void send_binary(std::string_view data);
    void ping(std::string_view payload = {});
    /// Whatever bytes, for frames that no client should send.
    void raw(std::string_view bytes);
    /// The next message that has come; nothing if there is none. Pings are answered on the way.
    std::optional<Message> receive();
    /// Pongs that have come.
    std::size_t pongs();
    void close(std::uint16_t code = 1000);
    /// 0 while the server has not closed; then what it said, 1005 if it said nothing, 1006 if it
    /// just went.
    std::uint16_t close_code();

   private:
    friend class TestClient;
    explicit Socket(Call call);
    void send_frame(unsigned char opcode, std::string_view payload);
    void take_frames();

    Call call_;
    Reply handshake_;
    std::vector<Message> messages_;  // those of now, the next first
    Message partial_;
    std::size_t pongs_ = 0;
    std::uint16_t close_code_ = 0;
    bool closing_ = false;
  };

  /// Both must outlive this.
  TestClient(testing::SimRuntime& sim, Server& server) noexcept : sim_(sim), server_(server) {}

  /// Sent with every request from now on: Authorization, say.
  TestClient& with(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
    return *this;
  }

  Reply get(std::string_view target) { return request("GET", target); }
  /// A JSON body.
  Reply post(std::string_view target, std::string_view json) {
    return request("POST", target, json, {{"Content-Type", "application/json"}});
  }
  Reply request(std::string_view method, std::string_view target, std::string_view body = {},
                const Fields& fields = {});

  /// The same without waiting for the answer.
  Call start(std::string_view method, std::string_view target, std::string_view body = {},
             const Fields& fields = {});
  /// Without the end of its body: Call::send() and finish() follow.
  Call start_stream(std::string_view method, std::string_view target, const Fields& fields = {});
  /// Whatever bytes.
  Call raw(std::string_view bytes);
  /// Asks for a WebSocket (Server::websocket()), without permessage-deflate.
  Socket websocket(std::string_view target, const Fields& fields = {});

 private:
  std::string head(std::string_view method, std::string_view target, const Fields& fields) const;

  testing::SimRuntime& sim_;
  Server& server_;
  Fields fields_;
};

}  // namespace aiserve::inline v0::http
