// RunFile: what a run measured, as it is kept on disk and compared: one flat JSON object.
//
//   {"about.command": "...", "closed64.per_s": 11683, "closed64.per_s.repeats": [11683, 11620,
//   ...]}
//
// Every key stands with the median over the repeats and, as KEY.repeats, with each of them. Texts
// about the run begin with "about.". Files of scripts/bench, which hold the medians only, can be
// read as well.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tuner {

struct RunFile {
  std::map<std::string, std::string> about{};           // without the "about."
  std::map<std::string, std::vector<double>> values{};  // per key one or more

  void add(const std::string& key, double value) { values[key].push_back(value); }

  friend bool operator==(const RunFile&, const RunFile&) = default;
};

std::string to_json(const RunFile& run);
/// Throws UsageError, naming `name`, when the text is something else.
RunFile parse_run(std::string_view text, std::string_view name);

/// Both throw UsageError when the file cannot be read or written.
RunFile read_run(const std::string& path);
std::string read_text(const std::string& path);
void write_text(const std::string& path, std::string_view text);

}  // namespace tuner
