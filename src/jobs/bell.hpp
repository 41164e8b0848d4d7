// Bell: one coroutine waits until somebody rings, or until a time. Rings while nobody waits are
// kept, as one.
#pragma once

#include <mutex>

#include <boost/asio/awaitable.hpp>

#include "core/operation.hpp"

namespace aiserve::inline v0::detail {

class Bell {
 public:
  /// Any thread.
  void ring() noexcept;
  /// On an I/O thread; one caller at a time.
  boost::asio::awaitable<void> wait(Deadline until);

 private:
  std::mutex mutex_;
  bool rung_ = false;
  IntrusivePtr<Operation> waiting_;
};

}  // namespace aiserve::inline v0::detail
