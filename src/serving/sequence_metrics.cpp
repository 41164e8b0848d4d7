#include "serving/sequence_metrics.hpp"

namespace aiserve::inline v0::detail {

SequenceMetrics::SequenceMetrics(Metrics& metrics, const std::string& batcher)
    : started_(metrics.counter("aiserve_sequences_started_total",
                               "Sequences whose first step succeeded", {{"batcher", batcher}})),
      expired_(metrics.counter("aiserve_sequences_expired_total",
                               "Sequences forgotten because they were idle for too long",
                               {{"batcher", batcher}})) {
  constexpr std::array<const char*, 4> kReasons{"unknown", "crowded", "full", "tenant_full"};
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    refused_[i] = &metrics.counter(
        "aiserve_sequences_refused_steps_total",
        "Steps refused: of an unknown sequence, too many of one waiting, no slot free",
        {{"batcher", batcher}, {"reason", kReasons[i]}});
  }
}

}  // namespace aiserve::inline v0::detail
