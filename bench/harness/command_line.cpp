#include <algorithm>
#include <cstdlib>
#include <regex>
#include <string_view>

#include <fmt/core.h>

#include "harness/bench.hpp"

namespace bench {
namespace {

[[noreturn]] void refuse(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(2);
}

void check_regex(const std::string& text) {
  try {
    std::regex(text, std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    refuse("--only: not a regular expression: " + text);
  }
}

}  // namespace

Options parse_options(int argc, char** argv, const std::vector<std::string>& extra) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--quick") {
      options.quick = true;
      continue;
    }
    const std::string name = argument.starts_with("--") ? argument.substr(2) : std::string();
    const bool own = std::find(extra.begin(), extra.end(), name) != extra.end();
    if (name != "only" && name != "json" && !own) refuse("unknown argument: " + argument);
    if (++i == argc) refuse(argument + " needs a value");
    (own ? options.extra[name] : name == "only" ? options.only : options.json) = argv[i];
  }
  check_regex(options.only);
  return options;
}

}  // namespace bench
