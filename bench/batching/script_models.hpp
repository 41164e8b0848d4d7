// The real models of bench batching: architectures as they are used, weights at random (speed does
// not depend on them), written as TorchScript files with side-cars when first asked for.
#pragma once

#include <string>

namespace bench {

struct ScriptModels {
  std::string mlp;           // 784-512-512-10, float rows
  std::string convolutions;  // residual net, 3 x 224 x 224, 32 to 256 channels
  std::string encoder128;    // transformer encoder, 6 layers, d 384, 128 token ids
  std::string encoder;       // 2 layers, d 128, token ids of any length; id 0 is padding
};

/// In a temporary folder that goes away with the process. Throws std::runtime_error.
const ScriptModels& script_models();

}  // namespace bench
