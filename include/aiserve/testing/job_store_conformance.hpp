/// What every job store has to do, as cases that any test framework can run; see
/// store_conformance.hpp. The store is a JobStore and a JobReader, and a JobOperator if it can be
/// controlled as a whole; each case wants it empty.
/// *Thread safety:* as the store.
///
///     for (const auto& one : testing::job_store_cases()) {
///       const Result<void> held = block_on(runtime, one.run(Context::background(), jobs, pass));
///       CHECK_MESSAGE(held.ok(), one.name, held.error().message());
///     }
#pragma once

#include <aiserve/jobs/job_operator.hpp>
#include <aiserve/jobs/job_reader.hpp>
#include <aiserve/jobs/job_store.hpp>
#include <aiserve/testing/store_conformance.hpp>

namespace aiserve::inline v0::testing {

/// The sides of one store.
struct JobStoreSides {
  JobStore& store;
  JobReader& reader;
  JobOperator* operations = nullptr;  ///< for job_operator_cases()
};

std::span<const StoreCase<JobStoreSides>> job_store_cases() noexcept;
std::span<const StoreCase<JobStoreSides>> job_operator_cases() noexcept;

}  // namespace aiserve::inline v0::testing
