#include "storage/folder_walk.hpp"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using namespace aiserve;
using detail::FolderWalk;
using testing::TemporaryFolder;

namespace {

void make(const TemporaryFolder& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) std::ofstream(folder.file(name)) << "x";
}

/// All that it gives to pages of so many names.
std::string all(FolderWalk& walk, std::size_t page) {
  std::string text;
  std::string token;
  do {
    FolderWalk::Part part = walk.after(token).value();
    const std::size_t seen = std::min(page, part.names.size());
    for (std::size_t i = 0; i < seen; ++i) text += part.names[i] + ' ';
    token = walk.keep(std::move(part), seen);
  } while (!token.empty());
  return text;
}

}  // namespace

TEST_CASE("pages of any size have all names of a folder in order, each once") {
  const TemporaryFolder folder;
  make(folder, {"e", "b", "longer", "d", "a", "c", "f"});
  for (const std::size_t most : {1U, 2U, 3U, 5U, 6U, 7U}) {
    for (const std::size_t page : {1U, 2U, 3U, 6U, 9U}) {
      FolderWalk walk(folder.path(), 1, most);
      CHECK_MESSAGE(all(walk, page) == "a b c d e f ", most, " names, pages of ", page);
    }
  }
}

TEST_CASE("a folder without names has one page, which is empty") {
  const TemporaryFolder folder;
  FolderWalk walk(folder.path(), 1, 3);
  CHECK(all(walk, 3).empty());
}

TEST_CASE("a folder is not walked again for what is known of it") {
  const TemporaryFolder folder;
  make(folder, {"a", "b", "c"});
  FolderWalk walk(folder.path(), 1);
  const std::string token = walk.keep(walk.after("").value(), 1);
  std::filesystem::remove_all(folder.path());
  CHECK(walk.after(token).value().names == std::vector<std::string>{"b", "c"});
  CHECK_MESSAGE(walk.after(token).error().code() == Errc::unavailable, "it was told once");
}

TEST_CASE("lists at the same time, and tokens of before, miss nothing") {
  const TemporaryFolder folder;
  make(folder, {"a", "c"});
  FolderWalk walk(folder.path(), 1);
  const std::string old = walk.keep(walk.after("").value(), 1);
  make(folder, {"b"});
  const std::string young = walk.keep(walk.after("").value(), 1);
  const std::vector<std::string> both{"b", "c"};
  CHECK(walk.after(young).value().names == both);
  CHECK(walk.after(old).value().names == both);
  FolderWalk other(folder.path(), 1);
  CHECK(other.after(young).value().names == both);
}
