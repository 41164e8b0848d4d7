#include "train_fashion/model_folder.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "fashion_data/tests/temporary_folder.hpp"

using namespace fashion;
using fashion::testing::TemporaryFolder;

namespace {

void write(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

TrainingRecord commit(ModelFolder& folder, const std::string& model) {
  write(folder.unfinished_model(), model);
  const TrainingRecord record{Recipe{}, 60000, 10000, 9123, 61.5};
  folder.commit(record);
  return record;
}

}  // namespace

TEST_CASE("SHA-256 is the one of FIPS 180-2") {
  const TemporaryFolder folder;
  write(folder / "abc", "abc");
  CHECK(sha256_of(folder / "abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  write(folder / "none", "");
  CHECK(sha256_of(folder / "none") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK_THROWS_AS(sha256_of(folder / "absent"), std::system_error);
}

TEST_CASE("a commit writes the model and a side-car with signature, labels and accuracy") {
  const TemporaryFolder temporary;
  ModelFolder folder(temporary / "new/deep");
  CHECK_FALSE(folder.holds(Recipe{}, 60000));
  commit(folder, "abc");

  std::ifstream in(folder.side_car());
  const auto json = nlohmann::json::parse(in);
  CHECK(json["name"] == "fashion");
  CHECK(json["inputs"] ==
        nlohmann::json::parse(R"([{"name":"image","dtype":"float32","shape":[-1,1,28,28]}])"));
  CHECK(json["outputs"] ==
        nlohmann::json::parse(R"([{"name":"probabilities","dtype":"float32","shape":[-1,10]}])"));
  CHECK(json["sha256"] == sha256_of(folder.model()));
  CHECK(json["labels"].size() == kClasses);
  CHECK(json["labels"][9] == "Ankle boot");
  CHECK(json["metrics"]["accuracy"] == 0.9123);
  CHECK(json["metrics"]["held_out"] == 10000);
  CHECK(json["metrics"]["trained_images"] == 60000);
  CHECK(folder.holds(Recipe{}, 60000));
}

TEST_CASE("a folder holds no model of another recipe, and none that does not fit its side-car") {
  const TemporaryFolder temporary;
  ModelFolder folder(temporary.path());
  const TrainingRecord record = commit(folder, "abc");
  CHECK_FALSE(folder.holds({.epochs = 6}, record.trained_images));
  CHECK_FALSE(folder.holds({.seed = 2}, record.trained_images));
  CHECK_FALSE(folder.holds(record.recipe, 6000));
  CHECK(folder.holds(record.recipe, record.trained_images));

  SUBCASE("a changed model") { write(folder.model(), "abd"); }
  SUBCASE("a lost model") { std::filesystem::remove(folder.model()); }
  SUBCASE("a lost side-car") { std::filesystem::remove(folder.side_car()); }
  SUBCASE("a truncated side-car") { std::filesystem::resize_file(folder.side_car(), 40); }
  SUBCASE("a side-car of another kind") { write(folder.side_car(), R"({"metrics":3})"); }
  SUBCASE("a side-car with fields of other types") {
    write(folder.side_car(), R"({"metrics":{"trained_images":"many"},"sha256":1})");
  }
  CHECK_FALSE(folder.holds(record.recipe, record.trained_images));
}

TEST_CASE("a training that does not finish leaves the old pair untouched") {
  const TemporaryFolder temporary;
  {
    ModelFolder folder(temporary.path());
    commit(folder, "abc");
  }
  {
    ModelFolder folder(temporary.path());
    write(folder.unfinished_model(), "half");
  }
  ModelFolder folder(temporary.path());
  CHECK(folder.holds(Recipe{}, 60000));
  CHECK_FALSE(std::filesystem::exists(folder.unfinished_model()));
}

TEST_CASE("a folder that cannot be made is named") {
  const TemporaryFolder temporary;
  write(temporary / "file", "");
  const auto path = temporary / "file/folder";
  try {
    ModelFolder folder(path);
    FAIL("no error");
  } catch (const std::exception& error) {
    CHECK(std::string(error.what()).find(path.string()) != std::string::npos);
  }
}
