#include "pixels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace service {
namespace {

/// value / 255, exactly as the training computed it.
constexpr std::array<float, 256> kGrey = [] {
  std::array<float, 256> grey{};
  for (std::size_t i = 0; i < grey.size(); ++i) grey[i] = static_cast<float>(i) / 255.0F;
  return grey;
}();

}  // namespace

aiserve::Tensor to_tensor(Pixels pixels) {
  aiserve::MutableBytes block(pixels.size() * sizeof(float));
  std::byte* out = block.data();
  for (const std::uint8_t pixel : pixels) {
    std::memcpy(out, &kGrey[pixel], sizeof(float));
    out += sizeof(float);
  }
  constexpr auto kSide = static_cast<std::int64_t>(fashion::kSide);
  return aiserve::Tensor::make(aiserve::DType::f32, {1, kSide, kSide}, std::move(block).freeze())
      .value();
}

std::size_t most_likely(const aiserve::Tensor& probabilities) {
  const std::span<const float> values = probabilities.data<float>();
  const bool numbers =
      std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  if (values.size() != fashion::kClasses || !numbers) return fashion::kClasses;
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace service
