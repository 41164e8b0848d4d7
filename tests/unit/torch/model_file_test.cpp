#include "torch/model_file.hpp"

#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::detail;
using aiserve::testing::ModelFolder;

TEST_CASE("a file is read whole") {
  const ModelFolder folder;
  const std::string text(100'000, 'x');
  const Result<Bytes> read = read_file(folder.write("a", text), 1U << 20U);
  REQUIRE(read.ok());
  CHECK(read->text() == text);
}

TEST_CASE("what is no readable file is told apart") {
  const ModelFolder folder;
  CHECK(read_file(folder.file("none"), 100).error().code() == Errc::not_found);
  CHECK(read_file(folder.file("."), 100).error().message() == "not a regular file");
  CHECK(read_file(folder.write("empty", ""), 100).error().message() == "the file is empty");
  CHECK(read_file(folder.write("long", "123456"), 5).error().message() == "larger than 5 bytes");
  CHECK(read_file(folder.write("fits", "12345"), 5).ok());
}

TEST_CASE("SHA-256 gives the digests of FIPS 180-4's examples") {
  CHECK(sha256_hex(Bytes::literal("abc").view()) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a digest is 64 hex digits of either case") {
  const std::string lower(64, 'a');
  CHECK(parse_sha256(std::string(64, 'A')).value() == lower);
  CHECK(parse_sha256(lower).value() == lower);
  CHECK(!parse_sha256(std::string(63, 'a')).ok());
  CHECK(!parse_sha256(std::string(63, 'a') + "g").ok());
  CHECK(!parse_sha256(std::string(63, 'a') + "_").ok());
}
