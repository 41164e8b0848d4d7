/// Component: how a server, an engine or a host's own part takes part in a Runtime's life.
///
/// Plain callables, all optional, called by the Runtime from the thread that called start() or
/// shutdown(); see docs/concepts.md for the order. The Attachment undoes it; destroying one while
/// the Runtime still runs shuts the Runtime down first, so that no thread outlives what it uses.
/// *Thread safety:* attach before start(); `not_ready` and `status` are called from any thread.
/// None of `tick`, `not_ready` and `status` may attach or detach.
///
///     attachment_ = runtime.attach({.name = "warehouse", .start = [this] { connect(); },
///                                   .gate = &gate_, .cancel = [this] { abort(); }});
#pragma once

#include <aiserve/core/gate.hpp>

#include <functional>
#include <string>
#include <utility>

namespace aiserve::inline v0 {

class Runtime;

struct Component {
  std::string name;
  std::function<void()> start{};             ///< construction order, inside Runtime::start()
  std::function<void()> stop_accepting{};    ///< first step of a shutdown: no new peers
  Gate* gate = nullptr;                      ///< closed in reverse order, then waited for
  std::function<void()> tick{};              ///< about once a second, on an I/O thread; don't block
  std::function<void()> cancel{};            ///< patience is over: cancel with reason shutdown
  std::function<void()> join{};              ///< last call; the I/O threads are still alive
  std::function<std::string()> busy_with{};  ///< what is in flight, one line, logged if it sticks
  std::function<std::string()> not_ready{};  ///< empty when ready, else the reason in one line
  std::function<std::string()> status{};     ///< a JSON object for /status
};

namespace detail {
class RuntimeCore;
}

class Attachment {
 public:
  Attachment() noexcept = default;
  Attachment(detail::RuntimeCore* core, std::uint64_t id) noexcept : core_(core), id_(id) {}
  Attachment(Attachment&& other) noexcept
      : core_(std::exchange(other.core_, nullptr)), id_(other.id_) {}
  Attachment& operator=(Attachment&& other) noexcept {
    std::swap(core_, other.core_);
    std::swap(id_, other.id_);
    return *this;
  }
  ~Attachment();

 private:
  detail::RuntimeCore* core_ = nullptr;
  std::uint64_t id_ = 0;
};

}  // namespace aiserve::inline v0
