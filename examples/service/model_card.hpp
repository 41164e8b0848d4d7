/// What GET /v1/info tells: which model answers, how good it was when it was measured, on what it
/// runs.
/// *Thread safety:* free functions without shared state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace service {

/// What main knows about the parts it has made.
struct Deployment {
  std::string model_file;
  std::string model_sha256;
  std::string blas;
  int instances = 0;
  std::size_t max_batch = 0;
};

/// `side_car` is the model's JSON side-car as train_fashion writes it; what it doesn't tell is
/// null.
std::string info_json(const Deployment& deployment, std::string_view side_car);

}  // namespace service
