// A Connection with a small server behind it and a hand-fed clock; no socket.
//   GET  /            "root"; meanwhile `meanwhile` is called
//   POST /echo        the body, its H as h
//   any  /slow/NAME   suspends until finish(NAME)
//   any  /early       403 before the body
//   GET  /big         100,000 bytes
//   POST /small       takes 10 bytes at most
//   GET  /events      an event stream that stays open; `events` is its queue
//   any  /body        a body that is streamed: `body` is its source
//   any  /body/N      the same, whose length is named: N, a digit
//   any  /sink        the body, its H as h, passed on as it comes: `sinks` are theirs
//   GET  /deadline    suspends with a deadline of 30 s
//   GET  /upgrade     a change to EchoProtocol if it was asked for, else 426
//   GET  /slow/upgrade   the same in finish("upgrade")
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/connection.hpp"
#include "http/event_queue.hpp"

namespace aiserve::http::detail {

// Sends back what it gets, H as h; '$' ends it when all is sent, '!' says "pong" at the next tick.
class EchoProtocol final : public Protocol {
 public:
  void feed(std::string_view bytes, TimePoint) override {
    for (const char c : bytes) {
      if (closing) return;
      closing = c == '$';
      ponging = ponging || c == '!';
      waiting += c == 'H' ? 'h' : c;
    }
  }
  void end_of_input(TimePoint) override { closing = true; }
  std::size_t gather(std::span<iovec> pieces) const noexcept override {
    if (waiting.empty()) return 0;
    pieces[0] = {const_cast<char*>(waiting.data()), waiting.size()};
    return 1;
  }
  void sent(std::size_t n, TimePoint) override { waiting.erase(0, n); }
  bool wants_read() const noexcept override { return !closing; }
  bool wants_write() const noexcept override { return !waiting.empty(); }
  Phase phase() const noexcept override {
    return closing && waiting.empty() ? Phase::closed : Phase::open;
  }
  void tick(TimePoint) override {
    if (std::exchange(ponging, false)) waiting += "pong";
  }
  void drain(TimePoint) override {
    waiting += "bye";
    closing = true;
  }
  void ended(CancelReason reason) noexcept override { ends.push_back(reason); }

  std::string waiting;
  std::vector<CancelReason> ends;
  bool closing = false;
  bool ponging = false;
};

// A body whose parts are laid in front of the connection by hand.
class ScriptedBody final : public StreamSource {
 public:
  State pull(std::vector<Bytes>& pieces) override {
    ++pulls;
    for (std::string& part : parts) pieces.push_back(Bytes::adopt(std::move(part)));
    parts.clear();
    return state;
  }
  std::optional<std::uint64_t> length() const noexcept override { return named; }
  void gone(CancelReason reason) noexcept override { ends.push_back(reason); }

  std::vector<std::string> parts;
  State state = State::open;
  std::optional<std::uint64_t> named;
  std::vector<CancelReason> ends;
  int pulls = 0;
};

// Where a body goes that is passed on as it comes: room for 100 bytes, emptied while `reads`.
class TestSink final : public BodySink {
 public:
  void put(std::string_view piece) override {
    received += piece;
    held += piece.size();
  }
  void end() override { ended = true; }
  void fail(Error with) override { error = with; }
  bool full() const noexcept override { return held >= 100; }
  bool wanted() const noexcept override { return reads && held == 0; }

  std::string received;
  std::size_t held = 0;
  bool reads = true;
  bool ended = false;
  std::optional<Error> error;
  Exchange* exchange = nullptr;  // so long as its handler runs
};

class ConnectionFixture final : public ConnectionEvents {
 public:
  explicit ConnectionFixture(const ConnectionLimits& given = {}) : limits(given) {
    resources.date_line = "Date: now\r\n";
    connection = std::make_unique<Connection>(*this, limits, resources, now);
  }
  ~ConnectionFixture() {
    connection.reset();
    for (auto& [name, exchange] : suspended) resources.exchanges.release(*exchange);
    release_all();
  }
  // The handlers of bodies that never came to their end.
  void release_all() {
    for (auto& sink : sinks) {
      Exchange* const exchange = std::exchange(sink->exchange, nullptr);
      if (exchange != nullptr) resources.exchanges.release(*exchange);
    }
  }

  // Feeds in slices; what comes out is appended to `output` at once.
  void feed(std::string_view bytes, std::size_t slice = static_cast<std::size_t>(-1)) {
    while (!bytes.empty()) {
      // A fresh block of the exact size: a view that is kept too long is a read out of bounds.
      const std::string piece(bytes.substr(0, slice));
      connection->feed(piece, now);
      take_output();
      read_sinks();
      bytes.remove_prefix(piece.size());
    }
  }
  void take_output() {
    std::array<iovec, 4> pieces;
    while (connection->wants_write()) {
      const std::size_t used = connection->gather(pieces);
      std::size_t n = 0;
      for (std::size_t i = 0; i < used; ++i) {
        output.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
        n += pieces[i].iov_len;
      }
      connection->sent(n, now);
    }
  }
  // Empties the sinks, and answers for those that are done.
  void read_sinks() {
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      const auto sink = sinks[i];
      while (sink->reads && sink->exchange != nullptr && sink->held != 0) {
        sink->held = 0;
        connection->stream_ready(now);
      }
      if (sink->exchange == nullptr || !(sink->ended || sink->error) || sink->held != 0) continue;
      std::string answer = sink->received;
      std::replace(answer.begin(), answer.end(), 'H', 'h');
      end_handler(*std::exchange(sink->exchange, nullptr), text(std::move(answer)));
      take_output();
    }
  }
  void finish(const std::string& name) {
    Exchange& exchange = *suspended.at(name);
    suspended.erase(name);
    end_handler(exchange, name == "upgrade" ? upgrade(exchange) : text(name));
    take_output();
  }
  void end_handler(Exchange& exchange, Response response) {
    Connection* const home = exchange.connection;
    exchange.handler_running = false;
    if (home == nullptr) return resources.exchanges.release(exchange);
    home->answer(exchange, std::move(response), now);
  }
  // Ends all streams that are open; true if there was one.
  bool end_streams() {
    bool ended = false;
    for (const auto& stream : all_bodies) {
      if (stream->state != StreamSource::State::open) continue;
      stream->parts.emplace_back(static_cast<std::size_t>(stream->named.value_or(4)), 'p');
      stream->state = StreamSource::State::ended;
      ended = true;
    }
    for (const auto& stream : all_events) {
      ended = ended || stream->open();
      stream->close();
    }
    connection->stream_ready(now);
    take_output();
    return ended;
  }
  // A part of the streamed body, and what becomes of the body then.
  void give(std::string part, StreamSource::State state = StreamSource::State::open) {
    if (!part.empty()) body->parts.push_back(std::move(part));
    body->state = state;
    connection->stream_ready(now);
    take_output();
  }
  Response upgrade(const Exchange& exchange) {
    if (!Connection::can_switch(exchange)) return Response(426);
    echo = std::make_shared<EchoProtocol>();
    return ResponseWriter::switching("echo", echo);
  }
  void pass(Duration time) {
    now += time;
    connection->tick(now);
    take_output();
  }

  // Status codes of the final responses in `output`; no body here holds "HTTP/1.1 ".
  std::vector<int> statuses() const {
    std::vector<int> found;
    std::string_view left = output;
    for (std::size_t at; (at = left.find("HTTP/1.1 ")) != std::string_view::npos;) {
      left.remove_prefix(at + 9);
      const int status = std::stoi(std::string(left.substr(0, 3)));
      if (status != 100) found.push_back(status);
    }
    return found;
  }
  // Their bodies, of those that give a length.
  std::vector<std::string> bodies() const {
    std::vector<std::string> found;
    std::string_view left = output;
    while (!left.empty()) {
      const std::size_t end = left.find("\r\n\r\n");
      if (end == std::string_view::npos) break;
      const std::size_t at = left.substr(0, end).find("Content-Length: ");
      const std::size_t length =
          at == std::string_view::npos ? 0 : std::stoul(std::string(left.substr(at + 16)));
      found.emplace_back(left.substr(end + 4, length));
      left.remove_prefix(std::min(left.size(), end + 4 + length));
    }
    return found;
  }
  bool closed() const { return connection->phase() != Connection::Phase::open; }

  void on_head(Exchange& exchange) override {
    ++heads;
    const std::string_view path = exchange.request.path();
    if (path == "/small") exchange.body_limit = 10;
    if (path.starts_with("/sink")) {
      sinks.push_back(std::make_shared<TestSink>());
      sinks.back()->reads = sinks_read;
      exchange.sink = sinks.back().get();
    }
    if (path == "/early") {
      ++early;
      connection->answer(exchange, text("no").status(403), now);
    }
    if (path == "/deadline") exchange.deadline = Deadline::after(now, std::chrono::seconds(30));
  }
  void on_request(Exchange& exchange) override {
    const std::string path(exchange.request.path());
    handled.push_back(std::string(name(exchange.request.method())) + " " + path);
    if (exchange.sink != nullptr) {
      exchange.data.own();
      exchange.handler_running = true;
      sinks.back()->exchange = &exchange;
    } else if (path.starts_with("/slow/") || path == "/deadline") {
      exchange.data.own();
      exchange.handler_running = true;
      std::string key = path.substr(path.rfind('/') + 1);
      while (suspended.contains(key)) key += '+';
      suspended[key] = &exchange;
    } else if (path == "/echo") {
      std::string echoed(exchange.request.text());
      std::replace(echoed.begin(), echoed.end(), 'H', 'h');
      connection->answer(exchange, text(std::move(echoed)), now);
    } else if (path == "/big") {
      connection->answer(exchange, text(std::string(100'000, 'b')), now);
    } else if (path == "/events") {
      events = std::make_shared<EventQueue>(1000, SlowClient::disconnect, [this] { ++wakes; });
      all_events.push_back(events);
      connection->answer(exchange, ResponseWriter::streaming("text/event-stream", events), now);
    } else if (path.starts_with("/body")) {
      exchange.data.own();
      body = std::make_shared<ScriptedBody>();
      all_bodies.push_back(body);
      if (path.size() == 7 && path[6] >= '0' && path[6] <= '9') body->named = path[6] - '0';
      connection->answer(exchange, ResponseWriter::streaming("text/plain", body), now);
    } else if (path == "/upgrade") {
      connection->answer(exchange, upgrade(exchange), now);
    } else {
      if (const auto call = std::exchange(meanwhile, nullptr)) call();
      exchange.connection->answer(exchange, text("root"), now);
    }
  }
  void on_deadline(Exchange& exchange) override {
    connection->answer(exchange, text("late").status(504), now);
  }
  void on_gone(Exchange& exchange, CancelReason reason) override {
    gone.push_back(std::string(exchange.request.path()) + " " + std::string(to_string(reason)));
  }
  Response refusal(Exchange& exchange, int status, std::string_view reason) override {
    ++refusals;
    if (exchange.state == Exchange::State::running) ++cut_bodies;
    return text(std::string(reason)).status(status);
  }

  ConnectionLimits limits;
  ConnectionResources resources;
  TimePoint now{};
  std::unique_ptr<Connection> connection;
  std::string output;
  std::function<void()> meanwhile;
  std::vector<std::string> handled;
  std::vector<std::string> gone;
  std::map<std::string, Exchange*> suspended;
  std::shared_ptr<EventQueue> events;  // the newest
  std::vector<std::shared_ptr<EventQueue>> all_events;
  std::shared_ptr<EchoProtocol> echo;  // the newest
  std::shared_ptr<ScriptedBody> body;  // the newest
  std::vector<std::shared_ptr<ScriptedBody>> all_bodies;
  int heads = 0;
  std::vector<std::shared_ptr<TestSink>> sinks;
  bool sinks_read = true;
  int refusals = 0;
  int cut_bodies = 0;  // refusals of what is handled already
  int early = 0;
  int wakes = 0;
};

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace aiserve::http::detail
