#include "http/runner.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/event_queue.hpp"
#include "http/http_thread.hpp"

namespace aiserve::inline v0::http::detail {

namespace asio = boost::asio;

void RunnerPool::start(Exchange& exchange) {
  if (waiting_.empty()) {
    runners_.push_back(std::make_unique<Runner>());
    waiting_.reserve(runners_.size());
    asio::co_spawn(thread_.io().executor(), run(*runners_.back(), &exchange), asio::detached);
    return;
  }
  Runner& runner = *waiting_.back();
  waiting_.pop_back();
  auto wake = std::move(*runner.wake);
  runner.wake.reset();
  std::move(wake)(&exchange);
}

void RunnerPool::stop() {
  stopped_ = true;
  while (!waiting_.empty()) {
    Runner& runner = *waiting_.back();
    waiting_.pop_back();
    auto wake = std::move(*runner.wake);
    runner.wake.reset();
    std::move(wake)(nullptr);
  }
}

asio::awaitable<void> RunnerPool::run(Runner& runner, Exchange* exchange) {
  co_await asio::this_coro::throw_if_cancelled(false);
  const auto park = [this, &runner](auto handler) {
    runner.wake.emplace(std::move(handler));
    waiting_.push_back(&runner);
  };
  while (exchange != nullptr) {
    co_await serve(*exchange);
    if (stopped_) co_return;
    exchange = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Exchange*)>(
        park, asio::use_awaitable);
  }
}

asio::awaitable<void> RunnerPool::serve(Exchange& exchange) {
  const Context& ctx = *exchange.context;
  const Request& request = exchange.request;
  Result<Response> result;
  try {
    if (const auto* handler = std::get_if<AsyncHandler>(&exchange.route->endpoint)) {
      Async<Response> operation = (*handler)(ctx, request);
      result = co_await std::move(operation);
    } else {
      const EventStream stream(exchange.events);
      Async<void> operation =
          std::get<EventHandler>(exchange.route->endpoint)(ctx, request, stream);
      Result<void> ended = co_await std::move(operation);
      result = ended.ok() ? Result<Response>(Response()) : std::move(ended).error();
    }
  } catch (...) {
    result = error_from_current_exception();
  }
  thread_.handler_ended(exchange, std::move(result));
}

}  // namespace aiserve::inline v0::http::detail
