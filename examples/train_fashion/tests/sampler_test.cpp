#include "train_fashion/sampler.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <doctest/doctest.h>

using namespace fashion;

namespace {

/// Image i has label i and is black but for its top left pixel.
Dataset marked_images(std::size_t count) {
  Dataset dataset{std::vector<std::uint8_t>(count * kPixels), {}};
  for (std::size_t i = 0; i < count; ++i) {
    dataset.pixels[i * kPixels] = 255;
    dataset.labels.push_back(static_cast<std::uint8_t>(i));
  }
  return dataset;
}

}  // namespace

TEST_CASE("every image is drawn once per epoch, in another order each time") {
  const Dataset dataset = marked_images(9);
  Sampler sampler(dataset, 3, 1);
  REQUIRE(sampler.batches_per_epoch() == 3);
  std::set<std::vector<std::int64_t>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<std::int64_t> order;
    for (int batch = 0; batch < 3; ++batch) {
      const auto& labels = sampler.next().labels;
      order.insert(order.end(), labels.begin(), labels.end());
    }
    orders.insert(order);
    std::ranges::sort(order);
    CHECK(order == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8});
  }
  CHECK(orders.size() > 1);
}

TEST_CASE("what does not fill a batch is left out of the epoch") {
  const Dataset dataset = marked_images(8);
  Sampler sampler(dataset, 3, 1);
  CHECK(sampler.batches_per_epoch() == 2);
  std::set<std::int64_t> seen;
  for (int batch = 0; batch < 2; ++batch)
    for (const std::int64_t label : sampler.next().labels) CHECK(seen.insert(label).second);
  CHECK(seen.size() == 6);
}

TEST_CASE("images are mirrored about every other time, with values from 0 to 1") {
  const Dataset dataset = marked_images(1);
  Sampler sampler(dataset, 1, 1);
  int mirrored = 0;
  for (int i = 0; i < 200; ++i) {
    const auto& image = sampler.next().images;
    REQUIRE(std::ranges::count(image, 1.0F) == 1);
    REQUIRE(std::ranges::count(image, 0.0F) == kPixels - 1);
    REQUIRE((image[0] == 1.0F) != (image[kSide - 1] == 1.0F));
    if (image[kSide - 1] == 1.0F) ++mirrored;
  }
  CHECK(mirrored > 60);
  CHECK(mirrored < 140);
}

TEST_CASE("the same seed draws the same batches and another seed does not") {
  const Dataset dataset = marked_images(32);
  Sampler first(dataset, 32, 7);
  Sampler same(dataset, 32, 7);
  Sampler other(dataset, 32, 8);
  const TrainingBatch batch = first.next();
  CHECK(same.next().images == batch.images);
  CHECK(same.next().labels != batch.labels);
  CHECK(other.next().labels != batch.labels);
}
