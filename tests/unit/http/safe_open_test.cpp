#include "http/safe_open.hpp"

#include <array>
#include <filesystem>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_directory.hpp"

namespace aiserve::http::detail {
namespace {

struct Tree {
  Tree() {
    outside.write("secret", "secret");
    root.write("file", "file");
    root.write("a/b/deep", "deep");
    std::filesystem::create_symlink(outside / "secret", root / "absolute");
    std::filesystem::create_symlink(outside.path(), root / "directory");
    std::filesystem::create_symlink("../../file", root / "a/b/inside");
    std::filesystem::create_symlink(
        "../" + outside.path().substr(outside.path().rfind('/') + 1) + "/secret",
        root / "relative");
    directory = open_directory(root.path());
  }
  std::string read(const std::string& path, Resolve resolve) const {
    const Descriptor file = open_beneath(directory, path, resolve);
    if (!file) return "-";
    std::array<char, 16> text{};
    const ssize_t n = ::read(file.get(), text.data(), text.size());
    return n < 0 ? "directory" : std::string(text.data(), static_cast<std::size_t>(n));
  }

  testing::TemporaryDirectory outside;
  testing::TemporaryDirectory root;
  Descriptor directory;
};

TEST_CASE("what lies beneath is opened, what leads out is not") {
  const Tree tree;
  for (const Resolve resolve : {Resolve::kernel, Resolve::walk}) {
    CHECK(tree.read("file", resolve) == "file");
    CHECK(tree.read("a/b/deep", resolve) == "deep");
    CHECK(tree.read("", resolve) == "directory");
    CHECK(tree.read("a", resolve) == "directory");
    for (const char* const path :
         {"missing", "absolute", "relative", "directory/secret", "../secret", "a/../file", "./file",
          "..", ".", "a/b/..", "file/x", "file/"}) {
      CAPTURE(path);
      CHECK(tree.read(path, resolve) == "-");
    }
    CHECK(tree.read(tree.outside / "secret", resolve) == "-");
    CHECK(tree.read(std::string("file\0.txt", 9), resolve) == "-");
  }
}

TEST_CASE("the kernel follows links that stay inside, the walk follows none") {
  const Tree tree;
  CHECK(tree.read("a/b/inside", Resolve::kernel) == "file");
  CHECK(tree.read("a/b/inside", Resolve::walk) == "-");
}

TEST_CASE("a FIFO doesn't block") {
  const Tree tree;
  REQUIRE(::mkfifo((tree.root / "fifo").c_str(), 0600) == 0);
  CHECK(open_beneath(tree.directory, "fifo", Resolve::kernel));
  CHECK(open_beneath(tree.directory, "fifo", Resolve::walk));
}

TEST_CASE("a directory that isn't there is no directory") {
  CHECK_FALSE(open_directory("/nonexistent/aiserve"));
  CHECK_FALSE(open_directory("/proc/self/comm"));
}

}  // namespace
}  // namespace aiserve::http::detail
