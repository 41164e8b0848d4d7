/// Handlers: the callables a Server takes, and how their kinds are told apart.
///
///     Response          (const Context&, const Request&)   answers at once
///     Result<Response>  (const Context&, const Request&)   the same; an Error becomes a problem
///     Async<Response>   (const Context&, const Request&)   a coroutine
///     Async<Response>   (const Context&, const Request&, BodyReader&)   reads the body as it comes
///     Async<void>       (const Context&, const Request&, BodyWriter&)   writes it as it is made
///     Async<void>       (const Context&, const Request&, BodyReader&, BodyWriter&)      both
///     Async<void>       (const Context&, const Request&, EventStream)   the life of an event
///                                                                       stream (Server::events)
///     Async<void>       (const Context&, WebSocket&)                the life of a WebSocket
///     void              (WebSocket&, const MessageView&)            each message of one
///                                                                   (Server::websocket)
///
/// They are given at wiring and stored, so captures live as long as the server. They run on I/O
/// threads: with several of them, on several at once. They must not block. An exception becomes a
/// problem: ResultError its Error, any other a 500 whose detail only the log has.
///
/// What runs before, after and around them: hooks.hpp.
#pragma once

#include <aiserve/core/async.hpp>
#include <aiserve/http/body_reader.hpp>
#include <aiserve/http/body_writer.hpp>
#include <aiserve/http/event_stream.hpp>
#include <aiserve/http/request.hpp>
#include <aiserve/http/response.hpp>
#include <aiserve/http/websocket_options.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace aiserve::inline v0::http {
class WebSocket;
struct MessageView;
}  // namespace aiserve::inline v0::http

namespace aiserve::inline v0::http::detail {

struct TypedOperation;
/// That of a typed handler; null of others.
template <class F>
std::shared_ptr<const TypedOperation> operation_of(const F& handler) {
  if constexpr (requires { handler.operation(); }) {
    return handler.operation();
  } else {
    return nullptr;
  }
}

using PlainHandler = std::function<Result<Response>(const Context&, const Request&)>;
using AsyncHandler = std::function<Async<Response>(const Context&, const Request&)>;
struct EventHandler {
  std::function<Async<void>(const Context&, const Request&, EventStream)> run;
  EventOptions options;
};
using WriteHandler = std::function<Async<void>(const Context&, const Request&, BodyWriter&)>;
using ReadHandler = std::function<Async<Response>(const Context&, const Request&, BodyReader&)>;
using DuplexHandler =
    std::function<Async<void>(const Context&, const Request&, BodyReader&, BodyWriter&)>;
using SocketHandler = std::function<Async<void>(const Context&, WebSocket&)>;
using MessageHandler = std::function<void(WebSocket&, const MessageView&)>;
/// One of the two handlers is there.
struct WebSocketEndpoint {
  SocketHandler serve;
  MessageHandler on_message;
  WebSocketOptions options;
};
using Endpoint = std::variant<PlainHandler, AsyncHandler, EventHandler, WriteHandler, ReadHandler,
                              DuplexHandler, WebSocketEndpoint>;

/// What std::function can hold: move-only callables go behind a pointer.
template <class F>
auto storable(F fn) {
  if constexpr (std::is_copy_constructible_v<F>) {
    return fn;
  } else {
    return [shared = std::make_shared<F>(std::move(fn))](auto&&... args) -> decltype(auto) {
      return (*shared)(std::forward<decltype(args)>(args)...);
    };
  }
}

/// Of a handler that takes the request as a whole and answers with one Response.
template <class F>
Endpoint make_answering(F handler) {
  static_assert(std::is_invocable_v<F&, const Context&, const Request&>,
                "a handler takes (const Context&, const http::Request&)");
  using R = std::invoke_result_t<F&, const Context&, const Request&>;
  if constexpr (std::is_same_v<R, Async<Response>>) {
    return AsyncHandler(storable(std::move(handler)));
  } else {
    static_assert(std::is_convertible_v<R, Result<Response>>,
                  "a handler returns Response, Result<Response> or Async<Response>");
    return PlainHandler(storable(std::move(handler)));
  }
}

template <class F>
Endpoint make_endpoint(F handler) {
  if constexpr (std::is_invocable_v<F&, const Context&, const Request&, BodyWriter&>) {
    return WriteHandler(storable(std::move(handler)));
  } else if constexpr (std::is_invocable_v<F&, const Context&, const Request&, BodyReader&>) {
    return ReadHandler(storable(std::move(handler)));
  } else if constexpr (std::is_invocable_v<F&, const Context&, const Request&, BodyReader&,
                                           BodyWriter&>) {
    return DuplexHandler(storable(std::move(handler)));
  } else {
    return make_answering(std::move(handler));
  }
}

template <class F>
Endpoint make_websocket(F handler, WebSocketOptions options) {
  if constexpr (std::is_invocable_v<F&, WebSocket&, const MessageView&>) {
    return WebSocketEndpoint{nullptr, storable(std::move(handler)), std::move(options)};
  } else {
    static_assert(std::is_invocable_r_v<Async<void>, F&, const Context&, WebSocket&>,
                  "a WebSocket handler is Async<void>(const Context&, http::WebSocket&), or "
                  "void(http::WebSocket&, const http::MessageView&)");
    return WebSocketEndpoint{storable(std::move(handler)), nullptr, std::move(options)};
  }
}

}  // namespace aiserve::inline v0::http::detail
