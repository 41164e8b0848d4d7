// WaitingHandler: the suspended coroutine of an Operation. What boost::asio::any_completion_handler
// would do, without its allocation: a coroutine's handler is one or two pointers.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace aiserve::inline v0::detail {

class WaitingHandler {
 public:
  WaitingHandler() noexcept = default;
  ~WaitingHandler() { reset(); }
  WaitingHandler(const WaitingHandler&) = delete;
  WaitingHandler& operator=(const WaitingHandler&) = delete;

  /// Precondition: empty.
  template <class Handler>
  void emplace(Handler handler) noexcept {
    static_assert(sizeof(Handler) <= sizeof storage_ && alignof(Handler) <= alignof(void*));
    static_assert(std::is_nothrow_move_constructible_v<Handler>);
    new (storage_) Handler(std::move(handler));
    end_ = [](std::byte* storage, bool call) {
      auto* stored = std::launder(reinterpret_cast<Handler*>(storage));
      Handler taken(std::move(*stored));
      stored->~Handler();
      if (call) std::move(taken)();
    };
  }
  explicit operator bool() const noexcept { return end_ != nullptr; }
  /// Resumes the coroutine; empty then, and maybe destroyed. Precondition: not empty.
  void resume() { std::exchange(end_, nullptr)(storage_, true); }
  /// Destroys the coroutine.
  void reset() {
    if (end_ != nullptr) std::exchange(end_, nullptr)(storage_, false);
  }

 private:
  using End = void (*)(std::byte*, bool call);
  End end_ = nullptr;
  alignas(void*) std::byte storage_[4 * sizeof(void*)];
};

}  // namespace aiserve::inline v0::detail
