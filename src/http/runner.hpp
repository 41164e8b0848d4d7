// RunnerPool: coroutines that wait for a handler to run. A handler starts by resuming one of them
// in place (187 ns, where a co_spawn per request costs 700 to 1,000); when it ends, its runner
// waits for the next. One pool per I/O thread.
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "core/io_thread.hpp"
#include "core/waiting_handler.hpp"
#include "http/exchange.hpp"

namespace aiserve::inline v0::http::detail {

class HttpThread;

class RunnerPool {
 public:
  explicit RunnerPool(HttpThread& thread) noexcept : thread_(thread) {}

  // Runs the handler of the exchange until it ends or suspends.
  void start(Exchange& exchange);
  // Ends the runners that wait; one that still has a handler ends after it.
  void stop();

 private:
  struct Runner {
    Exchange* exchange = nullptr;  // to serve next; null: none any more
    v0::detail::WaitingHandler waiting;
  };

  void wake(Exchange* exchange);
  boost::asio::awaitable<void> run(Runner& runner);
  boost::asio::awaitable<void> check(Exchange& exchange);

  HttpThread& thread_;
  std::vector<std::unique_ptr<Runner>> runners_;
  std::vector<Runner*> waiting_;
  bool stopped_ = false;
};

}  // namespace aiserve::inline v0::http::detail
