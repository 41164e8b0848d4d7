#include "harness/bench.hpp"

#include <algorithm>
#include <exception>
#include <regex>

#include <fmt/core.h>

#include "harness/report.hpp"

namespace bench {
namespace {

// The stable and the _unstable name of a percentile are one key to --only and to the bars.
std::string stable_name(const std::string& key) {
  constexpr std::string_view kSuffix = "_unstable";
  return key.ends_with(kSuffix) ? key.substr(0, key.size() - kSuffix.size()) : key;
}

std::vector<Row> rows_of(const Group& group, const std::vector<Sample>& samples) {
  std::vector<Row> rows;
  for (const Key& key : group.keys) {
    for (const char* suffix : {"", "_unstable"}) {
      Row row{key, {}};
      row.key.name += suffix;
      for (const Sample& sample : samples) {
        const auto found = sample.values().find(row.key.name);
        if (found != sample.values().end()) row.values.push_back(found->second);
      }
      if (!row.values.empty()) rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Row> measure(const Options& options, const Group& group) {
  std::vector<Sample> samples;
  if (group.begin) group.begin();
  for (int i = 0; i < options.rounds(); ++i) {
    Sample sample;
    group.round(sample);
    samples.push_back(std::move(sample));
  }
  if (group.end) group.end();
  return rows_of(group, samples);
}

}  // namespace

void leave_out(const std::string& what, const std::string& why) {
  fmt::print("left out: {}: {}\n", what, why);
}

int run(const Options& options, const std::vector<Group>& groups) {
  const std::regex only(options.only.empty() ? ".*" : options.only);
  const auto wanted = [&](const Key& key) {
    return std::regex_search(stable_name(key.name), only);
  };
  print_machine();
  fmt::print("{} rounds per group, medians\n", options.rounds());
  print_header();
  std::vector<Row> all;
  bool complete = true;
  for (const Group& group : groups) {
    if (std::none_of(group.keys.begin(), group.keys.end(), wanted)) continue;
    try {
      for (Row& row : measure(options, group)) {
        if (!wanted(row.key)) continue;
        print_row(row);
        all.push_back(std::move(row));
      }
    } catch (const std::exception& error) {
      leave_out(group.name, error.what());
      complete = false;
    }
  }
  if (!options.json.empty()) write_json(options.json, all);
  return complete ? 0 : 1;
}

}  // namespace bench
