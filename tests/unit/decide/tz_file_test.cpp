#include "decide/tz_file.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/decide/library_zone.hpp"

using namespace aiserve::decide;
using zone_test::LibraryZone;

namespace {

void put(std::string& bytes, std::int64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift & 0xFF));
  }
}

/// Writes files of the format, also wrong ones.
struct Writer {
  struct Type {
    std::int32_t offset = 0;
    int summer = 0;
    int name = 0;
  };

  char version = '2';
  std::vector<std::int64_t> times = {-10'000'000'000, 1'000, 2'000};
  std::vector<int> indices = {1, 0, 1};
  std::vector<Type> types = {{600, 0, 0}, {3'600, 1, 4}};
  std::string letters = std::string("LMT\0CET\0", 8);
  std::string rule = "CET-1";
  int leaps = 0;
  std::string marks = std::string("\0\1\0\1", 4);

  std::string header(bool empty) const {
    std::string bytes = "TZif";
    bytes.push_back(version);
    bytes.append(15, '\0');
    const auto n = [empty](std::size_t count) {
      return empty ? 0 : static_cast<std::int64_t>(count);
    };
    for (const std::int64_t count :
         {n(marks.size() / 2), n(marks.size() / 2), n(static_cast<std::size_t>(leaps)),
          n(times.size()), empty ? 1 : n(types.size()), empty ? 1 : n(letters.size())}) {
      put(bytes, count, 4);
    }
    return bytes;
  }

  std::string block(int time_size) const {
    std::string bytes;
    for (const std::int64_t time : times) put(bytes, time, time_size);
    for (const int index : indices) put(bytes, index, 1);
    for (const Type& type : types) {
      put(bytes, type.offset, 4);
      put(bytes, type.summer, 1);
      put(bytes, type.name, 1);
    }
    bytes += letters;
    bytes.append(static_cast<std::size_t>(leaps) * static_cast<std::size_t>(time_size + 4), '\0');
    return bytes + marks;
  }

  std::string file() const {
    if (version == '\0') return header(false) + block(4);
    return header(true) + std::string(7, '\0') + header(false) + block(8) + "\n" + rule + "\n";
  }
};

void check_refused(const Writer& writer) {
  const auto zone = parse_tz_file(writer.file());
  CHECK_FALSE(zone);
  CHECK_FALSE(zone.error.empty());
}

}  // namespace

TEST_CASE("changes, types and the rule of a file become a time zone") {
  const auto zone = parse_tz_file(Writer().file());
  REQUIRE_MESSAGE(zone, zone.error);
  CHECK(zone.value->at(-10'000'000'001).offset == 600);
  CHECK(zone.value->at(-10'000'000'000 / 2).offset == 3'600);
  CHECK(zone.value->at(1'000).offset == 600);
  CHECK(zone.value->at(1'000).end == 2'000);
  CHECK(zone.value->at(2'000).offset == 3'600);
}

TEST_CASE("a file of version 1 has times of 32 bits and no rule") {
  Writer writer;
  writer.version = '\0';
  writer.times = {-2'000'000'000, 1'000, 2'000};
  const auto zone = parse_tz_file(writer.file());
  REQUIRE_MESSAGE(zone, zone.error);
  CHECK(zone.value->at(-2'000'000'000).offset == 3'600);
  CHECK(zone.value->at(-2'000'000'001).offset == 600);
  CHECK_FALSE(parse_tz_file(writer.file() + "\n"));
}

TEST_CASE("an empty rule is none, an unreadable one refuses the file") {
  Writer writer;
  writer.rule = "";
  CHECK(parse_tz_file(writer.file()));
  for (const char* rule : {"CET-1CEST", "x", "CET-1\n", "CET-1\nCET-1"}) {
    writer.rule = rule;
    check_refused(writer);
  }
}

TEST_CASE("what is out of order, out of range or does not fit together is refused") {
  const std::array<void (*)(Writer&), 15> mistakes = {
      [](Writer& writer) { writer.version = '1'; },
      [](Writer& writer) { writer.version = '5'; },
      [](Writer& writer) {
        writer.times = {1'000, 1'000, 2'000};
      },
      [](Writer& writer) {
        writer.times = {3'000, 1'000, 2'000};
      },
      [](Writer& writer) { writer.times[0] = INT64_MIN; },
      [](Writer& writer) { writer.times[2] = INT64_MAX; },
      [](Writer& writer) { writer.indices[2] = 2; },
      [](Writer& writer) { writer.types[1].offset = 26 * 3600; },
      [](Writer& writer) { writer.types[0].offset = INT32_MIN; },
      [](Writer& writer) { writer.types[0].summer = 2; },
      [](Writer& writer) { writer.types[0].name = 8; },
      [](Writer& writer) { writer.letters[7] = 'X'; },
      [](Writer& writer) { writer.leaps = 1; },
      [](Writer& writer) { writer.marks = std::string("\0\0", 2); },
      [](Writer& writer) { writer.marks[3] = 2; },
  };
  for (std::size_t i = 0; i < mistakes.size(); ++i) {
    CAPTURE(i);
    Writer writer;
    mistakes[i](writer);
    check_refused(writer);
  }
}

TEST_CASE("a file without changes is its rule, one without types is refused") {
  Writer writer;
  writer.times.clear();
  writer.indices.clear();
  const auto zone = parse_tz_file(writer.file());
  REQUIRE_MESSAGE(zone, zone.error);
  CHECK(zone.value->at(0).offset == 3'600);  // by the rule
  writer.types.clear();
  writer.marks.clear();
  check_refused(writer);
}

TEST_CASE("a file that is cut off anywhere, or goes on, is refused") {
  const std::string file = Writer().file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_tz_file(std::string_view(file).substr(0, size)));
  }
  CHECK_FALSE(parse_tz_file(file + "\n"));
  CHECK_FALSE(parse_tz_file(file + file));
}

TEST_CASE("files with random bytes in them are refused or give a zone that answers") {
  const std::string good = Writer().file();
  std::mt19937_64 random(5);
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string file = good;
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      file[random() % file.size()] = static_cast<char>(random() % 3 == 0 ? 0xFF : random() & 0xFF);
    }
    const auto zone = parse_tz_file(file);
    if (!zone) continue;
    ++read;
    for (const std::int64_t at : {INT64_MIN, std::int64_t{0}, std::int64_t{1'500}, INT64_MAX}) {
      CHECK(std::abs(zone.value->at(at).offset) < 26 * 3600);
      CHECK(zone.value->at(at).begin < zone.value->at(at).end);
    }
  }
  CHECK(read > 1'000);
}

TEST_CASE("the files of this machine, if it has some, say what the C library makes of them") {
  int read = 0;
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                           "Asia/Kolkata", "UTC", "Africa/Casablanca", "Pacific/Apia"}) {
    CAPTURE(name);
    std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
    if (!file) continue;
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const auto zone = parse_tz_file(bytes);
    REQUIRE_MESSAGE(zone, zone.error);
    ++read;
    const LibraryZone library(name);
    std::mt19937_64 random(13);
    for (int i = 0; i < 3'000; ++i) {
      const auto at = static_cast<std::int64_t>(random() % 18'000'000'000) - 4'000'000'000;
      CAPTURE(at);
      CHECK(zone.value->at(at).offset == library.offset(at));
    }
  }
  if (read == 0) MESSAGE("SKIPPED: no /usr/share/zoneinfo here");
}
