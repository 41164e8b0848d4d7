#include "tuner/html_report.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "tuner/report_style.hpp"
#include "tuner/svg_plot.hpp"
#include "tuner/svg_timeline.hpp"

namespace tuner {
namespace {

std::string section(std::string_view title, std::string_view caption, const std::string& body) {
  if (body.empty()) return {};
  return fmt::format("<section><h2>{}</h2>\n<p>{}</p>\n{}</section>\n", title, caption, body);
}

std::string point_tip(const SweepPoint& point) {
  return fmt::format("{}\n{:.0f} requests/s, p50 {}, p99 {}, mean batch {:.1f}",
                     to_string(point.setting), point.per_second, duration_text(point.p50_ns),
                     duration_text(point.p99_ns), point.mean_batch);
}

PlotPoint frontier_point(const SweepPoint& point) {
  return {point.per_second, point.p99_ns * 1e-6, point_tip(point)};
}

std::string frontier(const Report& report) {
  std::vector<SweepPoint> points = report.loaded;
  std::sort(points.begin(), points.end(), [](const SweepPoint& a, const SweepPoint& b) {
    return a.offered_per_second < b.offered_per_second;
  });
  std::vector<PlotSeries> all;
  for (const SweepPoint& point : points) {
    const std::string name = to_string(point.setting);
    auto series = std::find_if(all.begin(), all.end(),
                               [&](const PlotSeries& each) { return each.name == name; });
    if (series == all.end()) series = all.insert(all.end(), {.name = name, .points = {}});
    series->points.push_back(frontier_point(point));
  }
  for (const SweepPoint& best : report.highlighted) {
    all.push_back(
        {.name = "recommended", .points = {frontier_point(best)}, .line = false, .strong = true});
  }
  PlotOptions options{.x_label = "requests answered per second",
                      .y_label = "p99 latency, ms (log)",
                      .y_scale = Scale::log};
  if (report.goal_ns > 0) {
    options.y_limit = report.goal_ns * 1e-6;
    options.y_limit_label = "goal " + duration_text(report.goal_ns);
  }
  return svg_plot(all, options);
}

std::string saturation(const Report& report) {
  std::vector<PlotSeries> all;
  for (const SweepPoint& point : report.saturated) {
    const std::string name =
        fmt::format("{} instance{} of {} thread{}{}", point.setting.instances,
                    point.setting.instances == 1 ? "" : "s", point.setting.threads,
                    point.setting.threads == 1 ? "" : "s", wait_text(point.setting));
    auto series = std::find_if(all.begin(), all.end(),
                               [&](const PlotSeries& each) { return each.name == name; });
    if (series == all.end()) series = all.insert(all.end(), {.name = name, .points = {}});
    series->points.push_back(
        {static_cast<double>(point.setting.max_batch), point.per_second, point_tip(point)});
  }
  return svg_plot(
      all,
      {.x_label = "max_batch (log)", .y_label = "requests/s, saturated", .x_scale = Scale::log});
}

std::string load_curve(const Report& report) {
  struct Line {
    const char* name;
    double SweepPoint::*field;
  };
  std::vector<PlotSeries> all;
  for (const Line& line : {Line{"p50", &SweepPoint::p50_ns}, Line{"p90", &SweepPoint::p90_ns},
                           Line{"p99", &SweepPoint::p99_ns}, Line{"p99.9", &SweepPoint::p999_ns}}) {
    PlotSeries series{.name = line.name, .points = {}};
    for (const SweepPoint& point : report.curve) {
      series.points.push_back(
          {point.offered_per_second, point.*line.field * 1e-6,
           fmt::format("{} at {:.0f} requests/s: {}", line.name, point.offered_per_second,
                       duration_text(point.*line.field))});
    }
    all.push_back(std::move(series));
  }
  PlotOptions options{.x_label = "requests offered per second",
                      .y_label = "latency, ms (log)",
                      .y_scale = Scale::log};
  if (report.goal_ns > 0) {
    options.y_limit = report.goal_ns * 1e-6;
    options.y_limit_label = "goal " + duration_text(report.goal_ns);
  }
  return report.curve.size() < 2 ? std::string() : svg_plot(all, options);
}

std::string tenant_section(const Report& report) {
  if (report.tenants.empty()) return {};
  std::vector<std::string> names;
  std::vector<double> fair;
  std::string rows =
      "<table><tr><th>tenant</th><th>weight</th><th>asked /s</th><th>served /s</th><th>share</th>"
      "<th>fair share</th><th>p50</th><th>p99</th><th>refused</th></tr>\n";
  for (const TenantRow& row : report.tenants) {
    names.push_back(row.load.name);
    fair.push_back(row.fair);
    rows += fmt::format(
        "<tr><td>{}</td><td>{:g}</td><td>{:.0f}</td><td>{:.0f}</td><td>{:.1f} %</td>"
        "<td>{:.1f} %</td><td>{}</td><td>{}</td><td>{:.1f} %</td></tr>\n",
        escape_html(row.load.name), row.load.weight, row.load.per_second, row.per_second,
        row.share * 100, row.fair * 100, duration_text(row.p50_ns), duration_text(row.p99_ns),
        row.refused_share * 100);
  }
  return svg_tenant_shares(report.timeline, names, fair) + rows + "</table>\n";
}

std::string point_row(const Report& report, const SweepPoint& point) {
  const bool best = std::any_of(report.highlighted.begin(), report.highlighted.end(),
                                [&](const SweepPoint& other) {
                                  return other.setting == point.setting &&
                                         other.offered_per_second == point.offered_per_second;
                                });
  const std::string offered = point.offered_per_second == 0
                                  ? "saturated"
                                  : fmt::format("{:.0f}/s", point.offered_per_second);
  return fmt::format(
      "<tr{}><td>{}</td><td>{}</td><td>{:.0f}</td><td>{:.1f}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{:.1f} %</td></tr>\n",
      best ? " class='best'" : "", to_string(point.setting), offered, point.per_second,
      point.mean_batch, duration_text(point.p50_ns), duration_text(point.p99_ns),
      duration_text(point.p999_ns), point.refused_share * 100);
}

std::string table(const Report& report) {
  std::string rows;
  // The curve of a sweep is a part of what was loaded.
  const auto& under_load = report.loaded.empty() ? report.curve : report.loaded;
  for (const auto* points : {&report.saturated, &under_load}) {
    for (const SweepPoint& point : *points) rows += point_row(report, point);
  }
  if (rows.empty()) return {};
  return "<table><tr><th>setting</th><th>offered</th><th>served /s</th><th>mean batch</th>"
         "<th>p50</th><th>p99</th><th>p99.9</th><th>refused</th></tr>\n" +
         rows + "</table>\n";
}

std::string advice_section(const Report& report) {
  if (report.advice.empty()) return {};
  std::string rest;
  for (std::size_t i = 1; i < report.advice.size(); ++i) {
    rest += "<li>" + escape_html(report.advice[i]) + "</li>";
  }
  return fmt::format(
      "<section class='advice'><h2>What to do</h2><strong>{}</strong><ul>{}</ul></section>\n",
      escape_html(report.advice.front()), rest);
}

std::string tiles(const Report& report) {
  std::string html;
  for (const Tile& tile : report.tiles) {
    html += fmt::format("<div class='tile'><span>{}</span><b>{}</b><span>{}</span></div>",
                        escape_html(tile.label), escape_html(tile.value), escape_html(tile.hint));
  }
  return html.empty() ? html : "<div class='tiles'>" + html + "</div>\n";
}

std::string about_section(const Report& report) {
  std::string list = "<dl>";
  for (const auto& [name, value] : report.about) {
    list += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_html(name), escape_html(value));
  }
  return list + "</dl>\n";
}

}  // namespace

std::string html_report(const Report& report) {
  const std::string title = escape_html(report.title);
  std::string page = fmt::format(
      "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>{0}</title>\n"
      "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
      "<style>{1}</style></head>\n<body><main>\n<h1>{0}</h1>\n<p class='sub'>{2}</p>\n",
      title, kReportStyle,
      report.about.contains("date")
          ? "measured by aiserve-bench, " + escape_html(report.about.at("date"))
          : "measured by aiserve-bench");
  page += advice_section(report) + tiles(report);
  page += section("Throughput against latency",
                  "Every line is one setting under rising load; down and to the right is better. "
                  "Latency counts from when a request should have been sent.",
                  frontier(report));
  page += section("Throughput against batch size",
                  "As many clients as can be kept busy. The knee is where the line turns flat.",
                  saturation(report));
  page += section("Latency against load",
                  "One setting, open loop: requests come when they come, whatever the answers do.",
                  load_curve(report));
  page += section("Batch sizes over time", escape_html(report.timeline_caption),
                  svg_batch_sizes(report.timeline));
  page += section("Who was served",
                  "Shares of what was answered, over time. A fair batcher gives every tenant what "
                  "it asks for, and divides what is scarce by weight.",
                  tenant_section(report));
  page += section("All numbers", "Medians over the repeats.", table(report));
  page += section("How it was measured", "", about_section(report));
  return page + "</main></body></html>\n";
}

}  // namespace tuner
