/// Fashion-MNIST: 70,000 grey images of garments, 28 x 28 pixels, in ten classes.
///
/// By Zalando Research (https://github.com/zalandoresearch/fashion-mnist, MIT License). Debian
/// ships it as the package dataset-fashion-mnist. Garments are light on a black ground: 0 is black.
/// *Errors:* DataError with one line, when a file is missing, damaged or holds something else.
/// *Thread safety:* Dataset is a value; a const one may be read by any number of threads.
///
///     const Dataset held_out = load(default_folder(), Split::held_out);
///     held_out.image(0);                // 784 pixels
///     kLabels[held_out.labels[0]];      // "Ankle boot"
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "idx.hpp"

namespace fashion {

inline constexpr std::size_t kSide = 28;
inline constexpr std::size_t kPixels = kSide * kSide;
inline constexpr std::size_t kClasses = 10;
inline constexpr std::array<std::string_view, kClasses> kLabels = {
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

enum class Split {
  train,     ///< 60,000 images to learn from
  held_out,  ///< 10,000 images to measure with, never learnt from
};

struct Dataset {
  std::vector<std::uint8_t> pixels;  ///< kPixels per image, row by row
  std::vector<std::uint8_t> labels;  ///< 0 to kClasses - 1, one per image

  std::size_t size() const { return labels.size(); }
  /// `index` < size().
  std::span<const std::uint8_t, kPixels> image(std::size_t index) const {
    return std::span<const std::uint8_t, kPixels>(pixels.data() + index * kPixels, kPixels);
  }
};

/// Where Debian's package puts the files.
std::filesystem::path default_folder();

/// Reads the two files of a split from `folder`, the first `limit` images of it.
Dataset load(const std::filesystem::path& folder, Split split,
             std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace fashion
