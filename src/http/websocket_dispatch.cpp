// From a request to a WebSocket: handshake, 101, handler.
#include <utility>

#include "http/http_thread.hpp"
#include "http/session.hpp"
#include "http/websocket_connection.hpp"
#include "http/websocket_handshake.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kWebSocket = "websocket";

Response refused(const Context& ctx, const Handshake& handshake) {
  Response response = problem(ctx, handshake.status, handshake.reason);
  if (handshake.status == 426) {
    ResponseWriter::ask_to_upgrade(response, kWebSocket);
    response.header("Sec-WebSocket-Version", "13");
  }
  return response;
}

Response switching(const Handshake& agreed, std::shared_ptr<Protocol> protocol) {
  Response response = ResponseWriter::switching(kWebSocket, std::move(protocol));
  response.header("Sec-WebSocket-Accept", agreed.accept);
  if (!agreed.subprotocol.empty()) {
    response.header("Sec-WebSocket-Protocol", agreed.subprotocol);
  }
  if (agreed.deflate) response.header("Sec-WebSocket-Extensions", agreed.deflate->response);
  return response;
}

}  // namespace

void Session::run_websocket(Exchange& exchange) {
  const auto& endpoint = std::get<WebSocketEndpoint>(exchange.route->endpoint);
  const Handshake agreed =
      detail::check_handshake(exchange.data.head, exchange.request, endpoint.options);
  // A socket is no request that is worked on: what bounds it is max_connections.
  exchange.server_place = Places::Pass();
  exchange.route_place = Places::Pass();
  if (agreed.status != 101) return respond(exchange, refused(*exchange.context, agreed));
  open_socket(exchange, endpoint, agreed);
  respond(exchange, switching(agreed, exchange.socket));
  if (ResponseWriter::protocol(exchange.response) == nullptr) {  // an after hook has failed
    exchange.socket_served = true;
    return exchange.socket->ended(CancelReason::user);
  }
  if (endpoint.options.on_open) tell_open(exchange, endpoint.options);
  if (endpoint.serve) thread_.run_handler(exchange);
}

// The exchange, whose request and Context are the socket's too, stays until the socket is over and
// its handler has ended.
void Session::open_socket(Exchange& exchange, const WebSocketEndpoint& endpoint,
                          const Handshake& agreed) {
  HttpThread& thread = thread_;
  const bool callback = static_cast<bool>(endpoint.on_message);
  WebSocketSetup setup{
      .options = endpoint.options,
      .on_message = callback ? &endpoint.on_message : nullptr,
      .resources = thread.resources().websockets,
      .metrics = core_.websockets,
      .request = exchange.request,
      .context = *exchange.context,
      .subprotocol = agreed.subprotocol,
      .deflate = agreed.deflate,
      .write_timeout = core_.limits.write_timeout,
      .wake = [link = link()] { link->wake(); },
      .failed = [&thread,
                 &exchange](const Error& error) { thread.log_failed_socket(exchange, error); },
      .over = [&thread, &exchange] { thread.socket_over(exchange); }};
  exchange.socket = std::make_shared<WebSocketConnection>(std::move(setup), thread_.now());
  exchange.handler_running = true;
  exchange.socket_served = callback;
}

void Session::tell_open(Exchange& exchange, const WebSocketOptions& options) {
  try {
    options.on_open(exchange.socket->handle());
  } catch (...) {
    thread_.log_failed_socket(exchange, error_from_current_exception());
    (void)exchange.socket->close(1011, "internal error");
  }
}

void HttpThread::log_failed_socket(const Exchange& exchange, const Error& error) {
  const std::string text = error.to_string();
  core_.telemetry.log().error(*exchange.context, "the handler of a WebSocket failed",
                              {{"route", exchange.route->pattern}, {"error", text}});
}

// The coroutine of a socket has ended: so does the socket.
void HttpThread::socket_handler_ended(Exchange& exchange, const Result<Response>& result) {
  const bool expired = exchange.context->deadline().expired(clock_now());
  const bool failed = !result.ok() && !expired && result.error().code() != Errc::cancelled;
  if (failed) log_failed_socket(exchange, result.error());
  exchange.socket_served = true;
  if (exchange.socket->over()) return socket_over(exchange);
  exchange.handler_running = true;
  if (expired) return (void)exchange.socket->close(kExpired, kExpiredReason);
  (void)exchange.socket->close(failed ? 1011 : 1000, failed ? "internal error" : "");
}

void HttpThread::socket_over(Exchange& exchange) noexcept {
  if (!exchange.socket_served) return;
  exchange.handler_running = false;
  // If it is still in the connection's ring, the 101 was never sent, and the connection lets go.
  if (exchange.connection == nullptr) resources_.exchanges.release(exchange);
}

}  // namespace aiserve::inline v0::http::detail
