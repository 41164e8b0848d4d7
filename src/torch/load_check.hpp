// What a module must pass before it serves.
#pragma once

#include <cstdint>
#include <string>

#include "aiserve/serving/signature.hpp"
#include "torch/script_module.hpp"
#include "torch/side_car.hpp"

namespace aiserve::inline v0::detail {

// Runs 1 and 2 rows of zeros, with dimensions of any length `length` and a little more. Errors:
// invalid_argument, one line.
Result<void> check_zeros(ScriptModule& module, const Signature& signature, std::int64_t length);

// Runs the sample's rows and compares the outputs: what freezing, optimising and this machine's
// libraries make of the model must be what its author saw, within the sample's tolerance or
// `tolerance` if that is wider. False if the files are not there. Errors: invalid_argument, one
// line.
Result<bool> check_sample(ScriptModule& module, const Signature& signature, const Sample& sample,
                          const std::string& folder, double tolerance);

}  // namespace aiserve::inline v0::detail
