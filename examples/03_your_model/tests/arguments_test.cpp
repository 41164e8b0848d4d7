#include "arguments.hpp"

#include <aiserve/core/error.hpp>

#include <vector>

#include <doctest/doctest.h>

using your_model::Arguments;

namespace {

Arguments parse(const std::vector<const char*>& words) {
  return your_model::parse_arguments(words);
}

std::string error(const std::vector<const char*>& words) {
  try {
    parse(words);
    return {};
  } catch (const aiserve::ConfigError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a model, a signature and a port are read in any order") {
  const Arguments all = parse({"--port", "0", "m.pt", "s.json"});
  CHECK(all.model == "m.pt");
  CHECK(all.signature == "s.json");
  CHECK(all.port == 0);
  const Arguments one = parse({"m.pt"});
  CHECK(one.signature.empty());
  CHECK(one.port == 8080);
  CHECK(parse({"--help"}).help);
}

TEST_CASE("what is no command line is named") {
  CHECK(error({}) == "which model? (see --help)");
  CHECK(error({"m.pt", "--port"}) == "--port needs a number");
  for (const char* port : {"", "x", "-1", "65536", "80x"}) {
    CHECK(error({"m.pt", "--port", port}) == "--port must be 0 to 65535");
  }
  CHECK(error({"m.pt", "--prot", "1"}) == "unknown option --prot (see --help)");
  CHECK(error({"a", "b", "c"}) == "one model at a time: c is too much");
}
