// SvgPlot: lines and points over two axes, as SVG text to stand in an HTML page. Every mark carries
// a tooltip; colours come from the page's style sheet (classes c0 to c7).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tuner/axis.hpp"

namespace tuner {

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::string tip{};
};

struct PlotSeries {
  std::string name;
  std::vector<PlotPoint> points;
  bool line = true;     // joined
  bool marks = true;    // a dot per point
  bool strong = false;  // larger marks
};

struct PlotOptions {
  std::string x_label;
  std::string y_label;
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;
  /// A dashed line across, with a label.
  std::optional<double> y_limit{};
  std::string y_limit_label{};
};

/// Empty text when no series has a point.
std::string svg_plot(const std::vector<PlotSeries>& series, const PlotOptions& options);

/// & < > " for text and attributes.
std::string escape_html(std::string_view text);

}  // namespace tuner
