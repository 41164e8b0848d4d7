#include <algorithm>
#include <concepts>
#include <optional>
#include <utility>

#include "config.hpp"
#include "config_file.hpp"
#include "values.hpp"

namespace service {
namespace {

using aiserve::ConfigError;

constexpr std::string_view kPrefix = "AISERVE_SERVICE_";

const Option* find(std::string_view name) {
  const auto found = std::find_if(options().begin(), options().end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == options().end() ? nullptr : &*found;
}

/// The names of all options as one source spells them, and that of the file itself.
template <class Spell>
std::vector<std::string> spellings(Spell spell, std::string_view config) {
  std::vector<std::string> names;
  for (const Option& option : options()) names.push_back(spell(option));
  if (!config.empty()) names.emplace_back(config);
  return names;
}

[[noreturn]] void throw_unknown(const std::string& what, std::string_view name,
                                const std::vector<std::string>& known) {
  throw ConfigError("unknown " + what + " " + in_quotes(name) + "; the nearest is " +
                    std::string(nearest(name, known)));
}

/// Sets one option from text; `where` is how its source names it.
class Setter {
 public:
  Setter(Config& config, const Option& option, std::string where, std::string_view text)
      : config_(config), option_(option), where_(std::move(where)), text_(text) {}

  void operator()(std::string Config::*field) const { config_.*field = text_; }
  template <std::integral Number>
  void operator()(Number Config::*field) const {
    const auto number = parse_integer(text_);
    if (!number || !in_range(*number)) fail("a number from ");
    config_.*field = static_cast<Number>(*number);
  }
  void operator()(std::chrono::milliseconds Config::*field) const {
    const auto duration = parse_duration(text_);
    if (!duration || !in_range(duration->count())) fail("a duration from ");
    config_.*field = *duration;
  }
  void operator()(aiserve::LogLevel Config::*field) const {
    const auto level = aiserve::parse_log_level(text_);
    if (!level) fail("one of ");
    config_.*field = *level;
  }

 private:
  bool in_range(long long value) const { return value >= option_.low && value <= option_.high; }
  [[noreturn]] void fail(const char* kind) const {
    throw ConfigError(where_ + " must be " + kind + range_of(option_) + ", not " +
                      in_quotes(text_));
  }

  Config& config_;
  const Option& option_;
  std::string where_;
  std::string_view text_;
};

void set(Config& config, const Option& option, std::string where, std::string_view text) {
  std::visit(Setter(config, option, std::move(where), text), option.field);
}

/// "NAME=value" pairs of the environment and "--name value" pairs of the command line, by option.
struct Given {
  std::string where;
  std::string text;
};
using Pairs = std::vector<std::pair<const Option*, Given>>;

struct Collected {
  Pairs pairs;
  std::optional<std::string> config_file;
};

Collected from_environment(const std::vector<std::string>& environment) {
  Collected result;
  for (const std::string& entry : environment) {
    if (!entry.starts_with(kPrefix)) continue;
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string name = entry.substr(0, equals);
    std::string text = entry.substr(std::min(equals + 1, entry.size()));
    if (name == "AISERVE_SERVICE_CONFIG") {
      result.config_file = std::move(text);
      continue;
    }
    const auto option = std::find_if(options().begin(), options().end(),
                                     [&](const Option& o) { return variable_of(o) == name; });
    if (option == options().end()) {
      throw_unknown("environment variable", name, spellings(variable_of, "AISERVE_SERVICE_CONFIG"));
    }
    result.pairs.push_back({&*option, {name, std::move(text)}});
  }
  return result;
}

Collected from_arguments(const std::vector<std::string>& arguments) {
  Collected result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::size_t equals = std::min(argument.find('='), argument.size());
    const std::string name = argument.substr(0, equals);
    const auto option = std::find_if(options().begin(), options().end(),
                                     [&](const Option& o) { return flag_of(o) == name; });
    if (option == options().end() && name != "--config") {
      throw_unknown("argument", name, spellings(flag_of, "--config"));
    }
    if (equals == argument.size() && i + 1 == arguments.size()) {
      throw ConfigError(name + " needs a value");
    }
    std::string text = equals < argument.size() ? argument.substr(equals + 1) : arguments[++i];
    if (name == "--config") {
      result.config_file = std::move(text);
    } else {
      result.pairs.push_back({&*option, {name, std::move(text)}});
    }
  }
  return result;
}

/// Numbers stand as numbers in the file, all else as strings.
void apply_file(Config& config, const std::string& file) {
  for (const FileEntry& entry : read_config_file(file)) {
    const Option* option = find(entry.name);
    if (option == nullptr) {
      const auto names = [](const Option& o) { return std::string(o.name); };
      throw_unknown("option in " + in_quotes(file), entry.name, spellings(names, {}));
    }
    const std::string where = entry.name + " in " + in_quotes(file);
    if (entry.is_number != is_number(*option)) {
      throw ConfigError(where + " must be a " + (entry.is_number ? "string" : "number") + ", not " +
                        (entry.is_number ? entry.text : '"' + entry.text + '"'));
    }
    set(config, *option, where, entry.text);
  }
}

bool loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

void check(const Config& config) {
  if (config.model.empty()) throw ConfigError("--model is missing: the file of the trained model");
  if (config.port != 0 && config.port == config.admin_port &&
      config.address == config.admin_address) {
    throw ConfigError("--port and --admin-port must differ, both are " +
                      std::to_string(config.port));
  }
  if (!loopback(config.admin_address) && config.admin_token.empty()) {
    throw ConfigError("--admin-address " + in_quotes(config.admin_address) +
                      " is not loopback: --admin-token-file must name a secret to ask for");
  }
}

}  // namespace

Config load_config(const Sources& sources) {
  const Collected environment = from_environment(sources.environment);
  const Collected arguments = from_arguments(sources.arguments);
  const auto& file = arguments.config_file ? arguments.config_file : environment.config_file;

  Config config;
  if (file) apply_file(config, *file);
  for (const auto& [option, given] : environment.pairs)
    set(config, *option, given.where, given.text);
  for (const auto& [option, given] : arguments.pairs) set(config, *option, given.where, given.text);
  if (!config.admin_token_file.empty()) config.admin_token = read_secret(config.admin_token_file);
  check(config);
  if (config.signature.empty()) config.signature = with_ending(config.model, ".json");
  return config;
}

}  // namespace service
