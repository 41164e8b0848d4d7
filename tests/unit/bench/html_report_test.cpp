#include "tuner/html_report.hpp"

#include <doctest/doctest.h>

#include "tuner/progress.hpp"
#include "tuner/svg_plot.hpp"
#include "tuner/svg_timeline.hpp"

using namespace tuner;

namespace {

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t times = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++times;
  }
  return times;
}

SweepPoint point(double offered, double p99_ns) {
  SweepPoint made;
  made.offered_per_second = made.per_second = offered;
  made.p50_ns = made.p90_ns = made.p99_ns = made.p999_ns = p99_ns;
  return made;
}

}  // namespace

TEST_CASE("a report needs nothing from outside") {
  Report report;
  report.title = "<b>model</b>";
  report.about["command"] = "aiserve-bench run & \"more\"";
  report.saturated = {point(100, 1e6)};
  report.loaded = {point(50, 1e6), point(90, 2e6)};
  report.curve = report.loaded;
  const std::string page = html_report(report);
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.find("http") == std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK(page.find("@import") == std::string::npos);
  CHECK(page.find("<b>model</b>") == std::string::npos);
  CHECK(page.find("&lt;b&gt;model&lt;/b&gt;") != std::string::npos);
  CHECK(count(page, "<svg") == 3);
  CHECK(count(page, "<tr><td>") == 3);  // the curve is not listed twice
  CHECK(count(page, "<svg") == count(page, "</svg>"));
}

TEST_CASE("a report leaves out what was not measured") {
  Report report;
  report.title = "x";
  const std::string page = html_report(report);
  CHECK(page.find("<svg") == std::string::npos);
  CHECK(page.find("Who was served") == std::string::npos);
}

TEST_CASE("a plot draws every point with its tooltip and the limit") {
  PlotOptions options;
  options.y_limit = 10;
  options.y_limit_label = "goal";
  const std::string svg = svg_plot({{.name = "a", .points = {{1, 2, "one"}, {2, 4, "two"}}},
                                    {.name = "b", .points = {{3, 3, "three"}}}},
                                   options);
  CHECK(count(svg, "<circle") == 3);
  CHECK(count(svg, "<polyline") == 1);
  CHECK(svg.find("<title>two</title>") != std::string::npos);
  CHECK(svg.find(">goal<") != std::string::npos);
  CHECK(svg_plot({}, options).empty());
}

TEST_CASE("the heat map has a cell per slice and size that occurred") {
  Timeline timeline(1'000'000'000, 10, 1);
  timeline.batch(0, 1);
  timeline.batch(0, 4);
  timeline.batch(950'000'000, 4);
  CHECK(count(svg_batch_sizes(timeline), "<rect") == 3);
  CHECK(svg_batch_sizes(Timeline(1000, 10, 1)).empty());
}

TEST_CASE("tenant shares are bands with dashed lines where they should end") {
  Timeline timeline(1000, 4, 2);
  for (Nanos at = 0; at < 1000; at += 250) {
    timeline.answered(at, 0);
    timeline.answered(at, 1);
  }
  const std::string svg = svg_tenant_shares(timeline, {"a", "b"}, {0.5, 0.5});
  CHECK(count(svg, "<polygon") == 2);
  CHECK(count(svg, "class='fair'") == 1);
  CHECK(svg_tenant_shares(timeline, {"a"}, {1}).empty());
}

TEST_CASE("the progress bar fills up") {
  CHECK(progress_bar(0, 4) == "[----]   0 %");
  CHECK(progress_bar(0.5, 4) == "[##--]  50 %");
  CHECK(progress_bar(7, 4) == "[####] 100 %");
}
