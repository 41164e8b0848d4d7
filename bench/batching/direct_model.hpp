// DirectModel: a TorchScript file called by hand, one thread, nothing around it: the floor.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace bench {

class DirectModel {
 public:
  /// Frozen and optimised for inference, as TorchModel does it. One intra-op thread.
  explicit DirectModel(const std::string& path);
  ~DirectModel();
  DirectModel(const DirectModel&) = delete;
  DirectModel& operator=(const DirectModel&) = delete;

  /// `rows` images of 28 x 28 in `input`, one after the other; 10 numbers each into `output`.
  void run(std::span<const float> input, std::size_t rows, std::span<float> output);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench
