#include "command_line.hpp"

#include <aiserve/core/version.hpp>

#include <algorithm>
#include <filesystem>

#include "config_file.hpp"

namespace service {
namespace {

bool take(std::vector<std::string>& arguments, std::string_view flag) {
  return std::erase(arguments, flag) != 0;
}

std::string version_text() {
  return "aiserve_service " + std::string(aiserve::version()) + " (" +
         std::string(aiserve::commit()) + ")\n";
}

/// What would fail a moment later, when the service starts.
void check_files(const Config& config) {
  for (const std::string& file : {config.model, config.signature, config.data}) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) {
      throw aiserve::ConfigError(in_quotes(file) + " does not exist");
    }
  }
}

}  // namespace

Command parse_command(int argc, const char* const* argv, const char* const* environment) {
  Sources sources;
  if (argc > 1) sources.arguments.assign(argv + 1, argv + argc);
  for (; *environment != nullptr; ++environment) sources.environment.emplace_back(*environment);

  if (take(sources.arguments, "--help") || take(sources.arguments, "-h")) return {{}, help_text()};
  if (take(sources.arguments, "--version")) return {{}, version_text()};
  const bool check = take(sources.arguments, "--check-config");
  const bool print = take(sources.arguments, "--print-config");

  Command command{load_config(sources), {}};
  if (check) check_files(command.config);
  if (print) {
    command.answer = to_json(command.config);
  } else if (check) {
    command.answer = "the configuration is good\n";
  }
  return command;
}

}  // namespace service
