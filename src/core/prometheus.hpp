/// PrometheusText: a visitor that writes the Prometheus text format 0.0.4.
/// *Thread safety:* one thread.
#pragma once

#include <aiserve/core/metrics.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace aiserve::inline v0::detail {

class PrometheusText final : public MetricVisitor {
 public:
  void counter(const MetricFamily& family, const Labels& labels, std::uint64_t value) override;
  void gauge(const MetricFamily& family, const Labels& labels, double value) override;
  void histogram(const MetricFamily& family, const Labels& labels,
                 const HistogramSnapshot& snapshot) override;

  std::string take() && { return std::move(text_); }

 private:
  void head(const MetricFamily& family, std::string_view type);
  void name(std::string_view name, std::string_view suffix, const Labels& labels,
            const double* bound = nullptr);
  void number(std::uint64_t value);
  void number(double value);

  std::string text_;
  std::string current_;  // the family whose head was written last
};

}  // namespace aiserve::inline v0::detail
