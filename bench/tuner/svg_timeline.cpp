#include "tuner/svg_timeline.hpp"

#include <cmath>

#include <fmt/core.h>

#include "tuner/axis.hpp"
#include "tuner/svg_plot.hpp"

namespace tuner {
namespace {

constexpr double kWidth = 960;
constexpr double kLeft = 68;
constexpr double kRight = 20;
constexpr double kInner = kWidth - kLeft - kRight;
constexpr double kTop = 14;

double seconds_of(const Timeline& timeline) {
  return static_cast<double>(timeline.slice_length()) * 1e-9 *
         static_cast<double>(timeline.slices().size());
}

std::string time_axis(const Timeline& timeline, double bottom) {
  const double seconds = seconds_of(timeline);
  const Axis axis(Scale::linear, 0, seconds);
  std::string svg;
  for (const double tick : axis.ticks()) {
    if (tick > seconds * 1.001) continue;
    svg += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>",
                       kLeft + tick / seconds * kInner, bottom + 16, short_number(tick));
  }
  return svg + fmt::format(
                   "<text class='axis' x='{:.1f}' y='{:.1f}' text-anchor='middle'>seconds</text>\n",
                   kLeft + kInner / 2, bottom + 36);
}

std::uint64_t batches_of(const Slice& slice) {
  std::uint64_t sum = 0;
  for (const std::uint32_t count : slice.batches) sum += count;
  return sum;
}

std::string column(const Timeline& timeline, std::size_t index, std::size_t classes, double row) {
  const Slice& slice = timeline.slices()[index];
  const auto all = static_cast<double>(batches_of(slice));
  const double width = kInner / static_cast<double>(timeline.slices().size());
  std::string svg;
  for (std::size_t size = 0; size < classes; ++size) {
    if (slice.batches[size] == 0) continue;
    // The square root lifts rare sizes to where the eye sees them.
    const double shade = std::sqrt(static_cast<double>(slice.batches[size]) / all);
    svg += fmt::format(
        "<rect class='cell' x='{:.1f}' y='{:.1f}' width='{:.1f}' height='{:.1f}' "
        "fill-opacity='{:.2f}'><title>{:.2f} s: {} batches of {} rows</title></rect>\n",
        kLeft + static_cast<double>(index) * width,
        kTop + static_cast<double>(classes - 1 - size) * row, width - 1, row - 1, shade,
        static_cast<double>(index) * static_cast<double>(timeline.slice_length()) * 1e-9,
        slice.batches[size], size_class_name(size));
  }
  return svg;
}

// The upper edge of a tenant's band: the shares of it and of those below it.
std::vector<double> upper_edge(const Timeline& timeline, std::size_t tenant) {
  std::vector<double> edge;
  for (const Slice& slice : timeline.slices()) {
    double below = 0;
    double all = 0;
    for (std::size_t i = 0; i < slice.answered.size(); ++i) {
      all += slice.answered[i];
      if (i <= tenant) below += slice.answered[i];
    }
    edge.push_back(all > 0 ? below / all : (edge.empty() ? 0 : edge.back()));
  }
  return edge;
}

}  // namespace

std::string svg_batch_sizes(const Timeline& timeline) {
  std::uint64_t any = 0;
  for (const Slice& slice : timeline.slices()) any += batches_of(slice);
  if (any == 0) return {};
  const std::size_t classes = timeline.largest_class() + 1;
  constexpr double kRow = 26;
  const double bottom = kTop + static_cast<double>(classes) * kRow;
  std::string svg = fmt::format("<svg viewBox='0 0 {} {}' role='img'>\n", kWidth, bottom + 44);
  for (std::size_t size = 0; size < classes; ++size) {
    svg += fmt::format("<text class='tick' x='{}' y='{:.1f}' text-anchor='end'>{}</text>\n",
                       kLeft - 8, kTop + (static_cast<double>(classes - 1 - size) + 0.65) * kRow,
                       size_class_name(size));
  }
  for (std::size_t i = 0; i < timeline.slices().size(); ++i) {
    svg += column(timeline, i, classes, kRow);
  }
  return svg + time_axis(timeline, bottom) + "</svg>\n";
}

std::string svg_tenant_shares(const Timeline& timeline, const std::vector<std::string>& names,
                              const std::vector<double>& fair) {
  if (names.size() < 2 || timeline.slices().empty()) return {};
  constexpr double kHeight = 240;
  const auto x = [&](std::size_t i) {
    return kLeft +
           kInner * static_cast<double>(i) / static_cast<double>(timeline.slices().size() - 1);
  };
  const auto y = [](double share) { return kTop + (1 - share) * kHeight; };
  std::string svg = "<div class='legend'>";
  for (std::size_t i = 0; i < names.size(); ++i) {
    svg += fmt::format("<span><i class='swatch c{}'></i>{}</span>", i % 8, escape_html(names[i]));
  }
  svg +=
      fmt::format("<span>dashed: fair share</span></div>\n<svg viewBox='0 0 {} {}' role='img'>\n",
                  kWidth, kTop + kHeight + 44);
  std::vector<double> lower(timeline.slices().size(), 0);
  double entitled = 0;
  std::string dashes;
  for (std::size_t tenant = 0; tenant < names.size(); ++tenant) {
    const std::vector<double> upper = upper_edge(timeline, tenant);
    svg += fmt::format("<polygon class='band c{}' points='", tenant % 8);
    for (std::size_t i = 0; i < upper.size(); ++i)
      svg += fmt::format("{:.1f},{:.1f} ", x(i), y(upper[i]));
    for (std::size_t i = upper.size(); i-- > 0;)
      svg += fmt::format("{:.1f},{:.1f} ", x(i), y(lower[i]));
    svg += fmt::format("'><title>{}</title></polygon>\n", escape_html(names[tenant]));
    entitled += tenant < fair.size() ? fair[tenant] : 0;
    if (tenant + 1 < names.size()) {
      dashes +=
          fmt::format("<line class='fair' x1='{:.1f}' x2='{:.1f}' y1='{:.1f}' y2='{:.1f}'/>\n",
                      kLeft, kWidth - kRight, y(entitled), y(entitled));
    }
    lower = upper;
  }
  for (const int percent : {0, 25, 50, 75, 100}) {
    svg += fmt::format("<text class='tick' x='{}' y='{:.1f}' text-anchor='end'>{} %</text>\n",
                       kLeft - 8, y(percent / 100.0) + 4, percent);
  }
  return svg + dashes + time_axis(timeline, kTop + kHeight) + "</svg>\n";
}

}  // namespace tuner
