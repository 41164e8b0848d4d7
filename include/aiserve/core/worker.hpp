/// Worker: a named thread of the Runtime that is asked, again and again, what to do next.
///
/// step() does a piece of work and says until when there is nothing more to do: a Deadline that has
/// passed means "again, at once", an unreachable one "until somebody calls wake()". The Runtime
/// runs the loop, so a simulated Runtime can run the same steps without a thread.
/// *Thread safety:* wake() from any thread; begin, step and end only on the worker's own thread.
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/result.hpp>

#include <functional>
#include <memory>
#include <string>

namespace aiserve::inline v0 {

struct WorkerOptions {
  std::string name;                          ///< thread name, at most 15 characters are kept
  std::function<Result<void>()> begin{};     ///< on the thread, once; an error fails the Runtime
  std::function<Deadline(TimePoint)> step;   ///< required; the argument is Clock::now()
  std::function<void()> end{};               ///< on the thread, once, if begin succeeded
  std::function<std::string()> busy_with{};  ///< any thread: named in the log if it is stuck
};

namespace detail {
class WorkerLoop;
}

class Worker {
 public:
  Worker() noexcept = default;
  explicit Worker(std::shared_ptr<detail::WorkerLoop> loop) noexcept : loop_(std::move(loop)) {}
  /// Makes the loop call step() once more; cheap when it is running anyway.
  void wake() const noexcept;
  /// For an owner that goes away before the Runtime was started: the loop will never call it.
  void retire() const noexcept;

 private:
  std::shared_ptr<detail::WorkerLoop> loop_;
};

}  // namespace aiserve::inline v0
