#include "http/text_pattern.hpp"

#include <regex>
#include <string>

#include <doctest/doctest.h>

#include "aiserve/core/error.hpp"

namespace aiserve::http::detail {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return TextPattern(pattern).matches(text);
}

TEST_CASE("a pattern matches anywhere unless it is anchored") {
  CHECK(matches("b", "abc"));
  CHECK_FALSE(matches("^b", "abc"));
  CHECK_FALSE(matches("b$", "abc"));
  CHECK(matches("^abc$", "abc"));
  CHECK_FALSE(matches("^abc$", "abcd"));
  CHECK(matches("", ""));
  CHECK(matches("^$", ""));
  CHECK_FALSE(matches("^$", "x"));
  CHECK(matches("^(a|bc)$", "bc"));
}

TEST_CASE("repetitions have the counts they say") {
  CHECK(matches("^a{2,3}$", "aa"));
  CHECK(matches("^a{2,3}$", "aaa"));
  CHECK_FALSE(matches("^a{2,3}$", "a"));
  CHECK_FALSE(matches("^a{2,3}$", "aaaa"));
  CHECK(matches("^a{2,}$", "aaaaa"));
  CHECK(matches("^(ab){0}$", ""));
  CHECK(matches("^a*?b+?c??$", "aabb"));
  CHECK(matches("^(a*)*$", "aaa"));
  CHECK(matches("^(|a)+$", "aa"));
}

TEST_CASE("characters are code points, and classes know ranges, negation and names") {
  CHECK(matches("^.$", "\xF0\x9D\x84\x9E"));
  CHECK(matches("^[\xC3\xA0-\xC3\xBF]{2}$", "\xC3\xA9\xC3\xA8"));
  CHECK_FALSE(matches("^.$", "\n"));
  CHECK(matches("^[^a-c]$", "d"));
  CHECK_FALSE(matches("^[^a-c]$", "b"));
  CHECK(matches("^[a\\-z]$", "-"));
  CHECK(matches("^[a-]$", "-"));
  CHECK(matches("^[\\w.]+@\\w+\\.\\w{2,}$", "a.b_1@example.org"));
  CHECK(matches("^[\\D]$", "x"));
  CHECK_FALSE(matches("^[^\\D]$", "x"));
  CHECK(matches("^\\S\\s\\S$", "a\xC2\xA0z"));
  CHECK(matches("^\\W$", "-"));
  CHECK(matches("^\\.\\*\\n$", ".*\n"));
}

TEST_CASE("what is not supported, or no expression at all, is a ConfigError") {
  for (const char* pattern : {"(",          ")",    "a)",     "[a",      "*",
                              "a**",        "a{2",  "a{3,2}", "a{1001}", "(?=a)",
                              "(?<n>a)",    "\\1",  "\\b",    "[z-a]",   "a{x}",
                              "\\",         "\xFF", "{",      "}",       "(a{1000}){1000}",
                              "(){1000}{2}"}) {
    CAPTURE(pattern);
    CHECK_THROWS_AS(TextPattern{pattern}, ConfigError);
  }
  CHECK_THROWS_AS(TextPattern(std::string(1000, '(')), ConfigError);
  CHECK_THROWS_AS(TextPattern("((((((){1000}){1000}){1000}){1000}){1000})"), ConfigError);
}

TEST_CASE("patterns that take backtracking engines forever take one pass") {
  const std::string text = std::string(20'000, 'a') + "!";
  CHECK_FALSE(matches("^(a+)+$", text));
  CHECK_FALSE(matches("^(a|aa)+$", text));
  CHECK_FALSE(matches("^(a|a?)+$", text));
}

TEST_CASE("it says the same as std::regex on short texts") {
  const char* const patterns[] = {"a(b|c)*d?",  "^[ab]+c{1,2}$", "(a|b){2,3}c",
                                  "^(ab?){2}$", "a.c|^b",        "[^a]b$"};
  for (const char* pattern : patterns) {
    const TextPattern ours(pattern);
    const std::regex theirs(pattern, std::regex::ECMAScript);
    for (int n = 0; n < 4096; ++n) {  // all texts of up to 6 of "abcd" and those of 6
      std::string text;
      for (int k = n; k != 0; k /= 4) text += "abcd"[k % 4];
      CAPTURE(pattern);
      CAPTURE(text);
      CHECK(ours.matches(text) == std::regex_search(text, theirs));
    }
  }
}

}  // namespace
}  // namespace aiserve::http::detail
