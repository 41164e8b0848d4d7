/// What the service can be told, and where it hears it: flags > environment > JSON file > defaults.
///
/// Every option has one name, spelled `max_batch` in the file, AISERVE_SERVICE_MAX_BATCH in the
/// environment and --max-batch on the command line. Secrets are never values: an option names the
/// file that holds one. A name that nobody knows is an error, wherever it stands.
/// *Errors:* load_config() throws ConfigError with one line: what, where, and what would be right.
/// *Thread safety:* values and free functions without shared state.
///
///     const Config config = load_config({{"--port", "0"}, {"AISERVE_SERVICE_MODEL=fashion.pt"}});
#pragma once

#include <aiserve/core/error.hpp>
#include <aiserve/core/log.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace service {

struct Config {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string admin_address = "127.0.0.1";
  std::uint16_t admin_port = 0;
  std::string admin_token_file{};
  std::string admin_token{};  ///< what stands in that file; no option, never printed
  std::string model{};
  std::string signature{};
  std::string data = "/usr/share/datasets/fashion-mnist";
  int instances = 0;
  std::size_t max_batch = 64;
  std::size_t max_queue = 1024;
  int io_threads = 1;
  std::size_t max_connections = 10'000;
  std::chrono::milliseconds request_deadline{2'000};
  std::chrono::milliseconds drain_delay{0};
  std::chrono::milliseconds drain_timeout{10'000};
  aiserve::LogLevel log_level = aiserve::LogLevel::info;
};

/// Where an option's value lies; its type says how it is read.
using Field = std::variant<int Config::*, std::uint16_t Config::*, std::size_t Config::*,
                           std::string Config::*, std::chrono::milliseconds Config::*,
                           aiserve::LogLevel Config::*>;

struct Option {
  std::string_view name;
  Field field;
  long long low = 0;  ///< of numbers, and of durations in ms
  long long high = 0;
  std::string_view unit;  ///< what a number counts, what a text names
  std::string_view help;
};

std::span<const Option> options();
/// Whether it is a plain number, in the JSON file too.
bool is_number(const Option& option);
/// "--max-batch" and "AISERVE_SERVICE_MAX_BATCH".
std::string flag_of(const Option& option);
std::string variable_of(const Option& option);
/// "1 to 4096", "0ms to 1h", "trace, debug, ..."; empty for texts.
std::string range_of(const Option& option);
/// The value as it would be written on the command line.
std::string value_of(const Config& config, const Option& option);

/// Arguments without the program's name, and the environment as "NAME=value".
struct Sources {
  std::vector<std::string> arguments{};
  std::vector<std::string> environment{};
};

/// Reads all sources and checks the values against each other; reads secrets from their files.
Config load_config(const Sources& sources);

/// The text of --help.
std::string help_text();
/// A JSON object that --config would accept; secrets stay in their files.
std::string to_json(const Config& config);

}  // namespace service
