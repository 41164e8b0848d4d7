// Small TorchScript files for tests, made on the spot. No libtorch in this header.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aiserve::inline v0::testing {

struct Weight {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Compiles `source`, a "def forward(self, x): ...", and saves it. The weights are noise, always
/// the same.
void save_script(const std::string& path, const std::string& source,
                 const std::vector<Weight>& weights = {});

/// What torch.save makes of a tensor: a zip archive that is no module.
void save_tensor_archive(const std::string& path);

/// What the saved module, not optimised in any way, gives for one float32 input.
std::vector<float> run_script(const std::string& path, const std::vector<std::int64_t>& shape,
                              std::span<const float> input);

/// libtorch's own global answer, which a thread inherits when it first computes.
int threads_of_a_new_thread();

}  // namespace aiserve::inline v0::testing
