// What a session does with its requests: route, hooks, handler, answer.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "http/body_decoder.hpp"
#include "http/event_queue.hpp"
#include "http/http_thread.hpp"
#include "http/request_body.hpp"
#include "http/request_id.hpp"
#include "http/response_body.hpp"
#include "http/response_coding.hpp"
#include "http/session.hpp"
#include "http/websocket_connection.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::string_view kEventStream = "text/event-stream";

std::optional<TraceParent> incoming_trace(const Exchange& exchange) {
  if (!exchange.data.head.has_trace) return std::nullopt;
  return TraceParent::parse(exchange.request.header("traceparent"));
}

// What a client says that it waits, as http::Client does; nothing if it is no number.
std::optional<std::chrono::milliseconds> patience(const Exchange& exchange) noexcept {
  constexpr std::size_t kMostDigits = 9;
  if (!exchange.data.head.has_patience) return std::nullopt;
  const std::string_view text = exchange.request.header("request-timeout-ms");
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::chrono::milliseconds::rep value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (!whole || value <= 0) return std::nullopt;
  return std::chrono::milliseconds(value);
}

std::uint64_t decoded_limit(const Exchange& exchange) noexcept {
  return std::min<std::uint64_t>(exchange.body_limit, exchange.route->compression.max_decoded);
}

// Whether the answer has this body: an after hook may have failed, or put another in its place.
bool sends(const Exchange& exchange, const StreamSource& body) noexcept {
  return ResponseWriter::stream(exchange.response).get() == &body &&
         !ResponseWriter::bodiless(exchange.response);
}

}  // namespace

void Session::on_head(Exchange& exchange) {
  exchange.session = this;
  exchange.data.peer = peer_.get();
  exchange.data.clock = &core_.clock;
  try {
    route(exchange);
  } catch (...) {
    respond(exchange, failure(exchange, error_from_current_exception()));
  }
}

void Session::route(Exchange& exchange) {
  const Method method = exchange.data.head.method;
  const RouteMatch match = core_.router.find(method, exchange.data.path);
  if (match.route == nullptr) return answer_unrouted(exchange, match.allowed);
  exchange.route = match.route;
  exchange.data.pattern = match.route->pattern;
  exchange.data.param_names = &match.route->param_names;
  std::copy_n(match.params.begin(), match.param_count, exchange.data.params.begin());
  exchange.body_limit = match.route->max_body;
  if (match.route->timeout != Duration::zero()) {
    exchange.deadline = Deadline::after(exchange.began, match.route->timeout);
    if (const auto said = patience(exchange)) {  // it can only be less
      exchange.deadline = exchange.deadline.earlier(Deadline::after(exchange.began, *said));
    }
  }
  ContextOptions options = beginnings(exchange);
  options.deadline = exchange.deadline;
  options.trace = begin_trace(exchange);
  exchange.context = Context(std::move(options));
  if (!run_before(exchange)) return;
  prepare_reader(exchange);
  if (exchange.data.head.has_body() && !accept_coding(exchange)) return;
  // Whose it is may only turn out later.
  if (exchange.check == nullptr && !admit(exchange)) return;
  if (match.route->announce) exchange.announcement = match.route->announce();
}

// Of the Context of a request: its name, where the proxy in front has given it one.
ContextOptions Session::beginnings(const Exchange& exchange) const {
  ContextOptions options;
  const std::string& field = core_.options.request_id_field;
  if (!field.empty() && peer_->trusted) options.request_id = request_id_in(exchange.data, field);
  return options;
}

TraceParent Session::begin_trace(Exchange& exchange) {
  const auto incoming = incoming_trace(exchange);
  if (!core_.tracer.enabled()) return incoming ? incoming->child() : TraceParent();
  const TraceParent trace = core_.tracer.begin(incoming);
  const std::string_view title = exchange.route->title;
  exchange.span =
      incoming ? core_.tracer.start(title, trace) : core_.tracer.start_root(title, trace);
  return exchange.span.context();
}

// By the names of OpenTelemetry's semantic conventions.
void Session::end_trace(Exchange& exchange, int status) noexcept {
  v0::Span& span = exchange.span;
  span.set("http.request.method", name(exchange.request.method()));
  span.set("http.route", exchange.request.route());
  span.set("url.path", exchange.request.path());
  span.set("http.response.status_code", status);
  if (status >= 500) span.fail(reason_phrase(status));
  span.end();
}

void Session::answer_unrouted(Exchange& exchange, MethodMask allowed) {
  exchange.context.emplace(beginnings(exchange));
  const Method method = exchange.data.head.method;
  const bool asterisk = exchange.data.path == "*";
  if (method == Method::options && (asterisk || allowed != 0)) {
    const std::string allow = asterisk ? core_.options_allow : allow_text(allowed);
    return respond(exchange, no_content().header("Allow", allow));
  }
  if (allowed == 0) {
    const Error error(Errc::not_found, "no such resource");
    return respond(exchange, problem(*exchange.context, error));
  }
  const std::string detail = "this resource does not answer to " + std::string(name(method));
  respond(exchange, problem(*exchange.context, 405, detail).header("Allow", allow_text(allowed)));
}

// Those that have not run yet, up to one that has to wait.
bool Session::run_before(Exchange& exchange) {
  const auto& of_server = core_.hooks.before();
  const auto& of_route = exchange.route->hooks.before();
  while (exchange.hooks_run < of_server.size() + of_route.size()) {
    const std::size_t i = exchange.hooks_run++;
    const BeforeHook& hook = i < of_server.size() ? of_server[i] : of_route[i - of_server.size()];
    std::optional<Response> response = hook(*exchange.context, exchange.request);
    if (!response) continue;
    exchange.check = ResponseWriter::check(*response);
    if (exchange.check != nullptr) return true;
    respond(exchange, std::move(*response));
    return false;
  }
  // What has no end of its own may have been given one.
  if (!exchange.deadline.reachable()) exchange.deadline = exchange.context->deadline();
  return true;
}

void Session::run_after(Exchange& exchange, Response& response) {
  const Context& ctx = *exchange.context;
  if (exchange.route == nullptr) {
    for (const AfterHook& hook : core_.after_unrouted) hook(ctx, exchange.request, response);
    return;
  }
  for (const AfterHook& hook : exchange.route->hooks.after()) hook(ctx, exchange.request, response);
  for (const AfterHook& hook : core_.hooks.after()) hook(ctx, exchange.request, response);
}

// It takes no place of its route: whoever has not shown who he is keeps nobody else out.
void Session::run_check(Exchange& exchange) {
  if (!take_server_place(exchange) || !enter_gate(exchange)) return;
  exchange.data.own();
  run_async(exchange);
}

void Session::go_on(Exchange& exchange, Result<std::optional<Response>>&& answer) noexcept {
  if (exchange.answered) return;  // the deadline was faster, or the body was bad
  exchange.check.reset();
  try {
    if (!answer.ok()) {
      respond(exchange, std::move(answer).error());
    } else if (*answer) {
      respond(exchange, std::move(**answer));
    } else if (run_before(exchange)) {
      if (exchange.reader != nullptr) exchange.reader->follow(*exchange.context);
      if (exchange.check != nullptr || admit(exchange)) on_request(exchange);
    }
  } catch (...) {
    respond(exchange, error_from_current_exception());
  }
  if (!in_turn_) thread_.io().flush_later(*this);
}

bool Session::accept_coding(Exchange& exchange) {
  if (!exchange.request.has_header("content-encoding")) return true;
  const auto coding = request_coding(exchange.request, exchange.route->compression);
  if (coding) {
    if (exchange.reader == nullptr) {
      exchange.coding = *coding;
    } else if (*coding != Coding::identity) {
      exchange.reader->decode_from(*coding, decoded_limit(exchange));
    }
    return true;
  }
  const std::string_view accepted = exchange.route->compression.requests ? "gzip, deflate" : "";
  respond(exchange, problem(*exchange.context, 415, "no such content coding is taken here")
                        .header("Accept-Encoding", accepted));
  return false;
}

bool Session::decode(Exchange& exchange) {
  DecodedBody decoded = decode_body(exchange.coding, exchange.data.body, decoded_limit(exchange));
  if (decoded.status == 0) {
    exchange.data.body_block = std::move(decoded.body);
    exchange.data.body = exchange.data.body_block.view();
    return true;
  }
  const std::string_view reason = decoded.status == 413 ? kDecodesToMore : kNotInCoding;
  respond(exchange, problem(*exchange.context, decoded.status, reason));
  return false;
}

void Session::on_request(Exchange& exchange) {
  if (exchange.check != nullptr) return run_check(exchange);
  serve(exchange);
}

void Session::serve(Exchange& exchange) {
  if (exchange.coding != Coding::identity && !decode(exchange)) return;
  // Ends with this call, when the handler has submitted what it has; the exchange may be gone then.
  const Announcement announced = std::move(exchange.announcement);
  exchange.times.complete = thread_.now();
  const Endpoint& endpoint = exchange.route->endpoint;
  if (const auto* plain = std::get_if<PlainHandler>(&endpoint)) return run_plain(exchange, *plain);
  if (!take_place(exchange) || !enter_gate(exchange)) return;
  exchange.data.own();
  if (std::holds_alternative<WebSocketEndpoint>(endpoint)) return run_websocket(exchange);
  if (std::holds_alternative<EventHandler>(endpoint)) return run_events(exchange);
  prepare_writer(exchange);
  run_async(exchange);
}

// False: answered.
bool Session::enter_gate(Exchange& exchange) {
  if (!pass_) pass_ = core_.gate.enter();
  if (pass_) return true;  // else it had begun to come before the drain
  const Error error(Errc::unavailable, "the server is shutting down");
  respond(exchange, problem(*exchange.context, error));
  return false;
}

void Session::run_plain(Exchange& exchange, const PlainHandler& handler) {
  Result<Response> result;
  try {
    result = handler(*exchange.context, exchange.request);
  } catch (...) {
    result = error_from_current_exception();
  }
  respond(exchange, std::move(result));
}

void Session::run_async(Exchange& exchange) {
  exchange.handler_running = true;
  thread_.run_handler(exchange);
}

void Session::run_events(Exchange& exchange) {
  const EventOptions& options = std::get<EventHandler>(exchange.route->endpoint).options;
  exchange.events = std::make_shared<EventQueue>(
      options.max_events.value_or(core_.options.max_events), options.slow_client,
      [link = link()] { link->wake(); }, &core_.events_dropped);
  const bool head_only = exchange.data.head.method == Method::head;
  exchange.handler_running = !head_only;
  if (head_only) {
    exchange.server_place = Places::Pass();
    exchange.route_place = Places::Pass();
    exchange.tenant_place = TenantPlaces::Pass();
  }
  respond(exchange, ResponseWriter::streaming(kEventStream, exchange.events)
                        .header("Cache-Control", "no-store")
                        .header("X-Accel-Buffering", "no"));
  if (head_only) return;
  if (sends(exchange, *exchange.events)) return thread_.run_handler(exchange);
  exchange.events.reset();
  thread_.handler_not_started(exchange);
}

void Session::prepare_reader(Exchange& exchange) {
  const Endpoint& endpoint = exchange.route->endpoint;
  const bool reads = std::holds_alternative<ReadHandler>(endpoint) ||
                     std::holds_alternative<DuplexHandler>(endpoint);
  if (!reads) return;
  exchange.reader =
      std::make_shared<RequestBody>(exchange.route->stream_buffer, *exchange.context, link());
  exchange.sink = exchange.reader.get();
}

void Session::prepare_writer(Exchange& exchange) {
  const Endpoint& endpoint = exchange.route->endpoint;
  const bool writes = std::holds_alternative<WriteHandler>(endpoint) ||
                      std::holds_alternative<DuplexHandler>(endpoint);
  if (!writes) return;
  // The exchange is there so long as its handler runs; the session may be gone once it has been
  // told so, or has answered in the handler's place.
  const auto begin = [&exchange](Response&& head) {
    if (exchange.answered || exchange.session == nullptr) return false;
    return exchange.session->begin_stream(exchange, std::move(head));
  };
  exchange.writer = std::make_shared<ResponseBody>(exchange.route->stream_buffer, *exchange.context,
                                                   link(), begin);
}

// False if nobody will read the body.
bool Session::begin_stream(Exchange& exchange, Response&& head) {
  respond(exchange, ResponseWriter::streaming(std::move(head), exchange.writer));
  if (!in_turn_) thread_.io().flush_later(*this);
  const bool head_only = exchange.data.head.method == Method::head;
  return !head_only && ResponseWriter::stream(exchange.response) != nullptr &&
         !ResponseWriter::bodiless(exchange.response);
}

Response Session::failure(Exchange& exchange, const Error& error) {
  if (!exchange.context) exchange.context.emplace(ContextOptions{});
  const Context& ctx = *exchange.context;
  if (error.code() == Errc::cancelled && ctx.reason() == CancelReason::shutdown) {
    return problem(ctx, Error(Errc::unavailable, "the server is shutting down"));
  }
  if (traits(error.code()).http_status == 500) {
    const std::string text = error.to_string();
    const std::string_view route = exchange.data.pattern;  // empty if it has none
    core_.telemetry.log().error(ctx, "a handler failed", {{"route", route}, {"error", text}});
  }
  return problem(ctx, error);
}

void Session::respond(Exchange& exchange, Result<Response>&& result) {
  if (result.ok()) return respond(exchange, std::move(*result));
  respond(exchange, failure(exchange, result.error()));
}

void Session::respond(Exchange& exchange, Response&& response) {
  try {
    run_after(exchange, response);
  } catch (...) {
    response = failure(exchange, error_from_current_exception());
  }
  std::string_view fault = ResponseWriter::fault(response);
  if (ResponseWriter::protocol(response) != nullptr && !Connection::can_switch(exchange)) {
    fault = "a change of protocol that the client did not ask for";
  }
  if (!fault.empty()) {
    const Error error = Error().with_detail("the response cannot be sent: " + std::string(fault));
    response = failure(exchange, error);
  }
  if (exchange.route != nullptr && exchange.route->compression.responses) {
    compress_response(exchange.route->compression, exchange.request, response);
  }
  RouteMetrics& metrics = exchange.route == nullptr ? core_.unrouted : exchange.route->metrics;
  const TimePoint now = thread_.clock_now();
  exchange.times.answered = now;
  metrics.count(response.status(), now - exchange.began);
  if (exchange.span.recording()) end_trace(exchange, response.status());
  connection_.answer(exchange, std::move(response), now);
}

void Session::on_deadline(Exchange& exchange) {
  exchange.context->cancel(CancelReason::deadline);
  if (exchange.answered) return;  // the handler was quick to obey
  const Error error(Errc::deadline_exceeded, "the request took too long");
  respond(exchange, problem(*exchange.context, error));
}

void Session::on_written(Exchange& exchange) {
  if (core_.options.slow_request.count() == 0) return;
  tell_if_slow(true);  // the one before, which leaves together with this
  written_.emplace(exchange);
}

void Session::on_gone(Exchange& exchange, CancelReason reason) {
  exchange.session = nullptr;
  exchange.span.fail(to_string(reason));
  exchange.span.end();
  exchange.context->cancel(reason);
  // Only if the 101 was never sent: else the exchange is not the connection's any more.
  if (const auto socket = exchange.socket; socket != nullptr) socket->ended(reason);
}

Response Session::refusal(Exchange& exchange, int status, std::string_view reason) {
  core_.refused.count(status, Duration::zero());
  exchange.times.answered = thread_.now();
  if (!exchange.context) exchange.context.emplace(ContextOptions{});
  return problem(*exchange.context, status, reason);
}

}  // namespace aiserve::inline v0::http::detail
