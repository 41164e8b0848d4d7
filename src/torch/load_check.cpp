#include "torch/load_check.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "torch/model_file.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kMaxSampleFile = std::size_t{1} << 30U;

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

// The rows of one input or output, in a slab of its own: a row's bytes need not be a multiple
// of 64.
struct Rows {
  Shape shape;
  MutableBytes bytes;
};

// Dimensions of any length get `length`.
std::vector<Rows> slabs(const std::vector<TensorSpec>& specs, std::size_t rows,
                        std::int64_t length) {
  std::vector<Rows> slabs;
  for (const TensorSpec& spec : specs) {
    const auto of_spec = spec.shape().dims();
    std::vector<std::int64_t> dims(of_spec.begin(), of_spec.end());
    std::ranges::replace(dims, -1, length);
    dims.front() = static_cast<std::int64_t>(rows);
    const Shape shape = Shape::make(dims).value();
    slabs.push_back({shape, MutableBytes(shape.elements().value() * size_of(spec.dtype()))});
  }
  return slabs;
}

Result<void> run(ScriptModule& module, std::vector<Rows>& inputs, std::vector<Rows>& outputs) {
  std::vector<InputSlab> in;
  std::vector<OutputSlab> out;
  for (Rows& rows : inputs) in.push_back({rows.shape, rows.bytes.span()});
  for (Rows& rows : outputs) out.push_back({rows.shape, rows.bytes.span()});
  Result<void> ran = module.forward(in, out);
  if (ran) return ran;
  return invalid(ran.error().message() + ": " + ran.error().detail());
}

// The file's bytes, cut into a slab per tensor.
Result<std::vector<Rows>> read_slabs(const std::vector<TensorSpec>& specs, const Sample& sample,
                                     const std::string& path) {
  const Result<Bytes> file = read_file(path, kMaxSampleFile);
  if (!file) return file.error();
  std::vector<Rows> blocks = slabs(specs, sample.rows, sample.length);
  std::size_t expected = 0;
  for (const Rows& block : blocks) expected += block.bytes.size();
  if (file->size() != expected) {
    return invalid(path + " has " + std::to_string(file->size()) + " bytes, " +
                   std::to_string(sample.rows) + " rows are " + std::to_string(expected));
  }
  const std::byte* next = file->data();
  for (Rows& block : blocks) {
    std::copy_n(next, block.bytes.size(), block.bytes.data());
    next += block.bytes.size();
  }
  return blocks;
}

}  // namespace

// Two sizes, because a traced module may have taken the batch or the length of its example for a
// constant.
Result<void> check_zeros(ScriptModule& module, const Signature& signature, std::int64_t length) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{2}}) {
    const std::int64_t longer = length + static_cast<std::int64_t>(rows) - 1;
    std::vector<Rows> inputs = slabs(signature.inputs, rows, longer);
    std::vector<Rows> outputs = slabs(signature.outputs, rows, longer);
    for (Rows& block : inputs) std::ranges::fill(block.bytes.span(), std::byte{0});
    if (Result<void> ran = run(module, inputs, outputs); !ran) {
      return invalid("a batch of " + std::to_string(rows) + " zeros: " + ran.error().message());
    }
  }
  return success();
}

Result<bool> check_sample(ScriptModule& module, const Signature& signature, const Sample& sample,
                          const std::string& folder, double tolerance) {
  if (signature.variable() && sample.length == 0) {
    return invalid("\"length\" is missing: the signature has dimensions of any length");
  }
  const std::filesystem::path beside(folder);
  Result<std::vector<Rows>> inputs =
      read_slabs(signature.inputs, sample, (beside / sample.input_file).string());
  Result<std::vector<Rows>> expected =
      read_slabs(signature.outputs, sample, (beside / sample.output_file).string());
  for (const auto* read : {&inputs, &expected}) {
    if (read->ok()) continue;
    if (read->error().code() == Errc::not_found) return false;
    return read->error();
  }

  std::vector<Rows> outputs = slabs(signature.outputs, sample.rows, sample.length);
  if (Result<void> ran = run(module, *inputs, outputs); !ran) return ran.error();
  tolerance = std::max(tolerance, sample.tolerance);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorSpec& spec = signature.outputs[i];
    const double over =
        excess(spec.dtype(), outputs[i].bytes.span(), (*expected)[i].bytes.span(), tolerance);
    if (over <= 0) continue;
    return invalid("output '" + spec.name() + "' differs from the expected one by more than " +
                   std::to_string(tolerance) +
                   " (try .optimize_for_inference = false, then .freeze = false)");
  }
  return true;
}

}  // namespace aiserve::inline v0::detail
