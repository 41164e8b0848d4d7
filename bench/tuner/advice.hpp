// What a sweep found, in words. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/knee.hpp"

namespace tuner {

struct Findings {
  std::vector<SweepPoint> saturated{};  // closed loop, every setting
  std::vector<SweepPoint> loaded{};     // open loop, the candidates
  std::optional<SweepPoint> knee{};
  std::optional<SweepPoint> recommended{};  // under load, within the goal
  double goal_ns = 0;                       // 0: none was given
};

/// The first sentence is the recommendation, the others say why.
std::vector<std::string> advice(const Findings& findings);

}  // namespace tuner
