// JobTool: what the commands of aiserve-jobs do. Everything that changes something is written to
// the audit chain of the tenant kAuditTenant before it is done, a migration after it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"
#include "opened_store.hpp"

namespace aiserve::jobs_tool {

inline constexpr const char* kAuditTenant = "aiserve-jobs";

std::string names_to_json(std::string_view key, const std::vector<std::string>& names);

class JobTool {
 public:
  JobTool(OpenedStore& store, const CommandLine& line, std::string audit_key)
      : store_(store), line_(line), audit_key_(std::move(audit_key)) {}

  /// What is to be printed: JSON, one object per line. What was done before an error is in
  /// `printed`.
  Async<void> run(const Context& ctx);
  std::string printed;
  /// The steps that opening the store took.
  std::vector<std::string> migrated;

 private:
  Async<void> execute(const Context& ctx);
  Async<void> stats(const Context& ctx);
  Async<void> list(const Context& ctx);
  Async<void> each(const Context& ctx);
  Async<void> redrive_kind(const Context& ctx);
  Async<void> pause(const Context& ctx);
  Async<void> prune(const Context& ctx);
  Async<void> backup(const Context& ctx);
  Async<void> verify(const Context& ctx);
  Async<void> migrate(const Context& ctx);
  Async<int> verify_audit(const Context& ctx);
  Async<void> note(const Context& ctx, const std::string& object, const std::string& detail);
  void print(std::string json) { printed += std::move(json) + '\n'; }
  void print_count(std::string_view what, std::int64_t count);

  OpenedStore& store_;
  const CommandLine& line_;
  const std::string audit_key_;
};

}  // namespace aiserve::jobs_tool
