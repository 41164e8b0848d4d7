// Exchange: one request on its way to one response: the slot of a connection's ring. Pooled per
// I/O thread; freed when the response has been written out *and* the handler has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aiserve/core/announcement.hpp"
#include "aiserve/core/context.hpp"
#include "aiserve/core/gate.hpp"
#include "aiserve/core/tracer.hpp"
#include "aiserve/http/request.hpp"
#include "aiserve/http/response.hpp"
#include "http/body_sink.hpp"
#include "http/chunked.hpp"
#include "http/coding.hpp"
#include "http/head_parser.hpp"
#include "http/places.hpp"
#include "http/request_state.hpp"
#include "http/slow_request.hpp"
#include "http/tenant_places.hpp"

namespace aiserve::inline v0::http::detail {

class Connection;
class EventQueue;
class PendingCheck;
class RequestBody;
class ResponseBody;
class Session;
class WebSocketConnection;
struct Route;

struct Exchange {
  enum class State : std::uint8_t {
    head,      // being read
    body,      // being read
    running,   // with its handler
    ready,     // has a response that waits for its turn
    written,   // whose response is in the out buffer
    streaming  // head written, the body is produced while it is sent
  };

  RequestState data;
  Request request{data};
  HeadParser parser;
  State state = State::head;
  bool answered = false;             // `response` is set, or was sent
  bool handler_running = false;      // a coroutine that refers to this exchange
  bool close_after = false;          // the connection ends with this response
  bool continue_wanted = false;      // the client waits for 100 Continue
  bool chunked = false;              // the body of the response
  bool kept = false;                 // the response, until its turn
  bool pulled = false;               // once bytes of its stream are in the out buffer
  Coding coding = Coding::identity;  // of the body, until it is decoded
  int status = 0;                    // of the answer
  Response response;
  std::optional<Context> context;
  v0::Span span;  // until the answer
  const Route* route = nullptr;
  std::size_t hooks_run = 0;                  // of the before hooks
  std::shared_ptr<const PendingCheck> check;  // what the next step has to wait for
  Session* session = nullptr;                 // of the connection, while it is attached
  std::shared_ptr<EventQueue> events;         // of an event stream
  std::shared_ptr<ResponseBody> writer;       // of a response whose body is streamed
  std::shared_ptr<RequestBody> reader;        // of a request whose body is
  BodySink* sink = nullptr;          // where the request's body goes as it comes; null: block
  Connection* connection = nullptr;  // null once detached: only the handler holds on to it
  std::uint64_t body_limit = 0;
  TimePoint began{};  // head complete
  Deadline deadline;  // of the handler
  RequestTimes times;
  Gate::Pass pass;            // while a handler is suspended
  Places::Pass server_place;  // while a handler runs that is no plain one
  Places::Pass route_place;
  TenantPlaces::Pass tenant_place;  // from the end of the head on
  std::shared_ptr<WebSocketConnection> socket;
  bool socket_served = false;  // its handler has ended, or it has a callback
  Announcement announcement;   // of the route, until the handler has begun

  std::size_t body_filled = 0;
  MutableBytes body_block;  // of a body with Content-Length
  std::string chunks;       // of a chunked body
  ChunkedDecoder decoder;

  // For the list of what is in flight (server status).
  Exchange* previous_active = nullptr;
  Exchange* next_active = nullptr;

  void clear() noexcept;
};

class ExchangePool {
 public:
  Exchange& acquire();
  void release(Exchange& exchange) noexcept;
  // Taken and not given back.
  std::size_t in_use() const noexcept { return in_use_; }

 private:
  static constexpr std::size_t kKeep = 1024;

  std::vector<std::unique_ptr<Exchange>> free_;
  std::size_t in_use_ = 0;
};

}  // namespace aiserve::inline v0::http::detail
