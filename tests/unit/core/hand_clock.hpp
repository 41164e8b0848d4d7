// A clock that tests set by hand.
#pragma once

#include <aiserve/core/clock.hpp>

#include <atomic>
#include <chrono>

class HandClock final : public aiserve::Clock {
 public:
  aiserve::TimePoint now() const noexcept override { return aiserve::TimePoint(elapsed_.load()); }
  aiserve::WallTime wall_now() const noexcept override {
    return aiserve::WallTime(std::chrono::milliseconds(1'714'557'600'123)) + elapsed_.load();
  }
  void advance(aiserve::Duration by) { elapsed_ = elapsed_.load() + by; }

 private:
  std::atomic<aiserve::Duration> elapsed_{aiserve::Duration::zero()};
};
