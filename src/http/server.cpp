#include "aiserve/http/server.hpp"

#include <array>
#include <utility>

#include <sys/socket.h>

#include "aiserve/http/event_channel.hpp"
#include "core/json_text.hpp"
#include "http/cors.hpp"
#include "http/http_thread.hpp"
#include "http/response_coding.hpp"
#include "http/server_core.hpp"
#include "http/websocket_handshake.hpp"

namespace aiserve::inline v0::http {

using detail::HttpThread;

class Server::Impl {
 public:
  Impl(Runtime& runtime, ServerOptions given);

  detail::Descriptor listen();
  detail::Descriptor listen_too() const;
  Component component();
  std::string address() const;
  std::string status() const;
  std::string busy_with() const;
  std::size_t in_flight() const noexcept;

  detail::ServerCore core;
  std::uint16_t port = 0;
  detail::SocketFile socket_file;
  std::vector<std::unique_ptr<HttpThread>> threads;
  Attachment attachment;  // last: its destructor ends the runtime while all of this is there
};

Server::Impl::Impl(Runtime& runtime, ServerOptions given) : core(runtime, std::move(given)) {
  auto first = listen();
  for (int i = 0; i < runtime.io_threads(); ++i) {
    auto listener =  // NOLINTNEXTLINE(bugprone-use-after-move): moved in the first turn only
        i == 0 ? std::move(first) : listen_too();
    threads.push_back(
        std::make_unique<HttpThread>(core, *runtime.core().io(i), std::move(listener)));
    core.threads.push_back(threads.back().get());
  }
  attachment = runtime.attach(component());
}

detail::Descriptor Server::Impl::listen() {
  const ServerOptions& options = core.options;
  if (options.unix_path.empty()) {
    auto listener = detail::open_listener(options.address, options.port, options.backlog);
    port = detail::port_of(listener);
    return listener;
  }
  auto listener = detail::open_unix_listener(options.unix_path, options.unix_mode, options.backlog);
  socket_file = detail::SocketFile(options.unix_path);
  return listener;
}

// Of the other threads. A unix socket has one only, which deals out what it accepts.
detail::Descriptor Server::Impl::listen_too() const {
  const ServerOptions& options = core.options;
  if (!options.unix_path.empty()) return {};
  return detail::open_sibling(options.address, port, options.backlog);
}

std::string Server::Impl::address() const {
  const ServerOptions& options = core.options;
  return options.unix_path.empty() ? options.address : "unix:" + options.unix_path;
}

Component Server::Impl::component() {
  const auto tell = [this](void (HttpThread::*what)() noexcept) {
    return [this, what] {
      for (const auto& thread : threads) (thread.get()->*what)();
    };
  };
  Component component;
  component.name = core.options.name;
  component.start = [this, start = tell(&HttpThread::request_start)] {
    core.started.store(true, std::memory_order_release);
    core.options_allow = detail::allow_text(core.router.all_methods());
    for (const auto& route : core.routes) detail::wrap(*route, core.hooks.around());
    core.telemetry.log().info(
        "http: listening", {{"server", core.options.name}, {"address", address()}, {"port", port}});
    start();
  };
  component.stop_accepting = [this, drain = tell(&HttpThread::request_drain)] {
    socket_file.remove();  // who starts in our place finds none
    drain();
  };
  component.gate = &core.gate;
  component.cancel = tell(&HttpThread::request_cancel);
  component.join = tell(&HttpThread::request_close);
  component.busy_with = [this] { return busy_with(); };
  component.status = [this] { return status(); };
  return component;
}

std::size_t Server::Impl::in_flight() const noexcept {
  std::size_t count = 0;
  for (const auto& thread : threads) count += thread->in_flight_count();
  return count;
}

std::string Server::Impl::busy_with() const {
  constexpr std::size_t kNamed = 5;
  std::string text;
  for (const auto& thread : threads) {
    for (const auto& request : thread->in_flight(kNamed)) {
      if (!text.empty()) text += ", ";
      text += request.route + " " + request.id + " since " +
              std::to_string(request.age / std::chrono::milliseconds(1)) + " ms";
    }
  }
  return text;
}

std::string Server::Impl::status() const {
  constexpr std::size_t kListed = 100;
  const ServerOptions& options = core.options;
  v0::detail::JsonText json;
  const auto number = [&json](std::string_view key, auto value) {
    json.key(key).number(static_cast<std::int64_t>(value));
  };
  json.begin_object();
  json.key("address").string(address());
  number("port", port);
  number("connections", core.connections.load(std::memory_order_relaxed));
  number("suspended", in_flight());
  json.key("in_flight").begin_array();
  for (const auto& thread : threads) {
    for (const auto& request : thread->in_flight(kListed)) {
      json.begin_object().key("request_id").string(request.id).key("route").string(request.route);
      number("age_ms", request.age / std::chrono::milliseconds(1));
      json.end_object();
    }
  }
  json.end_array();
  json.key("options").begin_object();
  number("max_connections", options.max_connections);
  number("max_requests", options.max_requests);
  number("max_head", options.max_head);
  number("max_body", options.max_body);
  number("max_pending", options.max_pending);
  number("stream_buffer", options.stream_buffer);
  number("head_timeout_ms", options.head_timeout.count());
  number("body_timeout_ms", options.body_timeout.count());
  number("idle_timeout_ms", options.idle_timeout.count());
  number("write_timeout_ms", options.write_timeout.count());
  number("request_timeout_ms", options.request_timeout.count());
  json.end_object().end_object();
  return std::move(json).text();
}

Server::Server(Runtime& runtime, ServerOptions options)
    : impl_(std::make_unique<Impl>(runtime, std::move(options))) {}

Server::~Server() = default;

namespace {
void check_wiring(const detail::ServerCore& core) {
  if (!core.started.load(std::memory_order_acquire)) return;
  throw ConfigError("http: routes and hooks are given before start()");
}
}  // namespace

Server& Server::route(Method method, std::string_view pattern, detail::Endpoint endpoint,
                      RouteOptions options) {
  detail::ServerCore& core = impl_->core;
  check_wiring(core);
  if (const auto* socket = std::get_if<detail::WebSocketEndpoint>(&endpoint)) {
    detail::check(socket->options);
  }
  if (options.max_concurrent == std::size_t{0}) {
    throw ConfigError("http: max_concurrent of " + std::string(pattern) +
                      " is 0, must be at least 1");
  }
  if (options.operation != nullptr) detail::check_operation(*options.operation, method, pattern);
  auto route = std::make_unique<detail::Route>(core.telemetry.metrics(), core.options.name, method,
                                               pattern, options);
  route->endpoint = std::move(endpoint);
  route->timeout = options.timeout.value_or(core.options.request_timeout);
  route->stream_buffer = options.stream_buffer.value_or(core.options.stream_buffer);
  detail::check_stream_buffer(route->stream_buffer);
  route->max_body = options.max_body.value_or(core.options.max_body);
  route->announce = std::move(options.announce);
  route->operation = std::move(options.operation);
  route->hooks = std::move(options.hooks);
  detail::check_hooks(*route);
  if (options.compression) detail::check(*options.compression);
  route->compression = options.compression.value_or(core.options.compression);
  route->param_names = core.router.add(method, pattern, *route);
  core.routes.push_back(std::move(route));
  return *this;
}

Server& Server::add_events(std::string_view pattern, detail::EventHandler handler) {
  detail::ServerCore& core = impl_->core;
  if (!handler.options.max_events) handler.options.max_events = core.options.max_events;
  detail::check_max_events(*handler.options.max_events);
  return route(Method::get, pattern, std::move(handler), {.timeout = std::chrono::milliseconds(0)});
}

Server& Server::events(std::string_view pattern, EventChannel& channel, EventOptions options) {
  const auto follow = [&channel](const Context& ctx, const Request& request, EventStream stream) {
    return channel.follow(ctx, request, std::move(stream));
  };
  return events(pattern, follow, options);
}

Server& Server::files(std::string_view prefix, std::string directory, FileOptions options) {
  const detail::WriteHandler handler =
      http::files(impl_->core.runtime, std::move(directory), std::move(options));
  const std::string root = std::string(prefix) + "/";
  const RouteOptions untimed{.timeout = std::chrono::milliseconds(0)};
  route(Method::get, root + "{path...}", handler, untimed);
  route(Method::get, root, handler, untimed);
  if (prefix.empty()) return *this;
  const auto redirect = [root](const Context&, const Request&) {
    return Response(308).header("Location", root);
  };
  return route(Method::get, prefix, detail::make_endpoint(redirect), {});
}

Hooks& Server::wiring() {
  check_wiring(impl_->core);
  return impl_->core.hooks;
}

Server& Server::cors(const CorsOptions& options) {
  const detail::AfterHook hook = detail::cors_hook(options);
  wiring().after(hook);
  impl_->core.after_unrouted.push_back(hook);
  return *this;
}

Result<void> Server::reload_tls() {
  detail::ServerCore& core = impl_->core;
  if (core.tls == nullptr) return Error(Errc::invalid_argument, "the server speaks no TLS");
  return core.tls->reload(core.runtime.clock().now());
}

int Server::connect_here() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw ResultError(Error(Errc::unavailable, "cannot make a pair of sockets"));
  }
  impl_->threads.front()->request_connection(detail::Descriptor(ends[0]));
  return ends[1];
}

std::vector<RouteInfo> Server::routes() const {
  std::vector<RouteInfo> list;
  list.reserve(impl_->core.routes.size());
  for (const auto& route : impl_->core.routes) {
    list.push_back({route->method, route->pattern, route->operation});
  }
  return list;
}

std::uint16_t Server::port() const noexcept { return impl_->port; }
const ServerOptions& Server::options() const noexcept { return impl_->core.options; }
std::size_t Server::in_flight() const noexcept { return impl_->in_flight(); }
std::size_t Server::connections() const noexcept {
  return impl_->core.connections.load(std::memory_order_relaxed);
}

}  // namespace aiserve::inline v0::http
