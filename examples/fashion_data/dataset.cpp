#include "dataset.hpp"

#include <algorithm>
#include <string>

namespace fashion {
namespace {

namespace fs = std::filesystem;

/// `name` with .gz if that is there or nothing is, so that an error names the usual file.
fs::path data_file(const fs::path& folder, const std::string& name) {
  const fs::path compressed = folder / (name + ".gz");
  const fs::path plain = folder / name;
  return !fs::exists(compressed) && fs::exists(plain) ? plain : compressed;
}

void check_folder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return;
  std::string message = folder.string() + ": no such folder";
  if (folder == default_folder()) message += "; install the package dataset-fashion-mnist";
  throw DataError(message);
}

std::vector<std::uint8_t> read_images(const fs::path& file) {
  IdxArray array = read_idx(file);
  if (array.dims.size() != 3 || array.dims[1] != kSide || array.dims[2] != kSide)
    throw DataError(file.string() + ": holds no images of 28 x 28 pixels");
  return std::move(array.values);
}

std::vector<std::uint8_t> read_labels(const fs::path& file) {
  IdxArray array = read_idx(file);
  if (array.dims.size() != 1) throw DataError(file.string() + ": holds no list of labels");
  if (std::ranges::any_of(array.values, [](std::uint8_t label) { return label >= kClasses; }))
    throw DataError(file.string() + ": holds a label above 9");
  return std::move(array.values);
}

}  // namespace

fs::path default_folder() { return "/usr/share/datasets/fashion-mnist"; }

Dataset load(const fs::path& folder, Split split, std::size_t limit) {
  check_folder(folder);
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const fs::path images = data_file(folder, prefix + "-images-idx3-ubyte");
  const fs::path labels = data_file(folder, prefix + "-labels-idx1-ubyte");

  Dataset dataset{read_images(images), read_labels(labels)};
  const std::size_t count = dataset.pixels.size() / kPixels;
  if (count != dataset.size())
    throw DataError(labels.string() + ": has " + std::to_string(dataset.size()) + " labels for " +
                    std::to_string(count) + " images");
  if (limit < count) {
    dataset.pixels.resize(limit * kPixels);
    dataset.labels.resize(limit);
  }
  return dataset;
}

}  // namespace fashion
