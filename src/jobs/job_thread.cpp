#include "jobs/job_thread.hpp"

#include <boost/asio/post.hpp>

#include "core/runtime_core.hpp"
#include "core/thread_name.hpp"

namespace aiserve::inline v0::detail {

IoThread& JobThread::start() {
  RuntimeCore& core = runtime_.core();
  // A clock that is moved by hand tells the Runtime's own loops only.
  if (core.clock().manual()) return *core.io(0);
  own_ = std::make_unique<IoThread>(core, core.io_threads(), nullptr);
  thread_ = std::thread([this] {
    name_this_thread(name_);
    own_->run();
  });
  return *own_;
}

void JobThread::join() noexcept {
  if (!thread_.joinable()) return;
  own_->stop();
  thread_.join();
}

}  // namespace aiserve::inline v0::detail
