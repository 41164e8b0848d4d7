/// Metrics: a registry of counters, gauges and histograms, exported as Prometheus text or visited.
///
/// Handles are obtained once, at wiring, and live as long as the registry: counting takes a few ns,
/// no lock, no look-up. The same name and labels give the same handle. Names follow Prometheus
/// (units in the name, base units: seconds, bytes), counters end in _total.
/// *Thread safety:* any thread. Callback gauges run on the thread that visits, without the
/// registry's lock.
/// *Errors:* ConfigError for a bad name or label, for one name with two kinds or two sets of label
/// names, and for a name that would collide with a histogram's _bucket, _sum or _count.
///
///     Counter& requests = metrics.counter("app_requests_total", "Requests.", {{"route", "/x"}});
///     requests.inc();
///     std::string text = metrics.prometheus();
#pragma once

#include <aiserve/core/histogram.hpp>
#include <aiserve/core/thread_slot.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

class BoundedCounter;
class BoundedLabel;

struct Label {
  std::string name;
  std::string value;
  friend bool operator==(const Label&, const Label&) = default;
};

/// The labels of one series, sorted by name.
class Labels {
 public:
  Labels() noexcept = default;
  Labels(std::initializer_list<Label> labels);

  void add(Label label);
  const Label* begin() const noexcept { return labels_.data(); }
  const Label* end() const noexcept { return labels_.data() + labels_.size(); }
  std::size_t size() const noexcept { return labels_.size(); }
  bool empty() const noexcept { return labels_.empty(); }
  friend bool operator==(const Labels&, const Labels&) = default;

 private:
  std::vector<Label> labels_;
};

/// Only ever grows.
class Counter {
 public:
  Counter() noexcept = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void inc(std::uint64_t n = 1) noexcept {
    const std::uint32_t slot = detail::thread_slot();
    detail::add_to_cell(cells_[slot].value, slot, n);
  }
  std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, detail::kSlots> cells_;
};

/// Goes up and down.
class Gauge {
 public:
  Gauge() noexcept = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;

  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double delta) noexcept { value_.fetch_add(delta, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  alignas(64) std::atomic<double> value_{0};
};

namespace detail {
struct GaugeCallback;
}

/// Keeps a callback gauge in its registry; may outlive it. Destroying it waits for a running call,
/// so don't do that under a lock which the callback takes.
class [[nodiscard]] CallbackGauge {
 public:
  CallbackGauge() noexcept;
  CallbackGauge(CallbackGauge&&) noexcept;
  CallbackGauge& operator=(CallbackGauge&&) noexcept;
  ~CallbackGauge();
  void reset() noexcept;

 private:
  friend class Metrics;
  explicit CallbackGauge(std::shared_ptr<detail::GaugeCallback> callback) noexcept;
  std::shared_ptr<detail::GaugeCallback> callback_;
};

/// What the series of one name have in common.
struct MetricFamily {
  std::string_view name;
  std::string_view help;
  std::span<const double> bounds;  ///< of histograms, else empty
};

/// For hosts with a registry of their own. Called family by family, sorted by name.
class MetricVisitor {
 public:
  virtual ~MetricVisitor() = default;
  virtual void counter(const MetricFamily& family, const Labels& labels, std::uint64_t value) = 0;
  virtual void gauge(const MetricFamily& family, const Labels& labels, double value) = 0;
  virtual void histogram(const MetricFamily& family, const Labels& labels,
                         const HistogramSnapshot& snapshot) = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  /// `upper_bounds` (ascending, finite) are those of the export; the first call of a name decides.
  Histogram& histogram(std::string_view name, std::string_view help, Labels labels = {},
                       std::span<const double> upper_bounds = bounds::latency());
  /// Reads its value when visited, as long as the handle lives. Several callbacks under the same
  /// labels add up: two batchers, one depth.
  CallbackGauge gauge(std::string_view name, std::string_view help, Labels labels,
                      std::function<double()> read);
  /// One series per value of a label with bounded values, e.g. tenants.
  BoundedCounter& counter(std::string_view name, std::string_view help, BoundedLabel& label,
                          Labels labels = {});
  /// Made on the first call of a label name; `top` values are named, the rest is `other`.
  BoundedLabel& bounded_label(std::string_view name, std::size_t top = 100);

  void visit(MetricVisitor& visitor) const;
  /// Prometheus text format 0.0.4 ("text/plain; version=0.0.4").
  std::string prometheus() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aiserve::inline v0
