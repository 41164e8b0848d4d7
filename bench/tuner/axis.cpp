#include "tuner/axis.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/core.h>

namespace tuner {
namespace {

// The smallest of 1, 2, 5, 10, 20, ... that is at least `value`.
double round_up(double value) {
  const double decade = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (step * decade >= value * (1 - 1e-9)) return step * decade;
  }
  return 10 * decade;
}

double round_down(double value) {
  const double decade = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {5.0, 2.0}) {
    if (step * decade <= value * (1 + 1e-9)) return step * decade;
  }
  return decade;
}

}  // namespace

Axis::Axis(Scale scale, double least, double most) : scale_(scale) {
  if (scale == Scale::log) {
    make_log(least, most);
  } else {
    make_linear(least, most);
  }
}

void Axis::make_linear(double least, double most) {
  const double begin = std::min(0.0, least);
  const double step = round_up(std::max(most - begin, 1e-12) / 5);
  low_ = std::floor(begin / step) * step;
  const auto steps = static_cast<int>(std::ceil((most - low_) / step - 1e-9));
  for (int i = 0; i <= std::max(steps, 1); ++i) ticks_.push_back(low_ + i * step);
  high_ = ticks_.back();
}

void Axis::make_log(double least, double most) {
  low_ = round_down(std::max(least, 1e-12));
  high_ = round_up(std::max(most, low_));
  if (high_ <= low_) high_ = round_up(low_ * 1.01);
  const bool wide = high_ / low_ > 1000;
  const double first = std::floor(std::log10(low_));
  for (double decade = std::pow(10, first); decade <= high_ * 1.001; decade *= 10) {
    for (const double step : {1.0, 2.0, 5.0}) {
      const double tick = decade * step;
      const bool inside = tick >= low_ * 0.999 && tick <= high_ * 1.001;
      if (inside && (step == 1.0 || !wide)) ticks_.push_back(tick);
    }
  }
}

double Axis::position(double value) const noexcept {
  if (scale_ == Scale::linear) return std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
  const double share = std::log(std::max(value, low_) / low_) / std::log(high_ / low_);
  return std::clamp(share, 0.0, 1.0);
}

std::string short_number(double value) {
  constexpr std::array<const char*, 4> kUnits{"", "k", "M", "G"};
  std::size_t unit = 0;
  while (std::fabs(value) >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", value, kUnits[unit]);
}

}  // namespace tuner
