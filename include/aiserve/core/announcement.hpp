/// Announcement: a token that says "a request is on its way", while a body is read or an input is
/// prepared, to an engine that may hold a batch for it.
///
/// Open from its making until retract() or its end; the engine waits for open ones no longer than
/// it gains (Batcher: a tenth of T(1), at most max_hold, 200 us by default), so a forgotten token
/// does no harm. It must not outlive the engine that gave it.
/// *Thread safety:* one thread at a time; distinct tokens any thread.
///
///     Announcement soon = batcher.announce();
///     Tensor image = co_await read_image(ctx);
///     Result<Tensor> scores = co_await batcher.infer(ctx, image);
#pragma once

#include <functional>
#include <utility>

namespace aiserve::inline v0 {

class Announcement {
 public:
  /// Who is told when an announcement ends.
  class Listener {
   public:
    virtual void retract() noexcept = 0;

   protected:
    ~Listener() = default;
  };

  Announcement() noexcept = default;
  explicit Announcement(Listener& listener) noexcept : listener_(&listener) {}
  Announcement(Announcement&& other) noexcept
      : listener_(std::exchange(other.listener_, nullptr)) {}
  Announcement& operator=(Announcement&& other) noexcept {
    std::swap(listener_, other.listener_);
    return *this;
  }
  ~Announcement() { retract(); }

  bool open() const noexcept { return listener_ != nullptr; }
  /// Idempotent.
  void retract() noexcept {
    if (Listener* listener = std::exchange(listener_, nullptr)) listener->retract();
  }

 private:
  Listener* listener_ = nullptr;
};

/// Makes announcements, for those who carry requests and do not know engines (HTTP routes).
using Announcer = std::function<Announcement()>;

}  // namespace aiserve::inline v0
