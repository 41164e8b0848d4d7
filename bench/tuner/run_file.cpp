#include "tuner/run_file.hpp"

#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tuner/statistics.hpp"
#include "tuner/usage_error.hpp"

namespace tuner {
namespace {

constexpr std::string_view kAbout = "about.";
constexpr std::string_view kRepeats = ".repeats";

std::vector<double> numbers(const nlohmann::json& array) {
  std::vector<double> values;
  for (const auto& item : array) values.push_back(item.get<double>());
  return values;
}

void take(RunFile& run, const std::string& key, const nlohmann::json& value) {
  if (value.is_string() && key.starts_with(kAbout)) {
    run.about[key.substr(kAbout.size())] = value.get<std::string>();
  } else if (value.is_array() && key.ends_with(kRepeats)) {
    run.values[key.substr(0, key.size() - kRepeats.size())] = numbers(value);
  } else if (value.is_number()) {
    run.values.try_emplace(key, std::vector<double>{value.get<double>()});
  } else {
    throw UsageError("\"" + key + "\" is neither a number nor the list of its repeats");
  }
}

}  // namespace

std::string to_json(const RunFile& run) {
  std::string text = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : run.about) {
    text += fmt::format(
        "{}  {}: {}", separator, nlohmann::json("about." + key).dump(),
        nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    separator = ",\n";
  }
  for (const auto& [key, values] : run.values) {
    const std::string name = nlohmann::json(key).dump();
    text += fmt::format("{}  {}: {:.9g},\n  \"{}{}\": [{:.9g}]", separator, name, median(values),
                        std::string_view(name).substr(1, name.size() - 2), kRepeats,
                        fmt::join(values, ", "));
    separator = ",\n";
  }
  return text + "\n}\n";
}

RunFile parse_run(std::string_view text, std::string_view name) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) throw UsageError(fmt::format("{} is no JSON object", name));
  RunFile run;
  try {
    for (const auto& [key, value] : json.items()) take(run, key, value);
  } catch (const std::exception& error) {
    throw UsageError(fmt::format("{} is no file of a run: {}", name, error.what()));
  }
  return run;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

RunFile read_run(const std::string& path) { return parse_run(read_text(path), path); }

void write_text(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.flush()) throw UsageError("cannot write " + path);
}

}  // namespace tuner
