#include "storage/first_names.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve;
using detail::FirstNames;
using Names = std::vector<std::string>;

TEST_CASE("the first names after a given one are found in whatever order they are seen") {
  Names all;
  all.reserve(26);
  for (char letter = 'a'; letter <= 'z'; ++letter) all.emplace_back(2, letter);
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::shuffle(all.begin(), all.end(), random);
    const std::string after(1, static_cast<char>('a' + round % 27));
    FirstNames first(after, static_cast<std::size_t>(round % 5 + 1));
    for (const std::string& name : all) first.see(name);
    Names expected = all;
    std::erase_if(expected, [&](const std::string& name) { return name <= after; });
    std::sort(expected.begin(), expected.end());
    expected.resize(std::min(expected.size(), static_cast<std::size_t>(round % 5 + 1)));
    CHECK(std::move(first).in_order() == expected);
  }
}

TEST_CASE("the name that a page ends with is not on the next one") {
  FirstNames first("b", 10);
  for (const char* name : {"c", "b", "a"}) first.see(name);
  CHECK(std::move(first).in_order() == Names{"c"});
}

TEST_CASE("of no names none is first") {
  CHECK(FirstNames("", 3).in_order().empty());
  FirstNames all_before("z", 3);
  all_before.see("y");
  CHECK(std::move(all_before).in_order().empty());
}
