// TextPattern: regular expressions in time linear in the text, for patterns that strangers' input
// is held against. (std::regex takes exponential time, and overflows the stack on long texts.)
//
// The part of ECMA-262 that JSON Schema recommends (2020-12 core, section 6.4): characters, '.',
// [classes], \d \w \s and their negations, groups, |, * + ? {m} {m,} {m,n}, ^ and $. No back
// references, no looking around. Characters are code points. It matches anywhere unless anchored.
// Method: Thompson, "Regular Expression Search Algorithm" (1968): all states at once.
// *Thread safety:* const, any thread. *Errors:* ConfigError for what isn't in that part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http::detail {

// Code points: any of the ranges, or, negated, none of them.
struct CharSet {
  struct Range {
    char32_t first;
    char32_t last;
  };
  bool contains(char32_t c) const noexcept;

  std::vector<Range> ranges;
  bool negated = false;
};

class TextPattern {
 public:
  struct Instruction {
    enum class Op : std::uint8_t { set, split, jump, begin, end, match };
    Op op = Op::match;
    std::uint32_t to = 0;     // split, jump; of a set: its index
    std::uint32_t other = 0;  // split
  };

  explicit TextPattern(std::string_view pattern);

  // The text must be UTF-8.
  bool matches(std::string_view text) const;

 private:
  std::vector<Instruction> program_;
  std::vector<CharSet> sets_;
};

}  // namespace aiserve::inline v0::http::detail
