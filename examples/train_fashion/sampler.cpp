#include "sampler.hpp"

#include <algorithm>
#include <numeric>

namespace fashion {

void to_input(std::span<const std::uint8_t, kPixels> image, float* out) {
  std::ranges::transform(image, out, [](std::uint8_t v) { return static_cast<float>(v) / 255.0F; });
}

Sampler::Sampler(const Dataset& dataset, std::size_t batch_size, std::uint64_t seed)
    : dataset_(dataset),
      order_(dataset.size()),
      batch_{std::vector<float>(batch_size * kPixels), std::vector<std::int64_t>(batch_size)},
      random_(seed) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
}

const TrainingBatch& Sampler::next() {
  if (position_ == 0) std::ranges::shuffle(order_, random_);
  for (std::size_t row = 0; row < batch_.labels.size(); ++row) fill(row, order_[position_ + row]);
  position_ += batch_.labels.size();
  if (position_ + batch_.labels.size() > order_.size()) position_ = 0;
  return batch_;
}

void Sampler::fill(std::size_t row, std::size_t index) {
  float* const image = batch_.images.data() + row * kPixels;
  to_input(dataset_.image(index), image);
  batch_.labels[row] = dataset_.labels[index];
  if ((random_() & 1) != 0)
    for (std::size_t y = 0; y < kSide; ++y)
      std::reverse(image + y * kSide, image + (y + 1) * kSide);
}

}  // namespace fashion
