#include "core/prometheus.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/metric_names.hpp"

namespace aiserve::inline v0::detail {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    append_number<double>(out, value);
  }
}

void append_label(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += "=\"";
  append_escaped(out, value, true);
  out += "\",";
}

}  // namespace

void PrometheusText::head(const MetricFamily& family, std::string_view type) {
  if (current_ == family.name) return;
  current_ = family.name;
  text_.append("# HELP ").append(family.name).append(" ");
  append_escaped(text_, family.help, false);
  text_.append("\n# TYPE ").append(family.name).append(" ").append(type).append("\n");
}

void PrometheusText::name(std::string_view name, std::string_view suffix, const Labels& labels,
                          const double* bound) {
  text_.append(name).append(suffix);
  if (!labels.empty() || bound != nullptr) {
    text_ += '{';
    for (const Label& label : labels) append_label(text_, label.name, label.value);
    if (bound != nullptr) {
      text_ += "le=\"";
      append_number(text_, *bound);
      text_ += "\",";
    }
    text_.back() = '}';
  }
  text_ += ' ';
}

void PrometheusText::number(std::uint64_t value) {
  append_number(text_, value);
  text_ += '\n';
}

void PrometheusText::number(double value) {
  append_number(text_, value);
  text_ += '\n';
}

void PrometheusText::counter(const MetricFamily& family, const Labels& labels,
                             std::uint64_t value) {
  head(family, "counter");
  name(family.name, "", labels);
  number(value);
}

void PrometheusText::gauge(const MetricFamily& family, const Labels& labels, double value) {
  head(family, "gauge");
  name(family.name, "", labels);
  number(value);
}

void PrometheusText::histogram(const MetricFamily& family, const Labels& labels,
                               const HistogramSnapshot& snapshot) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  head(family, "histogram");
  for (const double& bound : family.bounds) {
    name(family.name, "_bucket", labels, &bound);
    number(snapshot.count_at_most(bound));
  }
  name(family.name, "_bucket", labels, &kInfinity);
  number(snapshot.count());
  name(family.name, "_sum", labels);
  number(snapshot.sum());
  name(family.name, "_count", labels);
  number(snapshot.count());
}

}  // namespace aiserve::inline v0::detail
