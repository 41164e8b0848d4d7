#include "serving/row_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>

namespace aiserve::inline v0::detail {
namespace {

// What rounding may do to values around 1, whatever the largest is.
constexpr double kNoise = 1e-6;

bool is_float(DType dtype) noexcept {
  return dtype == DType::f16 || dtype == DType::bf16 || dtype == DType::f32 || dtype == DType::f64;
}

double tolerance_for(DType dtype, double tolerance) noexcept {
  if (dtype == DType::bf16) return std::max(tolerance, 2e-2);
  if (dtype == DType::f16) return std::max(tolerance, 5e-3);
  return tolerance;
}

Tensor random_tensor(const TensorSpec& spec, std::int64_t length, std::mt19937& random) {
  std::vector<std::int64_t> dims;
  for (const std::int64_t dim : spec.shape().dims().subspan(1)) {
    dims.push_back(dim == -1 ? length : dim);
  }
  const Shape shape = Shape::make(dims).value();
  const std::size_t size = size_of(spec.dtype());
  MutableBytes block(shape.elements().value() * size);
  for (std::size_t at = 0; at < block.size(); at += size) {
    // By hand: what std's distributions make of a seed differs between libraries.
    const auto bits = static_cast<std::uint32_t>(random() >> 8U);
    const double value = is_float(spec.dtype()) ? bits * 0x1p-24 : bits & 1U;
    const Element element = *encode_element(spec.dtype(), value);
    std::memcpy(block.data() + at, element.bytes.data(), size);
  }
  return Tensor::make(spec.dtype(), shape, std::move(block).freeze()).value();
}

void fill_row(TensorRow& row, const ShapeRules& rules, std::int64_t length, std::mt19937& random) {
  const auto& specs = rules.signature().inputs;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (i == rules.mask()) continue;
    Tensor tensor = random_tensor(specs[i], length, random);
    if (rules.request_index(i) == 0) {
      row.input = std::move(tensor);
    } else {
      row.more_inputs.push_back(std::move(tensor));
    }
  }
}

// The outputs are then in the rows.
Result<void> run(ModelInstance& instance, BatchBuilder& builder,
                 std::span<TensorRow* const> rows) noexcept {
  Result<void> ran;
  try {
    ran = instance.run(builder.gather(rows));
  } catch (...) {
    ran = error_from_current_exception();
  }
  builder.scatter(rows, ran);
  if (!rows.front()->output) return rows.front()->output.error();
  return success();
}

bool same(const Tensor& with_other, const Tensor& alone, double tolerance) {
  if (with_other.shape() != alone.shape()) return false;
  const std::size_t size = size_of(alone.dtype());
  const auto value = [size](const Tensor& tensor, std::size_t i) {
    return decode_element(tensor.dtype(), tensor.payload().data() + i * size);
  };
  double scale = 0;
  for (std::size_t i = 0; i < alone.elements(); ++i) {
    if (std::isfinite(value(alone, i))) scale = std::max(scale, std::fabs(value(alone, i)));
  }
  const double allowed = tolerance_for(alone.dtype(), tolerance) * scale + kNoise;
  for (std::size_t i = 0; i < alone.elements(); ++i) {
    const double a = value(with_other, i);
    const double b = value(alone, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (!(std::fabs(a - b) <= allowed)) return false;
  }
  return true;
}

}  // namespace

Result<void> check_rows(ModelInstance& instance, const Signature& signature, BatchBuilder& builder,
                        const RowCheck& check) {
  const ShapeRules& rules = builder.rules();
  const auto& edges = rules.options().edges;
  const std::int64_t longest = edges.empty() ? check.length : std::min(check.length, edges.back());
  const bool alike = rules.mode() == ShapeMode::exact;
  const std::int64_t shorter = alike ? longest : std::max<std::int64_t>(1, longest * 3 / 4);

  std::mt19937 random(1);
  TensorRow x, y, solo;
  fill_row(x, rules, shorter, random);
  fill_row(y, rules, longest, random);
  solo.input = x.input;
  solo.more_inputs = x.more_inputs;

  const std::array<TensorRow*, 1> one{&solo};
  if (!run(instance, builder, one)) return success();
  const std::array<TensorRow*, 2> two{&x, &y};
  if (Result<void> ran = run(instance, builder, two); !ran) {
    return Error(Errc::internal, "a batch of two random rows: " + ran.error().message())
        .with_detail(ran.error().detail());
  }
  for (std::size_t i = 0; i < signature.outputs.size(); ++i) {
    const Tensor& together = i == 0 ? *x.output : x.more_outputs[i - 1];
    const Tensor& alone = i == 0 ? *solo.output : solo.more_outputs[i - 1];
    if (same(together, alone, check.tolerance)) continue;
    return Error(Errc::internal, "output '" + signature.outputs[i].name() +
                                     "' of a row depends on the other rows of its batch" +
                                     (alike || rules.fixed() ? "" : ", or on padding"));
  }
  return success();
}

}  // namespace aiserve::inline v0::detail
