#include "aiserve/serving/signature.hpp"

#include <algorithm>
#include <set>

namespace aiserve::inline v0 {
namespace {

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

// The fixed dimensions alone must not exceed what a row may have.
Result<void> check_size(const TensorSpec& spec) {
  constexpr std::size_t kMaxFixedRow = std::size_t{1} << 31U;
  const bool variable = spec.variable_dims() != 0;
  const std::size_t limit = variable ? TensorSpec::kMaxVariableRow : kMaxFixedRow;
  std::size_t bytes = size_of(spec.dtype());
  for (const std::int64_t dim : spec.shape().dims().subspan(1)) {
    const auto size = static_cast<std::size_t>(dim == -1 ? 1 : dim);
    if (size > limit / bytes) {
      return invalid("'" + spec.name() + "': over " + std::to_string(limit >> 20U) + " MiB a row");
    }
    bytes *= size;
  }
  return success();
}

Result<void> check_spec(const TensorSpec& spec) {
  const std::string name = "'" + spec.name() + "'";
  if (spec.name().empty()) return invalid("an input or output has no name");
  if (spec.dtype() == DType::string) return invalid(name + " is a string tensor: not supported");
  if (spec.shape().rank() == 0 || spec.shape()[0] != -1) {
    return invalid(name + ": the first dimension must be -1 (the batch), not " +
                   spec.shape().to_string());
  }
  const Shape row = spec.row_shape();
  const auto dims = row.dims();
  if (!std::all_of(dims.begin(), dims.end(), [](std::int64_t d) { return d > 0 || d == -1; })) {
    return invalid(name + ": the dimensions of a row must be -1 or above 0, not " +
                   spec.shape().to_string());
  }
  return check_size(spec);
}

// As a model may derive output sizes from input sizes only in the way the header says.
Result<void> check_variable_outputs(const Signature& signature) {
  const auto leader = std::ranges::find_if(
      signature.inputs, [](const TensorSpec& spec) { return spec.variable_dims() != 0; });
  const std::size_t known = leader == signature.inputs.end() ? 0 : leader->variable_dims();
  for (const TensorSpec& spec : signature.outputs) {
    if (spec.variable_dims() <= known) continue;
    return invalid("'" + spec.name() + "': no input says how long its dimensions of -1 are");
  }
  return success();
}

bool fits(std::int64_t size, std::int64_t expected) noexcept {
  return expected == -1 ? size >= 1 : size == expected;
}

}  // namespace

std::size_t TensorSpec::variable_dims() const noexcept {
  const auto row = shape_.dims().subspan(std::min<std::size_t>(shape_.rank(), 1));
  return static_cast<std::size_t>(std::ranges::count(row, -1));
}

std::size_t TensorSpec::row_bytes() const noexcept {
  const Result<std::size_t> elements = row_shape().elements();
  return elements ? *elements * size_of(dtype_) : 0;
}

Result<void> TensorSpec::check_row(const Tensor& tensor) const {
  const auto expected = shape_.dims().subspan(std::min<std::size_t>(shape_.rank(), 1));
  const auto given = tensor.shape().dims();
  const bool leading_one = given.size() == expected.size() + 1 && given.front() == 1;
  const auto row = leading_one ? given.subspan(1) : given;
  if (tensor.dtype() != dtype_ || !std::ranges::equal(row, expected, fits)) {
    return invalid("input '" + name_ + "' must be " + std::string(aiserve::to_string(dtype_)) +
                   " " + row_shape().to_string() + ", not " +
                   std::string(aiserve::to_string(tensor.dtype())) + " " +
                   tensor.shape().to_string());
  }
  if (tensor.payload().size() > kMaxVariableRow && variable_dims() != 0) {
    return Error(Errc::too_large, "input '" + name_ + "' has over " +
                                      std::to_string(kMaxVariableRow >> 20U) + " MiB");
  }
  return success();
}

std::string TensorSpec::to_string() const {
  return name_ + ": " + std::string(aiserve::to_string(dtype_)) + " " + shape_.to_string();
}

Result<void> Signature::validate() const {
  if (inputs.empty() || outputs.empty()) return invalid("a signature needs inputs and outputs");
  for (const auto* side : {&inputs, &outputs}) {
    std::set<std::string_view> names;
    for (const TensorSpec& spec : *side) {
      if (Result<void> checked = check_spec(spec); !checked) return checked;
      if (!names.insert(spec.name()).second) return invalid("'" + spec.name() + "' is there twice");
    }
  }
  return check_variable_outputs(*this);
}

bool Signature::variable() const noexcept {
  return std::ranges::any_of(inputs,
                             [](const TensorSpec& spec) { return spec.variable_dims() != 0; });
}

std::string Signature::to_string() const {
  std::string text;
  const auto list = [&text](const std::vector<TensorSpec>& specs) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      text += (i == 0 ? "" : ", ") + specs[i].to_string();
    }
  };
  text += "(";
  list(inputs);
  text += ") -> (";
  list(outputs);
  return text + ")";
}

}  // namespace aiserve::inline v0
