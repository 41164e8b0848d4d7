// TorchScript models of the zoo; only in builds with libtorch.
#pragma once

#include <string>

#include "tuner/model_zoo.hpp"

namespace tuner {

Zoo torch_model(const ModelSpec& spec, const ZooOptions& options, aiserve::Telemetry& telemetry);

/// Where scripts/demo and scripts/bench keep the model they train.
std::string default_fashion_model();

}  // namespace tuner
