// BatchMetrics: what a Batcher counts, labelled with its name.
#pragma once

#include <array>
#include <string>

#include "aiserve/core/bounded_label.hpp"
#include "aiserve/core/telemetry.hpp"
#include "aiserve/serving/ride.hpp"
#include "serving/batch_layout.hpp"

namespace aiserve::inline v0::detail {

class BatchMetrics {
 public:
  BatchMetrics(Telemetry& telemetry, const std::string& batcher);

  void batch(const Ride& ride, const Padding& padding) noexcept;
  void row(Duration queue, Duration total) noexcept;
  void rows_of(std::string_view tenant, std::uint64_t rows) noexcept {
    tenant_rows_.inc(tenant, rows);
  }
  void refused(Errc code) noexcept { refused_[static_cast<std::size_t>(code)]->inc(); }
  void abandoned(bool deadline) noexcept { (deadline ? expired_ : cancelled_).inc(); }
  /// Given up before they were computed, because they could not have come in time; `others_ran`:
  /// what was left made a batch.
  void shed(std::size_t requests, bool others_ran) noexcept {
    late_.inc(requests);
    if (!others_ran) dispatched_[static_cast<std::size_t>(DispatchReason::shed)]->inc();
  }
  /// Computed, but its caller had gone meanwhile.
  void unread_row() noexcept { unread_rows_.inc(); }
  void failed_row() noexcept { failed_rows_.inc(); }
  void hung() noexcept { hung_.inc(); }

 private:
  Histogram& batch_size_;
  Histogram& queue_;
  Histogram& compute_;
  Histogram& total_;
  Counter& expired_;
  Counter& cancelled_;
  Counter& late_;
  Counter& failed_rows_;
  Counter& unread_rows_;
  Counter& reruns_;
  Counter& hung_;
  Counter& elements_;
  Counter& padding_;
  BoundedCounter& tenant_rows_;
  std::array<Counter*, 6> dispatched_{};
  std::array<Counter*, 16> refused_{};
};

/// Counts the rows of a batch per tenant; neighbours of one tenant at once.
class TenantRows {
 public:
  explicit TenantRows(BatchMetrics& metrics) noexcept : metrics_(metrics) {}
  ~TenantRows() { flush(); }
  TenantRows(const TenantRows&) = delete;
  TenantRows& operator=(const TenantRows&) = delete;

  /// `tenant` must stay valid.
  void add(std::string_view tenant) noexcept {
    if (rows_ != 0 && tenant != tenant_) flush();
    tenant_ = tenant;
    ++rows_;
  }

 private:
  void flush() noexcept {
    if (rows_ != 0) metrics_.rows_of(tenant_, rows_);
    rows_ = 0;
  }

  BatchMetrics& metrics_;
  std::string_view tenant_;
  std::uint64_t rows_ = 0;
};

}  // namespace aiserve::inline v0::detail
