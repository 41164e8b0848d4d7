/// Trains a small convolutional network and writes it as TorchScript.
///
/// Two convolutions with stride 2 and two linear layers, 1.6 million weights. Most of the work is a
/// matrix product, whose cost per image falls steeply with the size of the batch.
/// *Errors:* std::exception, when libtorch fails or the exported model disagrees with the trained
/// one. *Thread safety:* one thread; a training sets libtorch and its BLAS to one thread
/// process-wide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "fashion_data/dataset.hpp"

namespace fashion {

struct Recipe {
  int epochs = 5;                ///< passes over the images, at least 1
  std::uint64_t seed = 1;        ///< the same seed gives the same weights on the same machine
  std::size_t batch_size = 128;  ///< images per step, at most as many as there are
};

struct Progress {
  int epoch = 0;  ///< counts from 1
  int epochs = 0;
  std::size_t batch = 0;  ///< finished batches of this epoch
  std::size_t batches = 0;
  double loss = 0;  ///< mean of this epoch so far
};

/// Trains on `train`, writes the model to `file` and returns how many images of `held_out` the
/// written file, loaded again, gets right. `report` is called after every batch.
std::size_t train_model(const Dataset& train, const Dataset& held_out, const Recipe& recipe,
                        const std::filesystem::path& file,
                        const std::function<void(const Progress&)>& report);

/// How many images the TorchScript model in `file` gets right.
std::size_t count_correct(const std::filesystem::path& file, const Dataset& dataset);

/// What multiplies matrices: "OpenBLAS 0.3.21", or empty when it is another library, which may be
/// twenty times slower.
std::string fast_blas();

}  // namespace fashion
