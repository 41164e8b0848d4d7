// Places: a bound on how many handlers run at a time, of a server or of a route.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

namespace aiserve::inline v0::http::detail {

// *Thread safety:* any thread; a Pass: one.
class Places {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  // Gives its place back when it goes.
  class Pass {
   public:
    Pass() noexcept = default;
    Pass(Pass&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(places_, other.places_);
      return *this;
    }
    ~Pass() {
      if (places_ != nullptr) places_->taken_.fetch_sub(1, std::memory_order_relaxed);
    }
    explicit operator bool() const noexcept { return places_ != nullptr; }

   private:
    friend class Places;
    explicit Pass(Places& places) noexcept : places_(&places) {}

    Places* places_ = nullptr;
  };

  explicit Places(std::size_t limit = kNoLimit) noexcept : limit_(limit) {}

  bool limited() const noexcept { return limit_ != kNoLimit; }
  bool full() const noexcept { return taken() >= limit_; }
  std::size_t taken() const noexcept { return taken_.load(std::memory_order_relaxed); }

  // An empty one if all are taken.
  Pass take() noexcept {
    if (taken_.fetch_add(1, std::memory_order_relaxed) < limit_) return Pass(*this);
    taken_.fetch_sub(1, std::memory_order_relaxed);
    return {};
  }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> taken_{0};
};

}  // namespace aiserve::inline v0::http::detail
