#include "http/runner.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/event_queue.hpp"
#include "http/http_thread.hpp"
#include "http/request_body.hpp"
#include "http/response_body.hpp"
#include "http/websocket_connection.hpp"

namespace aiserve::inline v0::http::detail {

namespace asio = boost::asio;

void RunnerPool::start(Exchange& exchange) {
  if (!waiting_.empty()) return wake(&exchange);
  runners_.push_back(std::make_unique<Runner>());
  waiting_.reserve(runners_.size());
  runners_.back()->exchange = &exchange;
  asio::co_spawn(thread_.io().executor(), run(*runners_.back()), asio::detached);
}

void RunnerPool::stop() {
  stopped_ = true;
  while (!waiting_.empty()) wake(nullptr);
}

void RunnerPool::wake(Exchange* exchange) {
  Runner& runner = *waiting_.back();
  waiting_.pop_back();
  runner.exchange = exchange;
  runner.waiting.resume();
}

namespace {

// What the handler of an exchange gives when it ends; of a stream nothing.
Async<Response> as_response(Async<void> stream) {
  const Result<void> ended = co_await std::move(stream);
  if (!ended.ok()) co_return ended.error();
  co_return Response();
}

Async<Response> call(Exchange& exchange) {
  const Context& ctx = *exchange.context;
  const Request& request = exchange.request;
  const Endpoint& endpoint = exchange.route->endpoint;
  if (const auto* handler = std::get_if<AsyncHandler>(&endpoint)) return (*handler)(ctx, request);
  if (const auto* handler = std::get_if<WriteHandler>(&endpoint)) {
    return as_response((*handler)(ctx, request, exchange.writer->writer()));
  }
  if (const auto* handler = std::get_if<ReadHandler>(&endpoint)) {
    return (*handler)(ctx, request, exchange.reader->reader());
  }
  if (const auto* handler = std::get_if<DuplexHandler>(&endpoint)) {
    return as_response(
        (*handler)(ctx, request, exchange.reader->reader(), exchange.writer->writer()));
  }
  if (const auto* socket = std::get_if<WebSocketEndpoint>(&endpoint)) {
    return as_response(socket->serve(ctx, exchange.socket->handle()));
  }
  const EventStream stream(exchange.events);
  return as_response(std::get<EventHandler>(endpoint).run(ctx, request, stream));
}

}  // namespace

// What a before hook has to wait for. Rare, so a frame of its own does no harm.
asio::awaitable<void> RunnerPool::check(Exchange& exchange) {
  // The hook may assign to its Context, while other threads read that of what is in flight.
  Context own = *exchange.context;
  Result<std::optional<Response>> answer;
  try {
    auto operation = exchange.check->run(own, exchange.request);
    answer = co_await std::move(operation);
  } catch (...) {
    answer = error_from_current_exception();
  }
  thread_.check_ended(exchange, std::move(own), std::move(answer));
}

// One coroutine for all: a frame per request would cost as much as parsing its head.
asio::awaitable<void> RunnerPool::run(Runner& runner) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto park = [this, &runner](auto handler) {
    runner.waiting.emplace(std::move(handler));
    waiting_.push_back(&runner);
  };
  while (runner.exchange != nullptr) {
    Exchange& exchange = *runner.exchange;
    if (exchange.check != nullptr) {
      co_await check(exchange);
    } else {
      try {
        Async<Response> operation = call(exchange);
        Result<Response> result = co_await std::move(operation);
        thread_.handler_ended(exchange, std::move(result));
      } catch (...) {
        thread_.handler_ended(exchange, error_from_current_exception());
      }
    }
    if (stopped_) co_return;
    co_await asio::async_initiate<const asio::deferred_t&, void()>(park, asio::deferred);
  }
}

}  // namespace aiserve::inline v0::http::detail
