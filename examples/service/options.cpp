// The table of options: the one place that says what there is, its default, range and unit.
#include <algorithm>
#include <cctype>
#include <concepts>

#include "config.hpp"
#include "values.hpp"

namespace service {
namespace {

constexpr long long kHour = 3'600'000;

constexpr Option kOptions[] = {
    {"address", &Config::address, 0, 0, "IP address", "where the service listens; 0.0.0.0 for all"},
    {"port", &Config::port, 0, 65'535, "", "of the service; 0 takes any free one"},
    {"admin_address", &Config::admin_address, 0, 0, "IP address",
     "where /metrics, /status and /health listen"},
    {"admin_port", &Config::admin_port, 0, 65'535, "", "of those; 0 takes any free one"},
    {"admin_token_file", &Config::admin_token_file, 0, 0, "file",
     "secret that /metrics and /status ask for as a bearer token; needed when admin_address is not "
     "loopback"},
    {"model", &Config::model, 0, 0, "file",
     "TorchScript model, written by train_fashion; required"},
    {"signature", &Config::signature, 0, 0, "file",
     "JSON side-car of the model; empty: MODEL with the ending .json"},
    {"data", &Config::data, 0, 0, "folder", "Fashion-MNIST, for the gallery of held-out images"},
    {"instances", &Config::instances, 0, 256, "threads",
     "that run the model side by side; 0: one per processor"},
    {"max_batch", &Config::max_batch, 1, 4'096, "requests", "computed in one call of the model"},
    {"max_queue", &Config::max_queue, 1, 1'000'000, "requests",
     "that may wait; beyond it they are refused with 503"},
    {"io_threads", &Config::io_threads, 1, 256, "threads", "that serve connections"},
    {"max_connections", &Config::max_connections, 1, 1'000'000, "connections",
     "at a time; further ones are refused"},
    {"request_deadline", &Config::request_deadline, 1, kHour, "duration",
     "after which a request is answered with 504"},
    {"drain_delay", &Config::drain_delay, 0, kHour, "duration",
     "to keep serving after SIGTERM, not ready any more (5s behind a load balancer)"},
    {"drain_timeout", &Config::drain_timeout, 0, kHour, "duration",
     "for requests in flight to finish after that"},
    {"log_level", &Config::log_level, 0, 0, "", "lines below it are not written"},
};

constexpr std::string_view kLevels = "trace, debug, info, warn, error, off";

/// A value as text, by the type of its field.
struct Format {
  const Config& from;
  std::string operator()(std::string Config::*field) const { return from.*field; }
  template <std::integral Number>
  std::string operator()(Number Config::*field) const {
    return std::to_string(from.*field);
  }
  std::string operator()(std::chrono::milliseconds Config::*field) const {
    return format_duration(from.*field);
  }
  std::string operator()(aiserve::LogLevel Config::*field) const {
    return std::string(to_string(from.*field));
  }
};

}  // namespace

std::span<const Option> options() { return kOptions; }

bool is_number(const Option& option) {
  return std::visit([]<class T>(T Config::*) { return std::integral<T>; }, option.field);
}

std::string flag_of(const Option& option) {
  std::string flag = "--" + std::string(option.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string variable_of(const Option& option) {
  std::string name = "AISERVE_SERVICE_";
  for (const char c : option.name) {
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::string range_of(const Option& option) {
  if (std::holds_alternative<aiserve::LogLevel Config::*>(option.field))
    return std::string(kLevels);
  if (std::holds_alternative<std::string Config::*>(option.field)) return {};
  const bool duration = std::holds_alternative<std::chrono::milliseconds Config::*>(option.field);
  const auto text = [duration](long long value) {
    return duration ? format_duration(std::chrono::milliseconds(value)) : std::to_string(value);
  };
  return text(option.low) + " to " + text(option.high);
}

std::string value_of(const Config& config, const Option& option) {
  return std::visit(Format{config}, option.field);
}

}  // namespace service
