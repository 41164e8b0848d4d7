/// What the service was started for: to serve, or to say something and leave.
/// *Errors:* ConfigError.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <optional>

#include "config.hpp"

namespace service {

struct Command {
  Config config{};
  /// Print this and leave with status 0; nothing: serve.
  std::optional<std::string> answer{};
};

/// Understands --help, --version, --check-config and --print-config beside the options.
Command parse_command(int argc, const char* const* argv, const char* const* environment);

}  // namespace service
