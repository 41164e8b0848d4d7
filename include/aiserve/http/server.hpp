/// Server: an HTTP/1.1 server on the I/O threads of a Runtime.
///
/// The constructor binds and listens, Runtime::start() serves, Runtime::shutdown() drains: no new
/// connections, what is in flight is answered with Connection: close, event streams end. Routes and
/// hooks are given before start(). GET answers HEAD, every path answers OPTIONS; an unknown path is
/// 404, a known one with another method 405 with Allow; errors are application/problem+json.
/// Strict in what it reads (docs/http.md): whatever is ambiguous in framing is 400 and the end of
/// the connection. *Thread safety:* wire from one thread before start(); port() and in_flight()
/// from any. *Errors:* ConfigError from the constructor (a port in use, options out of range) and
/// from wiring (a malformed or repeated pattern).
///
///     Runtime runtime;
///     http::Server server(runtime, {.port = 8080});
///     server.get("/hello/{name}", [](const Context&, const http::Request& request) {
///       return http::text("Hello, " + std::string(request.param("name")) + "!\n");
///     });
///     return runtime.run();
#pragma once

#include <aiserve/core/announcement.hpp>
#include <aiserve/core/result.hpp>
#include <aiserve/core/runtime.hpp>
#include <aiserve/http/compression.hpp>
#include <aiserve/http/cors.hpp>
#include <aiserve/http/files.hpp>
#include <aiserve/http/forwarding.hpp>
#include <aiserve/http/handler.hpp>
#include <aiserve/http/hooks.hpp>
#include <aiserve/http/method.hpp>
#include <aiserve/http/tls.hpp>
#include <aiserve/http/typed_operation.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http {

class EventChannel;
class TestClient;

struct ServerOptions {
  /// IPv4 or IPv6 address to listen on. "::" takes IPv4 peers too.
  std::string address = "0.0.0.0";
  /// 0: any free port, see Server::port().
  std::uint16_t port = 8080;
  /// Path of a unix socket to listen on instead of address and port, at most 107 bytes. A socket
  /// that nobody listens on any more is replaced; it is removed when the server stops.
  std::string unix_path{};
  /// Who may connect to it, as of chmod: 0 to 0777.
  unsigned unix_mode = 0660;
  /// Names the server in logs, metrics and /status.
  std::string name = "http";
  /// Proxies that are believed when they say who their client is: addresses, blocks ("10.0.0.0/8"),
  /// "unix" for the peers of unix_path. Everybody else's word counts for nothing.
  std::vector<std::string> trusted_proxies{};
  /// The field in which they say so; see Request::client().
  ForwardedBy forwarded_by = ForwardedBy::x_forwarded_for;
  /// The field in which trusted proxies name a request, "X-Request-Id" say: what it says becomes
  /// Context::request_id(), if it is 1 to 128 letters, digits and -._~+/=:;@. Needs
  /// trusted_proxies. Default: none, every request gets an id of our own.
  std::string request_id_field{};
  /// Connections of trusted proxies begin with a PROXY header of version 2, those of others don't.
  bool proxy_protocol = false;
  /// With a certificate: HTTPS. See tls.hpp.
  TlsOptions tls{};

  /// Open connections, at least 1. At the limit no more are accepted; they wait in the kernel's
  /// backlog. Keep it below the limit of open files.
  std::size_t max_connections = 10'000;
  /// Of one peer, beyond it connections are closed at once; IPv6 peers count by their /64. Trusted
  /// proxies and unix sockets don't count, whom a PROXY header names does. 0: no limit of its own,
  /// since behind one address there may be many.
  std::size_t max_connections_per_peer = 0;
  /// Requests whose handlers run or are suspended, 1 to 10 million: beyond it 503 with Retry-After,
  /// before the body is read. Event streams count. Plain handlers don't, they have ended at once;
  /// nor do WebSockets, which wait for most of their life: max_connections bounds them.
  std::size_t max_requests = 10'000;
  /// Of one tenant, those whose body is being read included: beyond it 429 with Retry-After. A
  /// tenant's own max_in_flight (TenantLimits) goes before. Requests of no tenant count by
  /// Request::client(). Plain handlers and WebSockets don't count. 0: tenants' own limits only.
  std::size_t max_requests_per_tenant = 0;
  /// Connections that wait to be accepted, at least 1; the kernel caps it (net.core.somaxconn).
  int backlog = 1024;

  /// Bytes of request line and headers, 1 KiB to 64 KiB - 1: beyond it 431.
  std::size_t max_head = 16 * 1024;
  /// Bytes of the request target, at least 1: beyond it 414.
  std::size_t max_target = 8 * 1024;
  /// Header fields, 1 to 100: beyond it 431.
  std::size_t max_headers = 100;
  /// Bytes of a body: beyond it 413. A route may say otherwise.
  std::size_t max_body = 16 * 1024 * 1024;
  /// Response bytes that may wait per connection before no further request of it is begun.
  std::size_t max_pending = 256 * 1024;
  /// Bytes of a streamed body that may wait, each way, 1 KiB to 1 GiB: until the client has taken
  /// them BodyWriter::write() waits, until the handler has read them the client does. A route may
  /// say otherwise.
  std::size_t stream_buffer = 64 * 1024;
  /// Bytes of events that may wait per stream, 1 KiB to 1 GiB, each counted with 96 more for its
  /// keeping. A client that falls behind further is slow (SlowClient). A route may say otherwise.
  std::size_t max_events = 1024 * 1024;

  /// First byte to end of the head, and connect to first byte: 408, or a silent end.
  std::chrono::milliseconds head_timeout{10'000};
  /// End of the head to end of the body: 408. Raise it with max_body for slow uplinks.
  std::chrono::milliseconds body_timeout{60'000};
  /// Between requests. Keep it above that of the proxy in front, so that the proxy ends first.
  std::chrono::milliseconds idle_timeout{75'000};
  /// Without a byte taken by the peer: the connection ends, its Contexts with slow_client.
  std::chrono::milliseconds write_timeout{30'000};
  /// A handler's time, 504 after it: the deadline of its Context. A route may say otherwise.
  std::chrono::milliseconds request_timeout{30'000};
  /// First byte of a request to the last of its response: beyond it a line in the log says where
  /// the time went. Of a stream, to its beginning. 0: no line.
  std::chrono::milliseconds slow_request{5'000};
  /// Silence on an event stream after which a comment is sent.
  std::chrono::milliseconds heartbeat{15'000};
  /// Of bodies, both ways. A route may say otherwise.
  CompressionOptions compression{};
};

/// How long a request that came now would wait, for a route that sheds what would be late. Called
/// on I/O threads for every request: quick, and safe on any thread.
using DelayEstimate = std::function<std::chrono::nanoseconds()>;

/// What a route has of its own.
struct RouteOptions {
  /// Default: the server's request_timeout; zero: no deadline.
  std::optional<std::chrono::milliseconds> timeout{};
  /// Default: the server's max_body.
  std::optional<std::size_t> max_body{};
  /// Default: the server's stream_buffer.
  std::optional<std::size_t> stream_buffer{};
  /// Requests of this route whose handlers run or are suspended, at least 1: beyond it 503 with
  /// Retry-After. Default: the server's max_requests only.
  std::optional<std::size_t> max_concurrent{};
  /// When what it says is longer than the request's deadline is away, 503 with Retry-After, before
  /// the body is read: work that would be late is not begun.
  DelayEstimate estimate{};
  /// The route's name in metrics. Default: its pattern. Routes may share one.
  std::string label{};
  /// Called when a head has come, so that a batcher may hold a batch for the request while its body
  /// is read: Batcher::announcer(). Open until the handler has begun to wait.
  Announcer announce{};
  /// Default: the server's compression.
  std::optional<CompressionOptions> compression{};
  /// Of this route only, inside of the server's. Around hooks of a route that streams are a
  /// ConfigError.
  Hooks hooks{};
  /// What documentation is made from (openapi.hpp). Set by typed handlers.
  std::shared_ptr<const detail::TypedOperation> operation{};
};

class Server {
 public:
  Server(Runtime& runtime, ServerOptions options);
  /// Shuts the Runtime down first if it still runs.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  template <class F>
  Server& get(std::string_view pattern, F handler, RouteOptions options = {}) {
    return add(Method::get, pattern, std::move(handler), std::move(options));
  }
  template <class F>
  Server& post(std::string_view pattern, F handler, RouteOptions options = {}) {
    return add(Method::post, pattern, std::move(handler), std::move(options));
  }
  template <class F>
  Server& put(std::string_view pattern, F handler, RouteOptions options = {}) {
    return add(Method::put, pattern, std::move(handler), std::move(options));
  }
  template <class F>
  Server& patch(std::string_view pattern, F handler, RouteOptions options = {}) {
    return add(Method::patch, pattern, std::move(handler), std::move(options));
  }
  template <class F>
  Server& del(std::string_view pattern, F handler, RouteOptions options = {}) {
    return add(Method::del, pattern, std::move(handler), std::move(options));
  }
  /// GET of an event stream, whose life the coroutine is (event_stream.hpp). It has no deadline.
  template <class F>
  Server& events(std::string_view pattern, F handler, EventOptions options = {}) {
    return add_events(pattern, {detail::storable(std::move(handler)), options});
  }
  /// The same for clients that follow the channel, which must outlive the Runtime's run.
  Server& events(std::string_view pattern, EventChannel& channel, EventOptions options = {});

  /// GET and HEAD of the files of a directory under `prefix`, "/static"; "" is the whole server.
  /// A route that names a path itself goes before. See files.hpp.
  Server& files(std::string_view prefix, std::string directory, FileOptions options = {});

  /// GET that becomes a WebSocket (websocket.hpp): a coroutine per socket, or a callback per
  /// message. Before hooks run, and may refuse, before the 101. It has no deadline.
  template <class F>
  Server& websocket(std::string_view pattern, F handler, WebSocketOptions options = {}) {
    return route(Method::get, pattern,
                 detail::make_websocket(std::move(handler), std::move(options)),
                 {.timeout = std::chrono::milliseconds(0)});
  }

  /// Hooks of all routes (hooks.hpp). In the order given; the first that answers wins.
  template <class F>
  Server& before(F hook) {
    wiring().before(std::move(hook));
    return *this;
  }
  /// In the order given, from the outside in.
  template <class F>
  Server& around(F hook) {
    wiring().around(std::move(hook));
    return *this;
  }
  /// In the order given, each after the one before.
  template <class F>
  Server& after(F hook) {
    wiring().after(std::move(hook));
    return *this;
  }

  /// Lets pages of other origins read answers (cors.hpp): at the place of an after hook.
  Server& cors(const CorsOptions& options);

  /// Reads the certificates anew, for connections to come. Any thread. invalid_argument, and the
  /// old ones stay, if they are no good, or if the server speaks no TLS.
  Result<void> reload_tls();

  /// All routes, in the order they were given; those of files() and events() too.
  std::vector<RouteInfo> routes() const;

  /// The port it listens on; 0 on a unix socket.
  std::uint16_t port() const noexcept;
  const ServerOptions& options() const noexcept;
  /// Requests whose handlers are suspended.
  std::size_t in_flight() const noexcept;
  std::size_t connections() const noexcept;

 private:
  friend class TestClient;
  class Impl;
  /// A connection that does not leave the process: the client's end of it.
  int connect_here();
  template <class F>
  Server& add(Method method, std::string_view pattern, F handler, RouteOptions options) {
    if (auto operation = detail::operation_of(handler)) options.operation = std::move(operation);
    return route(method, pattern, detail::make_endpoint(std::move(handler)), std::move(options));
  }
  Server& route(Method method, std::string_view pattern, detail::Endpoint endpoint,
                RouteOptions options);
  Server& add_events(std::string_view pattern, detail::EventHandler handler);
  Hooks& wiring();

  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0::http
