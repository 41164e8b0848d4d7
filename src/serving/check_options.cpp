#include "serving/check_options.hpp"

#include <cmath>
#include <string>

namespace aiserve::inline v0::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostBatch = 65'536;
constexpr std::size_t kMostQueue = std::size_t{1} << 24;
constexpr Duration kLeastGoal = 100us;
constexpr Duration kMostHold = 200us;

// The first thing that is wrong, or nothing.
class Check {
 public:
  void size(const char* option, std::size_t value, std::size_t high) {
    require(value >= 1 && value <= high, option, "must be 1 to " + std::to_string(high));
  }
  void duration(const char* option, Duration value, Duration high, const char* text) {
    require(value >= Duration::zero() && value <= high, option, text);
  }
  void goal(const char* option, Duration value) {
    require(value == Duration::zero() || value >= kLeastGoal, option, "must be at least 100 us");
  }
  void not_negative(const char* option, Duration value) {
    require(value >= Duration::zero(), option, "must not be negative");
  }
  void reruns(std::size_t value) { require(value <= 1000, "max_reruns", "must be 0 to 1000"); }
  void weight(double value) {
    require(value > 0 && std::isfinite(value), "slots_weight", "must be above zero and finite");
  }
  void positive(const char* option, double value) {
    require(value > 0 && !std::isnan(value), option, "must be above zero");
  }
  void require(bool holds, const char* option, const std::string& rule) {
    if (!holds && wrong_.empty()) wrong_ = std::string(option) + " " + rule;
  }
  const std::string& wrong() const noexcept { return wrong_; }

 private:
  std::string wrong_;
};

}  // namespace

void check_options(const BatcherOptions& options) {
  Check check;
  check.size("max_batch", options.max_batch, kMostBatch);
  check.size("max_queue", options.max_queue, kMostQueue);
  check.require(options.instances >= 1 && options.instances <= 256, "instances",
                "must be 1 to 256");
  check.goal("latency_goal", options.latency_goal);
  check.positive("max_cost", options.max_cost);
  check.duration("max_hold", options.max_hold, kMostHold, "must be 0 to 200 us");
  check.not_negative("ageing", options.ageing);
  check.not_negative("hard_limit", options.hard_limit);
  check.reruns(options.max_reruns);
  check.weight(options.slots_weight);
  for (const int cpu : options.cpus) check.require(cpu >= 0, "cpus", "must not be negative");
  if (!check.wrong().empty()) throw ConfigError("batcher " + options.name + ": " + check.wrong());
}

Result<void> check_knobs(const BatcherKnobs& knobs, const BatcherOptions& options) {
  Check check;
  // The slabs were sized for the option.
  if (knobs.max_batch) check.size("max_batch", *knobs.max_batch, options.max_batch);
  if (knobs.max_queue) check.size("max_queue", *knobs.max_queue, kMostQueue);
  if (knobs.active_instances) {
    check.require(*knobs.active_instances >= 1 && *knobs.active_instances <= options.instances,
                  "active_instances", "must be 1 to " + std::to_string(options.instances));
  }
  if (knobs.max_cost) check.positive("max_cost", *knobs.max_cost);
  if (knobs.max_hold) {
    check.duration("max_hold", *knobs.max_hold, kMostHold, "must be 0 to 200 us");
  }
  if (knobs.latency_goal) check.goal("latency_goal", *knobs.latency_goal);
  if (knobs.hard_limit) check.not_negative("hard_limit", *knobs.hard_limit);
  if (knobs.ageing) check.not_negative("ageing", *knobs.ageing);
  if (knobs.max_reruns) check.reruns(*knobs.max_reruns);
  if (knobs.slots_weight) check.weight(*knobs.slots_weight);
  if (check.wrong().empty()) return success();
  return Error(Errc::invalid_argument, check.wrong());
}

}  // namespace aiserve::inline v0::detail
