// OpenedStore: a store of jobs by its DSN, with all that an operator does to it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/runtime.hpp"
#include "aiserve/jobs/job_operator.hpp"
#include "aiserve/jobs/job_reader.hpp"
#include "aiserve/storage/audit_sink.hpp"

namespace aiserve::jobs_tool {

class OpenedStore {
 public:
  virtual ~OpenedStore() = default;
  virtual JobReader& reader() = 0;
  virtual JobOperator& operations() = 0;
  virtual AuditLog& audit() = 0;
  /// Errors: unimplemented, where the store has better tools for it.
  virtual Async<void> backup(const Context& ctx, const std::string& file) = 0;
  virtual Async<void> verify(const Context& ctx, bool full) = 0;
  /// Tells services of jobs that became ready, where there is a way: else they find them when they
  /// poll.
  virtual Async<void> wake(const Context& /*ctx*/) { co_return success(); }
};

/// Does not migrate unless told to, and makes no file. Throws ConfigError.
std::unique_ptr<OpenedStore> open_store(Runtime& runtime, const std::string& dsn,
                                        const std::string& audit_key, bool migrate);
/// The names of the steps that its schema lacks. Throws ConfigError.
std::vector<std::string> pending_migrations(const std::string& dsn);

}  // namespace aiserve::jobs_tool
