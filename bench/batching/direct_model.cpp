#include "batching/direct_model.hpp"

#include <cstring>

#include <ATen/Parallel.h>
#include <torch/script.h>

namespace bench {

using aiserve::DType;
using aiserve::Tensor;

struct DirectModel::Impl {
  torch::jit::Module module;
  at::Tensor rows;
  std::int64_t next = 0;
  std::vector<float> output;
};

namespace {

constexpr std::int64_t kLargestBatch = 256;

at::Tensor block_of(const std::vector<Tensor>& rows) {
  // As many as the largest batch needs and then some, so that batches begin in different places.
  std::vector<std::int64_t> shape{2 * kLargestBatch};
  for (const std::int64_t dim : rows.front().shape().dims()) shape.push_back(dim);
  const bool integers = rows.front().dtype() == DType::i64;
  at::Tensor block = at::empty(shape, integers ? at::kLong : at::kFloat);
  const std::size_t bytes = rows.front().payload().size();
  auto* to = static_cast<std::byte*>(block.data_ptr());
  for (std::int64_t i = 0; i < 2 * kLargestBatch; ++i, to += bytes) {
    const Tensor& row = rows[static_cast<std::size_t>(i) % rows.size()];
    std::memcpy(to, row.payload().data(), bytes);
  }
  return block;
}

}  // namespace

DirectModel::DirectModel(const std::string& path, const std::vector<Tensor>& rows)
    : impl_(std::make_unique<Impl>()) {
  at::set_num_threads(1);
  torch::jit::Module module = torch::jit::load(path);
  module.eval();
  impl_->module = torch::jit::optimize_for_inference(module);
  impl_->rows = block_of(rows);
}

DirectModel::~DirectModel() = default;

void DirectModel::run(std::size_t count) {
  const c10::InferenceMode no_gradients;
  const auto batch = static_cast<std::int64_t>(count);
  if (impl_->next + batch > impl_->rows.size(0)) impl_->next = 0;
  const at::Tensor input = impl_->rows.narrow(0, impl_->next, batch);
  impl_->next += batch;
  const at::Tensor result = impl_->module.forward({input}).toTensor().contiguous();
  impl_->output.resize(static_cast<std::size_t>(result.numel()));
  std::memcpy(impl_->output.data(), result.data_ptr<float>(), result.nbytes());
}

}  // namespace bench
