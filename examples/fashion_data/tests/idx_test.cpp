#include "fashion_data/idx.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "idx_files.hpp"
#include "temporary_folder.hpp"

using namespace fashion;
using fashion::testing::content;
using fashion::testing::idx;
using fashion::testing::TemporaryFolder;
using fashion::testing::write_gz;
using fashion::testing::write_plain;

namespace {

/// The message of the error that reading `file` ends with, without the file's name.
std::string failure(const std::filesystem::path& file) {
  try {
    read_idx(file);
  } catch (const DataError& error) {
    const std::string message = error.what();
    REQUIRE(message.starts_with(file.string() + ": "));
    CHECK(message.find('\n') == std::string::npos);
    return message.substr(file.string().size() + 2);
  }
  return "";
}

/// Bytes that deflate cannot shrink, so that a cut falls into the data.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace

TEST_CASE("a compressed and a plain file give the same dimensions and elements") {
  const TemporaryFolder folder;
  const std::string bytes = idx({2, 3}, "\x01\x02\xff\x04\x05\x06");
  write_gz(folder / "a.gz", bytes);
  write_plain(folder / "a", bytes);
  for (const char* name : {"a.gz", "a"}) {
    const IdxArray array = read_idx(folder / name);
    CHECK(array.dims == std::vector<std::uint32_t>{2, 3});
    CHECK(array.values == std::vector<std::uint8_t>{1, 2, 255, 4, 5, 6});
  }
}

TEST_CASE("dimensions are big-endian") {
  const TemporaryFolder folder;
  write_gz(folder / "a.gz", idx({258}, std::string(258, 'x')));
  CHECK(read_idx(folder / "a.gz").dims == std::vector<std::uint32_t>{0x0102});
}

TEST_CASE("a missing file and a folder are named with the system's reason") {
  const TemporaryFolder folder;
  CHECK(failure(folder / "absent.gz") == "No such file or directory");
  CHECK(failure(folder.path()) == "Is a directory");
}

TEST_CASE("a compressed file cut at any place is an error") {
  const TemporaryFolder folder;
  write_gz(folder / "whole.gz", idx({64}, noise(64)));
  const std::string whole = content(folder / "whole.gz");
  REQUIRE(failure(folder / "whole.gz").empty());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    write_plain(folder / "cut.gz", whole.substr(0, size));
    CHECK_FALSE(failure(folder / "cut.gz").empty());
  }
  write_plain(folder / "cut.gz", whole.substr(0, whole.size() / 2));
  CHECK(failure(folder / "cut.gz") == "truncated");
}

TEST_CASE("a flipped bit in the data fails the checksum") {
  const TemporaryFolder folder;
  write_gz(folder / "a.gz", idx({4096}, noise(4096)));
  std::string bytes = content(folder / "a.gz");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  write_plain(folder / "a.gz", bytes);
  CHECK(failure(folder / "a.gz") == "corrupt gzip data");
}

TEST_CASE("a header that does not fit its data is an error") {
  const TemporaryFolder folder;
  const auto failure_of = [&](const std::string& bytes) {
    write_gz(folder / "a.gz", bytes);
    return failure(folder / "a.gz");
  };
  CHECK(failure_of("hello") == "not an IDX file");
  CHECK(failure_of("") == "truncated");
  CHECK(failure_of(idx({4}, "abc")) == "truncated");
  CHECK(failure_of(idx({4}, "abcde")) == "holds more data than its header says");
  CHECK(failure_of(idx({1}, "abcd", 0x0d)) == "holds no unsigned bytes");
  CHECK(failure_of(idx({}, "abcd")) == "has no usable number of dimensions");
  CHECK(failure_of(idx({4, 0}, "")) == "is empty");
}

TEST_CASE("a header whose size overflows allocates nothing") {
  const TemporaryFolder folder;
  for (const auto& dims :
       {idx({0xffffffff, 0xffffffff, 0xffffffff, 2}, ""), idx({0x10000001}, "")}) {
    write_gz(folder / "a.gz", dims);
    CHECK(failure(folder / "a.gz") == "promises more data than this reader takes");
  }
}
