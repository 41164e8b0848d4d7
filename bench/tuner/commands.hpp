// The three things aiserve-bench does. Each returns the exit status.
#pragma once

#include "tuner/arguments.hpp"

namespace tuner {

int run_command(const Arguments& arguments, const std::string& command_line);
int sweep_command(const Arguments& arguments, const std::string& command_line);
int compare_command(const Arguments& arguments);

}  // namespace tuner
