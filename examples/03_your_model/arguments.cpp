#include "arguments.hpp"

#include <aiserve/core/error.hpp>

#include <charconv>
#include <string_view>

namespace your_model {
namespace {

using aiserve::ConfigError;

std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error == std::errc() && end == text.data() + text.size()) return port;
  throw ConfigError("--port must be 0 to 65535");
}

}  // namespace

Arguments parse_arguments(std::span<const char* const> words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--help") {
      arguments.help = true;
    } else if (word == "--port") {
      if (++i == words.size()) throw ConfigError("--port needs a number");
      arguments.port = parse_port(words[i]);
    } else if (word.starts_with('-')) {
      throw ConfigError("unknown option " + std::string(word) + " (see --help)");
    } else if (arguments.model.empty()) {
      arguments.model = word;
    } else if (arguments.signature.empty()) {
      arguments.signature = word;
    } else {
      throw ConfigError("one model at a time: " + std::string(word) + " is too much");
    }
  }
  if (arguments.model.empty() && !arguments.help) throw ConfigError("which model? (see --help)");
  return arguments;
}

}  // namespace your_model
