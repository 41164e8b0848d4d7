// DirectModel: a TorchScript file with one input and one output called by hand on rows that lie
// ready in one block, one thread, nothing around it: the floor.
#pragma once

#include <aiserve/core/tensor.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class DirectModel {
 public:
  /// Frozen and optimised for inference, as TorchModel does it. One intra-op thread. The rows are
  /// all of one shape and type; they are used in turn.
  DirectModel(const std::string& path, const std::vector<aiserve::Tensor>& rows);
  ~DirectModel();
  DirectModel(const DirectModel&) = delete;
  DirectModel& operator=(const DirectModel&) = delete;

  /// The next `count` rows; copies the output out.
  void run(std::size_t count);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench
