// The command line of aiserve-jobs, checked as a whole. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aiserve/core/result.hpp"
#include "aiserve/jobs/job_reader.hpp"

namespace aiserve::jobs_tool {

struct CommandLine {
  std::string command{};
  std::string store{};
  std::string audit_key_file{};
  std::string actor{};
  std::chrono::milliseconds timeout{30'000};

  TenantId tenant{};
  std::vector<JobId> ids{};
  JobPage page{};
  std::string kind{};
  bool all = false;
  int limit = 1'000;
  std::chrono::milliseconds older_than{0};
  bool dry_run = false;
  bool full = false;
  std::string file{};
};

/// Without the program's name. Errors: invalid_argument, the message says what to change.
Result<CommandLine> parse(std::span<const std::string> arguments);

std::string usage();

}  // namespace aiserve::jobs_tool
