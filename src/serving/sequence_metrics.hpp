// SequenceMetrics: what a SequenceBatcher counts, labelled with the name of its batcher.
#pragma once

#include <array>
#include <string>

#include "aiserve/core/telemetry.hpp"
#include "decide/sequence_table.hpp"

namespace aiserve::inline v0::detail {

class SequenceMetrics {
 public:
  SequenceMetrics(Metrics& metrics, const std::string& batcher);

  void started() noexcept { started_.inc(); }
  void expired(std::size_t count) noexcept { expired_.inc(count); }
  void refused(decide::StepVerdict why) noexcept { refused_[index(why)]->inc(); }

 private:
  static std::size_t index(decide::StepVerdict why) noexcept {
    return static_cast<std::size_t>(why) - static_cast<std::size_t>(decide::StepVerdict::unknown);
  }

  Counter& started_;
  Counter& expired_;
  std::array<Counter*, 4> refused_{};
};

}  // namespace aiserve::inline v0::detail
