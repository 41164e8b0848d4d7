#include "train_fashion/options.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace fashion;

namespace {

using Arguments = std::vector<std::string_view>;

std::string failure(const Arguments& arguments) {
  try {
    parse_options(arguments);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("values are taken in both spellings") {
  const Arguments arguments{"--out", "m=1", "--data=d", "--epochs", "3", "--seed=9", "--force"};
  const Options options = parse_options(arguments);
  CHECK(options.out == "m=1");
  CHECK(options.data == "d");
  CHECK(options.recipe.epochs == 3);
  CHECK(options.recipe.seed == 9);
  CHECK(options.force);
  CHECK_FALSE(options.quick);
}

TEST_CASE("what is left out has a default") {
  const Options options = parse_options(Arguments{"--out=m"});
  CHECK(options.data == default_folder());
  CHECK(options.recipe.epochs == 5);
  CHECK_FALSE(options.force);
}

TEST_CASE("a wrong command line is told in one line") {
  CHECK(failure({}) == "--out DIR is missing");
  CHECK(failure({"--out"}) == "--out needs a value");
  CHECK(failure({"--out="}) == "--out needs a value");
  CHECK(failure({"--out", "m", "--epoch", "3"}) == "unknown argument '--epoch'");
  CHECK(failure({"m"}) == "unknown argument 'm'");
  CHECK(failure({"--out", "m", "--quick=yes"}) == "--quick takes no value");
  for (const std::string_view bad : {"0", "101", "-1", "3x", "99999999999999999999"})
    CHECK(failure({"--out", "m", "--epochs", bad}) ==
          "--epochs must be a number from 1 to 100, not '" + std::string(bad) + "'");
}

TEST_CASE("help needs nothing else") { CHECK(parse_options(Arguments{"--help"}).help); }
