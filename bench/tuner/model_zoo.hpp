// The models that can be measured, each with inputs to feed it.
#pragma once

#include <aiserve/serving/model.hpp>

#include <memory>
#include <vector>

#include "tuner/model_spec.hpp"

namespace aiserve::inline v0 {
class Telemetry;
}

namespace tuner {

struct ZooOptions {
  int instances = 1;
  int threads = 1;               // inside one instance; TorchScript only
  std::size_t row_bytes = 3072;  // of null, sleep and spin
  std::size_t inputs = 256;
};

struct Zoo {
  std::unique_ptr<aiserve::Model> model;
  std::vector<aiserve::TensorSet> inputs;
};

/// Throws UsageError, or aiserve::ConfigError when the model's file is not what it should be.
Zoo make_model(const ModelSpec& spec, const ZooOptions& options, aiserve::Telemetry& telemetry);

/// Keeps the calling thread's core busy: CPU time, so that a thread that is preempted meanwhile has
/// not computed.
void spin(Nanos nanos) noexcept;

/// Pseudo-random rows for a signature, always the same: floats in [0, 1), integers 0 to 9,
/// lengths that the signature leaves open 32.
std::vector<aiserve::TensorSet> random_inputs(const aiserve::Signature& signature,
                                              std::size_t count);

}  // namespace tuner
