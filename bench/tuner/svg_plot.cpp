#include "tuner/svg_plot.hpp"

#include <algorithm>
#include <limits>

#include <fmt/core.h>

namespace tuner {
namespace {

constexpr double kWidth = 960;
constexpr double kHeight = 380;
constexpr double kLeft = 68;
constexpr double kRight = 20;
constexpr double kTop = 34;
constexpr double kBottom = 50;

struct Range {
  double least = std::numeric_limits<double>::max();
  double most = std::numeric_limits<double>::lowest();
  void add(double value) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

class Canvas {
 public:
  Canvas(const PlotOptions& options, Range x, Range y)
      : options_(options),
        x_(options.x_scale, x.least, x.most),
        y_(options.y_scale, y.least, y.most) {}

  double x(double value) const { return kLeft + x_.position(value) * (kWidth - kLeft - kRight); }
  double y(double value) const {
    return kHeight - kBottom - y_.position(value) * (kHeight - kTop - kBottom);
  }

  std::string frame() const {
    std::string svg;
    for (const double tick : y_.ticks()) {
      svg += fmt::format(
          "<line class='grid' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>"
          "<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>\n",
          kLeft, kWidth - kRight, y(tick), y(tick), kLeft - 8, y(tick) + 4, short_number(tick));
    }
    for (const double tick : x_.ticks()) {
      svg += fmt::format(
          "<line class='grid' x1='{0:.1f}' x2='{0:.1f}' y1='{1:.1f}' y2='{2:.1f}'/>"
          "<text class='tick' x='{0:.1f}' y='{3:.1f}' text-anchor='middle'>{4}</text>\n",
          x(tick), kTop, kHeight - kBottom, kHeight - kBottom + 18, short_number(tick));
    }
    svg += fmt::format(
        "<text class='axis' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>"
        "<text class='axis' x='{:.1f}' y='{:.1f}'>{}</text>\n",
        (kLeft + kWidth - kRight) / 2, kHeight - 10, escape_html(options_.x_label), kLeft - 52,
        18.0, escape_html(options_.y_label));
    return svg + limit();
  }

 private:
  std::string limit() const {
    if (!options_.y_limit) return {};
    const double at = y(*options_.y_limit);
    return fmt::format(
        "<line class='limit' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>"
        "<text class='limit' x='{:.1f}' y='{:.1f}' text-anchor='end'>{}</text>\n",
        kLeft, kWidth - kRight, at, at, kWidth - kRight - 4, at - 6,
        escape_html(options_.y_limit_label));
  }

  const PlotOptions& options_;
  Axis x_;
  Axis y_;
};

std::string draw(const PlotSeries& series, std::size_t colour, const Canvas& canvas) {
  std::string svg;
  if (series.line && series.points.size() > 1) {
    svg += fmt::format("<polyline class='line c{}' points='", colour);
    for (const PlotPoint& point : series.points) {
      svg += fmt::format("{:.1f},{:.1f} ", canvas.x(point.x), canvas.y(point.y));
    }
    svg += "'/>\n";
  }
  if (!series.marks) return svg;
  for (const PlotPoint& point : series.points) {
    svg += fmt::format(
        "<circle class='mark c{}{}' cx='{:.1f}' cy='{:.1f}' r='{}'><title>{}</title></circle>\n",
        colour, series.strong ? " strong" : "", canvas.x(point.x), canvas.y(point.y),
        series.strong ? 8 : 4, escape_html(point.tip));
  }
  return svg;
}

std::string legend(const std::vector<PlotSeries>& all) {
  std::string html = "<div class='legend'>";
  for (std::size_t i = 0; i < all.size(); ++i) {
    html += fmt::format("<span><i class='swatch c{}{}'></i>{}</span>", i % 8,
                        all[i].strong ? " strong" : "", escape_html(all[i].name));
  }
  return html + "</div>\n";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string svg_plot(const std::vector<PlotSeries>& series, const PlotOptions& options) {
  Range x;
  Range y;
  for (const PlotSeries& each : series) {
    for (const PlotPoint& point : each.points) {
      x.add(point.x);
      y.add(point.y);
    }
  }
  if (x.most < x.least) return {};
  if (options.y_limit) y.add(*options.y_limit);
  const Canvas canvas(options, x, y);
  std::string svg = fmt::format("<svg viewBox='0 0 {} {}' role='img'>\n", kWidth, kHeight);
  svg += canvas.frame();
  for (std::size_t i = 0; i < series.size(); ++i) svg += draw(series[i], i % 8, canvas);
  return legend(series) + svg + "</svg>\n";
}

}  // namespace tuner
