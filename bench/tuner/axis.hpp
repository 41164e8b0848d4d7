// Axis: from values to positions, with round ticks. Pure.
#pragma once

#include <string>
#include <vector>

namespace tuner {

enum class Scale : unsigned char { linear, log };

class Axis {
 public:
  /// A linear axis begins at 0 unless values lie below; a logarithmic one takes values above 0 only
  /// and reaches to powers of 10, or to the next 1, 2 or 5 when it spans less than two decades.
  Axis(Scale scale, double least, double most);

  /// 0 to 1, clamped.
  double position(double value) const noexcept;
  const std::vector<double>& ticks() const noexcept { return ticks_; }
  double low() const noexcept { return low_; }
  double high() const noexcept { return high_; }

 private:
  void make_linear(double least, double most);
  void make_log(double least, double most);

  Scale scale_;
  double low_ = 0;
  double high_ = 1;
  std::vector<double> ticks_;
};

/// "0.5", "20", "12k", "1.5M"
std::string short_number(double value);

}  // namespace tuner
