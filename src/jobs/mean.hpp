// A mean in which old samples fade.
#pragma once

namespace aiserve::inline v0::detail {

/// 0 stands for no sample yet.
inline void add_to_mean(double& mean, double sample) noexcept {
  constexpr double kNewest = 0.1;
  mean = mean == 0 ? sample : mean + kNewest * (sample - mean);
}

}  // namespace aiserve::inline v0::detail
