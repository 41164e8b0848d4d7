// aiserve-jobs as a process of a test's.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child_process.hpp"

namespace aiserve::inline v0::testing {

struct Ended {
  int status;
  std::string output;
  std::string errors;

  bool says(std::string_view text) const { return output.find(text) != std::string::npos; }
  bool complains(std::string_view of) const { return errors.find(of) != std::string::npos; }
};

inline Ended run_jobs_tool(std::vector<std::string> arguments) {
  const char* tool = std::getenv("AISERVE_JOBS");
  if (tool == nullptr) throw std::runtime_error("AISERVE_JOBS names no aiserve-jobs");
  arguments.insert(arguments.begin(), tool);
  ChildProcess process(std::move(arguments), {"USER=mia"});
  const int status = process.wait();
  return {status, process.output(), process.errors()};
}

}  // namespace aiserve::inline v0::testing
