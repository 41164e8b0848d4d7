// Runtime::run(): the only place that touches signals. SIGINT or SIGTERM begins the drain, a second
// one ends the process at once with a line that says what was stuck.
#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <unistd.h>

#include "aiserve/core/telemetry.hpp"
#include "core/runtime_core.hpp"
#include "core/thread_name.hpp"

namespace aiserve::inline v0::detail {
namespace {

class Signals {
 public:
  using Handler = std::function<void(int number, int count)>;
  explicit Signals(Handler handler) : handler_(std::move(handler)) {
    wait();
    thread_ = std::thread([this] {
      name_this_thread("signals");
      loop_.run();
    });
  }
  ~Signals() {
    loop_.stop();
    thread_.join();
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void wait() {
    set_.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      handler_(number, ++count_);
      wait();
    });
  }

  boost::asio::io_context loop_{1};
  boost::asio::signal_set set_{loop_, SIGINT, SIGTERM};
  Handler handler_;
  int count_ = 0;
  std::thread thread_;
};

}  // namespace

int RuntimeCore::run() {
  const Signals signals([this](int number, int count) {
    if (count == 1) {
      telemetry_->log().info("signal received", {{"signal", number}});
      stop();
      return;
    }
    telemetry_->log().error("second signal: leaving at once", {{"stuck", stuck_list()}});
    ::_exit(3);
  });
  start();
  if (owner_ == LoopOwner::runtime) {
    std::unique_lock lock(stop_mutex_);
    stop_wanted_.wait(lock, [this] { return stop_requested_; });
  } else {
    wait_for(
        [this] {
          const std::scoped_lock lock(stop_mutex_);
          return stop_requested_;
        },
        Deadline::never());
  }
  shutdown(Deadline::never());
  const std::scoped_lock lock(mutex_);
  return failure_ ? 2 : 0;
}

}  // namespace aiserve::inline v0::detail
