/// Draws training batches: every image once per epoch, in a new order each time, half of them
/// mirrored (all shoes of the data set point left; those that people draw do not).
///
/// The same seed gives the same batches. What is left over when the images do not fill the last
/// batch of an epoch is left out.
/// *Thread safety:* one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "fashion_data/dataset.hpp"

namespace fashion {

struct TrainingBatch {
  std::vector<float> images;         ///< kPixels per image, 0 to 1
  std::vector<std::int64_t> labels;  ///< one per image
};

/// One row of a model's input: 0 to 255 becomes 0 to 1.
void to_input(std::span<const std::uint8_t, kPixels> image, float* out);

class Sampler {
 public:
  /// `dataset` outlives the sampler and holds at least `batch_size` images.
  Sampler(const Dataset& dataset, std::size_t batch_size, std::uint64_t seed);

  std::size_t batches_per_epoch() const { return order_.size() / batch_.labels.size(); }
  /// Valid until the next call.
  const TrainingBatch& next();

 private:
  void fill(std::size_t row, std::size_t index);

  const Dataset& dataset_;
  std::vector<std::size_t> order_;
  std::size_t position_ = 0;
  TrainingBatch batch_;
  std::mt19937_64 random_;
};

}  // namespace fashion
