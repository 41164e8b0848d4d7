// BatchMetrics: what a Batcher counts, labelled with its name.
#pragma once

#include <array>
#include <string>

#include "aiserve/core/metrics.hpp"
#include "aiserve/serving/batcher.hpp"

namespace aiserve::inline v0::detail {

class BatchMetrics {
 public:
  BatchMetrics(Metrics& metrics, const std::string& batcher);

  void batch(std::size_t rows, DispatchReason reason, Duration compute) noexcept;
  void row(Duration queue, Duration total) noexcept;
  void refused(Errc code) noexcept { refused_[static_cast<std::size_t>(code)]->inc(); }
  void abandoned(bool deadline) noexcept { (deadline ? expired_ : cancelled_).inc(); }
  /// Computed, but its caller had gone meanwhile.
  void unread_row() noexcept { unread_rows_.inc(); }
  void failed_row() noexcept { failed_rows_.inc(); }

 private:
  Histogram& batch_size_;
  Histogram& queue_;
  Histogram& compute_;
  Histogram& total_;
  Counter& expired_;
  Counter& cancelled_;
  Counter& failed_rows_;
  Counter& unread_rows_;
  std::array<Counter*, 2> dispatched_;
  std::array<Counter*, 16> refused_{};
};

}  // namespace aiserve::inline v0::detail
