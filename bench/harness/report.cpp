#include "harness/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <thread>

#include <fmt/core.h>

namespace bench {
namespace {

std::string number(double value) {
  const double size = std::fabs(value);
  if (size >= 1000) return fmt::format("{:.0f}", value);
  if (size >= 100) return fmt::format("{:.1f}", value);
  return fmt::format("{:.3f}", value);
}

std::string bar(const Key& key, double value) {
  if (key.at_most) {
    return fmt::format("{} <= {}", value <= *key.at_most ? "ok    " : "MISSED", *key.at_most);
  }
  if (key.at_least) {
    return fmt::format("{} >= {}", value >= *key.at_least ? "ok    " : "MISSED", *key.at_least);
  }
  return {};
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name"))
      return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown CPU";
}

}  // namespace

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void print_machine() {
  const std::time_t now = std::time(nullptr);
  std::tm day{};
  gmtime_r(&now, &day);
  fmt::print("{:04}-{:02}-{:02}, {}, {} CPUs, compiler {}\n", day.tm_year + 1900, day.tm_mon + 1,
             day.tm_mday, cpu_name(), std::thread::hardware_concurrency(), __VERSION__);
}

void print_header() {
  fmt::print("{:<48} {:>10} {:<8} {:>10} {:>10}  {}\n", "key", "median", "unit", "least", "most",
             "bar");
}

void print_row(const Row& row) {
  const auto [least, most] = std::minmax_element(row.values.begin(), row.values.end());
  const double middle = median(row.values);
  fmt::print("{:<48} {:>10} {:<8} {:>10} {:>10}  {}\n", row.key.name, number(middle), row.key.unit,
             number(*least), number(*most), bar(row.key, middle));
  std::fflush(stdout);
}

void write_json(const std::string& path, const std::vector<Row>& rows) {
  std::ofstream file(path);
  file << "{";
  const char* separator = "\n";
  for (const Row& row : rows) {
    file << separator << fmt::format("  \"{}\": {:.6g}", row.key.name, median(row.values));
    separator = ",\n";
  }
  file << "\n}\n";
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace bench
