#include "aiserve/core/bytes.hpp"

#include <cstdint>
#include <cstring>

#include <doctest/doctest.h>

using namespace aiserve;

TEST_CASE("blocks are aligned to 64 bytes and hold what was copied") {
  for (const std::size_t size : {1u, 63u, 64u, 1000u}) {
    const Bytes bytes = Bytes::copy(std::string(size, 'x'));
    CHECK(bytes.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 == 0);
    CHECK(bytes.text() == std::string(size, 'x'));
  }
  CHECK(Bytes::copy(std::string_view()).empty());
}

TEST_CASE("copies and slices share one block") {
  const Bytes whole = Bytes::copy("hello, world");
  const Bytes part = whole.slice(7, 5);
  CHECK(part.text() == "world");
  CHECK(part.data() == whole.data() + 7);
  CHECK(whole.slice(100).empty());
  CHECK(whole.slice(7, 100).text() == "world");
  CHECK(Bytes(whole) == whole);
}

TEST_CASE("a slice keeps its block alive after the whole is gone") {
  Bytes part;
  {
    const Bytes whole = Bytes::copy(std::string(1000, 'a') + "tail");
    part = whole.slice(1000);
  }
  CHECK(part.text() == "tail");
}

TEST_CASE("compact copies a slice that is under half of its block, and no other") {
  const Bytes whole = Bytes::copy(std::string(1000, 'a'));
  const Bytes small = whole.slice(0, 10);
  CHECK(small.block_size() == 1000);
  CHECK(small.compact().block_size() == 10);
  CHECK(small.compact() == small);
  const Bytes large = whole.slice(0, 500);
  CHECK(large.compact().data() == large.data());
}

TEST_CASE("an adopted string is not copied when it is long") {
  std::string text(500, 'z');
  const char* before = text.data();
  const Bytes bytes = Bytes::adopt(std::move(text));
  CHECK(reinterpret_cast<const char*>(bytes.data()) == before);
  CHECK(Bytes::adopt("short").text() == "short");
}

TEST_CASE("literals have no block") {
  const Bytes bytes = Bytes::literal("for ever");
  CHECK(bytes.block_size() == 0);
  CHECK(bytes.slice(4).text() == "ever");
  CHECK(bytes.compact().data() == bytes.data());
}

TEST_CASE("freezing gives the written bytes and empties the writer") {
  MutableBytes block(10);
  std::memcpy(block.data(), "0123456789", 10);
  const Bytes bytes = std::move(block).freeze(4);
  CHECK(bytes.text() == "0123");
  CHECK(bytes.block_size() == 10);
}
