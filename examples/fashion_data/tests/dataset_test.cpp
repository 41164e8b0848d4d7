#include "fashion_data/dataset.hpp"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "idx_files.hpp"
#include "temporary_folder.hpp"

using namespace fashion;
using fashion::testing::idx;
using fashion::testing::TemporaryFolder;
using fashion::testing::write_gz;
using fashion::testing::write_plain;

namespace {

std::string failure(const std::filesystem::path& folder) {
  try {
    load(folder, Split::held_out);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

constexpr std::string_view kImages = "t10k-images-idx3-ubyte.gz";
constexpr std::string_view kLabelFile = "t10k-labels-idx1-ubyte.gz";

void write_held_out(const TemporaryFolder& folder, std::uint32_t images, std::string_view labels) {
  write_gz(folder / kImages, idx({images, 28, 28}, std::string(images * kPixels, 'p')));
  write_gz(folder / kLabelFile, idx({static_cast<std::uint32_t>(labels.size())}, labels));
}

}  // namespace

TEST_CASE("images and labels of a split come together, up to the limit") {
  const TemporaryFolder folder;
  const std::string pixels = std::string(kPixels, 'a') + std::string(kPixels, 'b');
  write_gz(folder / kImages, idx({2, 28, 28}, pixels));
  write_gz(folder / kLabelFile, idx({2}, "\x03\x09"));

  const Dataset both = load(folder.path(), Split::held_out);
  REQUIRE(both.size() == 2);
  CHECK(both.labels[1] == 9);
  CHECK(both.image(1).front() == 'b');
  CHECK(both.image(1).back() == 'b');

  const Dataset one = load(folder.path(), Split::held_out, 1);
  CHECK(one.size() == 1);
  CHECK(one.pixels.size() == kPixels);
}

TEST_CASE("uncompressed files are found too") {
  const TemporaryFolder folder;
  write_plain(folder / "t10k-images-idx3-ubyte", idx({1, 28, 28}, std::string(kPixels, 'p')));
  write_plain(folder / "t10k-labels-idx1-ubyte", idx({1}, "\x07"));
  CHECK(load(folder.path(), Split::held_out).labels[0] == 7);
}

TEST_CASE("each way a data folder can be wrong has a line of its own") {
  const TemporaryFolder folder;
  CHECK(failure(folder / "absent") == (folder / "absent").string() + ": no such folder");
  CHECK(failure(folder.path()) == (folder / kImages).string() + ": No such file or directory");

  write_held_out(folder, 2, "\x01");
  CHECK(failure(folder.path()) == (folder / kLabelFile).string() + ": has 1 labels for 2 images");

  write_held_out(folder, 1, "\x0a");
  CHECK(failure(folder.path()) == (folder / kLabelFile).string() + ": holds a label above 9");

  write_gz(folder / kImages, idx({28, 28}, std::string(kPixels, 'p')));
  CHECK(failure(folder.path()) ==
        (folder / kImages).string() + ": holds no images of 28 x 28 pixels");

  write_held_out(folder, 1, "\x01");
  write_gz(folder / kLabelFile, idx({1, 1}, "\x01"));
  CHECK(failure(folder.path()) == (folder / kLabelFile).string() + ": holds no list of labels");
}

TEST_CASE("the real data set is whole: 60,000 and 10,000 images, every class equally often") {
  if (!std::filesystem::exists(default_folder())) {
    MESSAGE("SKIPPED: the package dataset-fashion-mnist is not installed");
    return;
  }
  for (const auto& [split, size] : {std::pair{Split::train, 60000U}, {Split::held_out, 10000U}}) {
    const Dataset dataset = load(default_folder(), split);
    CHECK(dataset.size() == size);
    std::array<std::size_t, kClasses> count{};
    for (const std::uint8_t label : dataset.labels) ++count[label];
    for (const std::size_t n : count) CHECK(n == size / kClasses);
  }
  CHECK(kLabels[load(default_folder(), Split::held_out, 1).labels[0]] == "Ankle boot");
}
