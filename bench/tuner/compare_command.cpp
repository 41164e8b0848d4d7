#include <fmt/core.h>

#include "tuner/commands.hpp"
#include "tuner/compare.hpp"

namespace tuner {

int compare_command(const Arguments& arguments) {
  const RunFile before = read_run(arguments.files[0]);
  const RunFile after = read_run(arguments.files[1]);
  const auto all = compare(before, after, arguments.threshold);
  fmt::print("{}", comparison_text(all));
  return any_regression(all) ? 1 : 0;
}

}  // namespace tuner
