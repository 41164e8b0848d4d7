#include "aiserve/serving/signature.hpp"

#include <algorithm>
#include <set>

namespace aiserve::inline v0 {
namespace {

Error invalid(std::string message) { return Error(Errc::invalid_argument, std::move(message)); }

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
  if (!std::all_of(dims.begin(), dims.end(), [](std::int64_t d) { return d > 0; })) {
    return invalid(name + ": the dimensions of a row must be fixed and above 0, not " +
                   spec.shape().to_string());
  }
  const Result<std::size_t> elements = row.elements();
  if (!elements) return elements.error();
  constexpr std::size_t kMaxRowBytes = std::size_t{1} << 31;
  if (*elements > kMaxRowBytes / size_of(spec.dtype())) return invalid(name + ": over 2 GiB a row");
  return success();
}

}  // namespace

std::size_t TensorSpec::row_bytes() const noexcept {
  const Result<std::size_t> elements = row_shape().elements();
  return elements ? *elements * size_of(dtype_) : 0;
}

Result<void> TensorSpec::check_row(const Tensor& tensor) const {
  const Shape row = row_shape();
  const bool one_row = tensor.shape().rank() == row.rank() + 1 && tensor.shape()[0] == 1 &&
                       tensor.shape().without_first() == row;
  if (tensor.dtype() == dtype_ && (tensor.shape() == row || one_row)) return success();
  return invalid("input '" + name_ + "' must be " + std::string(aiserve::to_string(dtype_)) + " " +
                 row.to_string() + ", not " + std::string(aiserve::to_string(tensor.dtype())) +
                 " " + tensor.shape().to_string());
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
  return success();
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
