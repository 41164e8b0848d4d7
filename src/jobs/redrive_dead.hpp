// Redrives dead letters in bulk, for JobQueue and for operators.
#pragma once

#include <string>

#include "aiserve/jobs/job_reader.hpp"

namespace aiserve::inline v0::detail {

struct DeadLetters {
  TenantId tenant;
  std::string kind;  // all versions, or one: "kind@2"
  int limit = 0;
};

// Latest first, past those that others redrove or pruned meanwhile, and past a few whose keys are
// held: if any was, it ends with that error. `redriven`: so many, also if an error ends it.
Async<void> redrive_dead(JobReader& store, const Context& ctx, const DeadLetters& which,
                         int& redriven);

}  // namespace aiserve::inline v0::detail
