#include "aiserve/serving/ride.hpp"

#include <array>

namespace aiserve::inline v0 {

std::string_view to_string(DispatchReason reason) noexcept {
  constexpr std::array<std::string_view, 6> kNames{"full",   "idle", "deadline",
                                                   "bucket", "wait", "shed"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace aiserve::inline v0
