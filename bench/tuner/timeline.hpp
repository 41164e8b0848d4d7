// Timeline: a run cut into equal slices, and what happened in each: for the plots over time.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tuner/arrivals.hpp"

namespace tuner {

/// Batch sizes by class: 1, 2, 3-4, 5-8, ... 32769-65536.
constexpr std::size_t kSizeClasses = 17;
constexpr std::size_t size_class(std::uint32_t rows) noexcept {
  std::size_t size = 0;
  while (size + 1 < kSizeClasses && (std::uint32_t{1} << size) < rows) ++size;
  return size;
}
/// "1", "2", "3-4", "5-8", ...
std::string size_class_name(std::size_t size_class);

struct Slice {
  std::array<std::uint32_t, kSizeClasses> batches{};
  std::vector<std::uint32_t> answered{};  // ok, per tenant
};

class Timeline {
 public:
  Timeline() = default;
  Timeline(Nanos length, std::size_t slices, std::size_t tenants);

  /// `at` from the start of the timeline; what lies outside is not counted.
  void batch(Nanos at, std::uint32_t rows) noexcept;
  void answered(Nanos at, std::uint32_t tenant) noexcept;

  const std::vector<Slice>& slices() const noexcept { return slices_; }
  Nanos slice_length() const noexcept { return slice_length_; }
  /// The largest class that occurred.
  std::size_t largest_class() const noexcept;

 private:
  Slice* slice_at(Nanos at) noexcept;

  Nanos slice_length_ = 1;
  std::vector<Slice> slices_;
};

}  // namespace tuner
