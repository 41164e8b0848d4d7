#include <nlohmann/json.hpp>

#include "config.hpp"

namespace service {
namespace {

constexpr std::string_view kIntroduction =
    R"(usage: aiserve_service --model FILE [OPTION VALUE]...

Serves a Fashion-MNIST classifier over HTTP: POST /v1/fashion, a page at /, live figures at
/v1/stream. Runs until SIGINT or SIGTERM, then finishes what is in flight.

  --config FILE    JSON object of the options below, with _ in place of -
  --check-config   check the configuration and leave
  --print-config   print the configuration that holds, as JSON, and leave
  --version, --help

Each option is read from its flag, else from its environment variable (AISERVE_SERVICE_MAX_BATCH for
--max-batch), else from the JSON file. Durations have a unit: 250ms, 10s, 2min, 1h.

)";

std::string describe(const Option& option) {
  std::string text = "  " + flag_of(option);
  if (!option.unit.empty()) text += " (" + std::string(option.unit) + ")";
  text += "\n      " + std::string(option.help);
  const std::string value = value_of(Config{}, option);
  const std::string range = range_of(option);
  text += "\n      default: " + (value.empty() ? "none" : value);
  if (!range.empty()) text += "; range: " + range;
  return text + "\n";
}

}  // namespace

std::string help_text() {
  std::string text(kIntroduction);
  for (const Option& option : options()) text += describe(option);
  return text;
}

std::string to_json(const Config& config) {
  nlohmann::ordered_json json;
  for (const Option& option : options()) {
    const std::string value = value_of(config, option);
    auto& entry = json[std::string(option.name)];
    if (is_number(option)) {
      entry = std::stoll(value);
    } else {
      entry = value;
    }
  }
  // Invalid UTF-8 in a file's name must not end the program.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace service
