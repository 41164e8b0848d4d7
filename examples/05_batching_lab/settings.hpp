// What the lab is started with: --name value or, for the two tenants, --name value:value.
#pragma once

#include <aiserve/core/deadline.hpp>
#include <aiserve/core/error.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace lab {

using namespace aiserve;

struct Settings {
  double fixed_us = 2000, row_us = 100;  // a batch of n rows takes fixed + n * row
  double spin = 0;                       // 1: the model computes instead of sleeping
  double instances = 2, max_batch = 64, goal_ms = 0, seconds = 0;
  std::array<double, 2> clients{24, 24}, rate{0, 0}, weights{1, 1};
  bool help = false;

  bool open() const noexcept { return rate[0] > 0; }
};

inline Duration micros(double value) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(value * 1e3));
}

inline Settings parse(int argc, char** argv) {
  Settings s;
  const std::map<std::string, std::array<double*, 2>> flags{
      {"--fixed-us", {&s.fixed_us}},
      {"--row-us", {&s.row_us}},
      {"--spin", {&s.spin}},
      {"--instances", {&s.instances}},
      {"--max-batch", {&s.max_batch}},
      {"--goal-ms", {&s.goal_ms}},
      {"--seconds", {&s.seconds}},
      {"--rate", {&s.rate[0], &s.rate[1]}},
      {"--clients", {&s.clients[0], &s.clients[1]}},
      {"--weights", {&s.weights[0], &s.weights[1]}}};
  for (int i = 1; i < argc; i += 2) {
    s.help = argv[i] == std::string_view("--help");
    if (s.help) return s;
    const auto flag = flags.find(argv[i]);
    char* rest = i + 1 < argc ? argv[i + 1] : argv[i];
    if (flag == flags.end()) throw ConfigError(argv[i] + std::string(": unknown option"));
    *flag->second[0] = std::strtod(rest, &rest);
    if (flag->second[1] != nullptr && *rest == ':') *flag->second[1] = std::strtod(rest + 1, &rest);
    if (*rest != '\0') throw ConfigError(argv[i] + std::string(" needs a number, or 1:3"));
    if (flag->second[0] == s.rate.data() && !s.open()) {
      throw ConfigError(
          "--rate " + std::string(argv[i + 1]) +
          ": the first tenant's rate must be above 0; for a closed load leave it out");
    }
  }
  return s;
}

}  // namespace lab
