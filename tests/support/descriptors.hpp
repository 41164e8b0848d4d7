// How many descriptors this process has open.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace aiserve::inline v0::testing {

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator begin("/proc/self/fd");
  // One of them is the directory's own.
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator())) - 1;
}

}  // namespace aiserve::inline v0::testing
