// Regular expressions as a tree; see text_pattern.hpp for what they may hold.
#pragma once

#include <string_view>
#include <vector>

#include "http/text_pattern.hpp"

namespace aiserve::inline v0::http::detail {

struct PatternNode {
  enum class Kind : std::uint8_t { set, begin, end, sequence, either, repeat };
  static constexpr unsigned kNoLimit = static_cast<unsigned>(-1);

  Kind kind = Kind::sequence;
  CharSet set{};
  std::vector<PatternNode> parts{};  // of a repetition: one
  unsigned least = 0;
  unsigned most = 0;
};

// Throws ConfigError.
PatternNode parse_pattern(std::string_view pattern);
[[noreturn]] void refuse_pattern(std::string_view why);

}  // namespace aiserve::inline v0::http::detail
