#include "torch/load_check.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "torch/model_file.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::size_t kMaxSampleFile = std::size_t{1} << 30U;

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

// Slabs of their own for each input or output: a row's bytes need not be a multiple of 64.
std::vector<MutableBytes> slabs(const std::vector<TensorSpec>& specs, std::size_t rows) {
  std::vector<MutableBytes> blocks;
  for (const TensorSpec& spec : specs) blocks.emplace_back(rows * spec.row_bytes());
  return blocks;
}

Result<void> run(ScriptModule& module, std::size_t rows, std::vector<MutableBytes>& inputs,
                 std::vector<MutableBytes>& outputs) {
  std::vector<ByteView> in;
  std::vector<std::span<std::byte>> out;
  for (MutableBytes& block : inputs) in.emplace_back(block.span());
  for (MutableBytes& block : outputs) out.push_back(block.span());
  Result<void> ran = module.forward(rows, in, out);
  if (ran) return ran;
  return invalid(ran.error().message() + ": " + ran.error().detail());
}

// The file's bytes, cut into a slab per tensor.
Result<std::vector<MutableBytes>> read_slabs(const std::vector<TensorSpec>& specs, std::size_t rows,
                                             const std::string& path) {
  const Result<Bytes> file = read_file(path, kMaxSampleFile);
  if (!file) return file.error();
  std::vector<MutableBytes> blocks = slabs(specs, rows);
  std::size_t expected = 0;
  for (const MutableBytes& block : blocks) expected += block.size();
  if (file->size() != expected) {
    return invalid(path + " has " + std::to_string(file->size()) + " bytes, " +
                   std::to_string(rows) + " rows are " + std::to_string(expected));
  }
  const std::byte* next = file->data();
  for (MutableBytes& block : blocks) {
    std::copy_n(next, block.size(), block.data());
    next += block.size();
  }
  return blocks;
}

}  // namespace

// Two sizes, because a traced module may have taken the batch of its example for a constant.
Result<void> check_zeros(ScriptModule& module, const Signature& signature) {
  for (const std::size_t rows : {std::size_t{1}, std::size_t{2}}) {
    std::vector<MutableBytes> inputs = slabs(signature.inputs, rows);
    std::vector<MutableBytes> outputs = slabs(signature.outputs, rows);
    for (MutableBytes& block : inputs) std::ranges::fill(block.span(), std::byte{0});
    if (Result<void> ran = run(module, rows, inputs, outputs); !ran) {
      return invalid("a batch of " + std::to_string(rows) + " zeros: " + ran.error().message());
    }
  }
  return success();
}

Result<bool> check_sample(ScriptModule& module, const Signature& signature, const Sample& sample,
                          const std::string& folder) {
  const std::filesystem::path beside(folder);
  Result<std::vector<MutableBytes>> inputs =
      read_slabs(signature.inputs, sample.rows, (beside / sample.input_file).string());
  Result<std::vector<MutableBytes>> expected =
      read_slabs(signature.outputs, sample.rows, (beside / sample.output_file).string());
  for (const auto* read : {&inputs, &expected}) {
    if (read->ok()) continue;
    if (read->error().code() == Errc::not_found) return false;
    return read->error();
  }

  std::vector<MutableBytes> outputs = slabs(signature.outputs, sample.rows);
  if (Result<void> ran = run(module, sample.rows, *inputs, outputs); !ran) return ran.error();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorSpec& spec = signature.outputs[i];
    const double over =
        excess(spec.dtype(), outputs[i].span(), (*expected)[i].span(), sample.tolerance);
    if (over <= 0) continue;
    return invalid("output '" + spec.name() + "' differs from the expected one by more than " +
                   std::to_string(sample.tolerance) +
                   " (try .optimize_for_inference = false, then .freeze = false)");
  }
  return true;
}

}  // namespace aiserve::inline v0::detail
