// aiserve-jobs: sees and controls a queue of durable jobs, beside the services that run it. See
// docs/jobs.md. Exit status: 0 done, 1 it failed, 2 it was asked wrongly.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <unistd.h>

#include "aiserve/core/telemetry.hpp"
#include "command_line.hpp"
#include "job_tool.hpp"

namespace aiserve::jobs_tool {
namespace {

constexpr int kFailed = 1;
constexpr int kMisused = 2;

int fail(int status, const std::string& why) {
  std::fprintf(stderr, "aiserve-jobs: %s\n", why.c_str());
  return status;
}

std::string read_key(const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  std::string key{std::istreambuf_iterator<char>(file), {}};
  if (!file || key.empty()) throw ConfigError("--audit-key-file cannot be read or is empty");
  return key;
}

/// Whose command it is, if nobody says.
std::string operator_name() {
  for (const char* name : {"SUDO_USER", "USER"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return std::string("operator:") + value;
  }
  return "operator:uid-" + std::to_string(::getuid());
}

int print_pending(const std::vector<std::string>& names) {
  std::printf("%s\n", names_to_json("pending", names).c_str());
  return 0;
}

int execute(CommandLine line) {
  if (line.actor.empty()) line.actor = operator_name();
  const std::string key = read_key(line.audit_key_file);
  const bool migrate = line.command == "migrate";
  std::vector<std::string> pending;
  if (migrate) pending = pending_migrations(line.store);
  if (line.dry_run) return print_pending(pending);
  Telemetry telemetry({.log_level = LogLevel::error});
  Runtime runtime({.telemetry = &telemetry});
  const std::unique_ptr<OpenedStore> store = open_store(runtime, line.store, key, migrate);
  runtime.start();
  JobTool tool(*store, line, key);
  tool.migrated = std::move(pending);
  const Context ctx =
      Context::background().with_deadline(Deadline::after(runtime.clock().now(), line.timeout));
  const Result<void> done = block_on(runtime, tool.run(ctx));
  std::fputs(tool.printed.c_str(), stdout);
  runtime.shutdown();
  // Whoever has a shell here may see the detail.
  return done ? 0 : fail(kFailed, done.error().to_string());
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "help") {
    std::fputs(usage().c_str(), arguments.empty() ? stderr : stdout);
    return arguments.empty() ? kMisused : 0;
  }
  Result<CommandLine> line = parse(arguments);
  if (!line) return fail(kMisused, line.error().message() + " (--help tells more)");
  try {
    return execute(std::move(*line));
  } catch (const ConfigError& error) {
    return fail(kMisused, error.what());
  }
}

}  // namespace
}  // namespace aiserve::jobs_tool

int main(int argc, char** argv) {
  return aiserve::jobs_tool::run(std::vector<std::string>(argv + 1, argv + argc));
}
