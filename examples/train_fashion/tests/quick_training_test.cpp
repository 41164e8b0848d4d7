// Runs the program itself (its path is in TRAIN_FASHION) on a part of the real data set.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include "fashion_data/tests/temporary_folder.hpp"
#include "train_fashion/model_folder.hpp"
#include "train_fashion/trainer.hpp"

using namespace fashion;
using fashion::testing::TemporaryFolder;

namespace {

struct Run {
  int status = -1;
  std::string output;  ///< of both streams
};

Run train_fashion(const std::string& arguments) {
  const char* const program = std::getenv("TRAIN_FASHION");
  REQUIRE_MESSAGE(program != nullptr, "run this test through ctest");
  const std::string command = '\'' + std::string(program) + "' " + arguments + " 2>&1";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Run run;
  std::array<char, 4096> block{};
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), pipe))
    run.output.append(block.data(), got);
  const int status = ::pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

nlohmann::json side_car(const std::filesystem::path& folder) {
  std::ifstream in(folder / "fashion.json");
  return nlohmann::json::parse(in);
}

void check_one_line(const Run& run, std::string_view part) {
  CAPTURE(run.output);
  CHECK(run.status == 2);
  CHECK(run.output.starts_with("train_fashion: "));
  CHECK(run.output.find(part) != std::string::npos);
  CHECK(run.output.find('\n') == run.output.size() - 1);
}

}  // namespace

TEST_CASE("a quick training gives a loadable model that is as good as its side-car says") {
  if (!std::filesystem::exists(default_folder())) {
    MESSAGE("SKIPPED: the package dataset-fashion-mnist is not installed");
    return;
  }
  const TemporaryFolder folder;
  const std::string arguments = "--quick --out '" + folder.path().string() + "'";
  const auto model = folder / "fashion.pt";

  const Run first = train_fashion(arguments);
  REQUIRE_MESSAGE(first.status == 0, first.output);
  const auto json = side_car(folder.path());
  const double accuracy = json["metrics"]["accuracy"];
  CHECK(accuracy > 0.6);
  CHECK(json["metrics"]["trained_images"] == 6000);
  CHECK(json["metrics"]["held_out"] == 10000);
  CHECK(json["sha256"] == sha256_of(model));
  const Dataset held_out = load(default_folder(), Split::held_out);
  CHECK(static_cast<double>(count_correct(model, held_out)) / 10000 == accuracy);

  INFO("the same training again does nothing");
  const auto written = std::filesystem::last_write_time(model);
  const Run again = train_fashion(arguments);
  CHECK(again.status == 0);
  CHECK(again.output == model.string() + ": up to date\n");
  CHECK(std::filesystem::last_write_time(model) == written);

  INFO("a damaged model is trained again, to the same weights");
  std::filesystem::resize_file(model, std::filesystem::file_size(model) / 2);
  CHECK_THROWS(count_correct(model, held_out));
  const Run repaired = train_fashion(arguments);
  REQUIRE_MESSAGE(repaired.status == 0, repaired.output);
  CHECK(sha256_of(model) == json["sha256"]);
  CHECK(side_car(folder.path())["metrics"]["accuracy"] == accuracy);
}

TEST_CASE("what is wrong with a run is told in one line, with exit status 2") {
  const TemporaryFolder folder;
  const std::string out = "--out '" + folder.path().string() + "' ";
  check_one_line(train_fashion(""), "--out DIR is missing; see --help");
  check_one_line(train_fashion(out + "--data '" + (folder / "absent").string() + "'"),
                 "absent: no such folder");
  check_one_line(train_fashion(out + "--data '" + folder.path().string() + "'"),
                 "train-images-idx3-ubyte.gz: No such file or directory");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("help is printed on request") {
  const Run help = train_fashion("--help");
  CHECK(help.status == 0);
  CHECK(help.output.starts_with("usage: train_fashion --out DIR"));
}
