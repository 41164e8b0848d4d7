#include "http/pattern_parser.hpp"

#include <optional>
#include <string>
#include <utility>

#include "aiserve/core/error.hpp"
#include "core/utf8.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

using Kind = PatternNode::Kind;

constexpr char32_t kLast = 0x10FFFF;
constexpr int kMaxDepth = 50;
constexpr unsigned kMaxRepeat = 1000;

// Of \d, \w and \s as ECMA-262 has them, in order; nothing for other letters.
std::optional<CharSet> named_set(char32_t letter) {
  CharSet set;
  switch (letter) {
    case 'd':
    case 'D':
      set.ranges = {{'0', '9'}};
      break;
    case 'w':
    case 'W':
      set.ranges = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
      break;
    case 's':
    case 'S':
      set.ranges = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                    {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
      break;
    default:
      return std::nullopt;
  }
  set.negated = letter < 'a';
  return set;
}

class Parser {
 public:
  explicit Parser(std::string_view left) : left_(left) {}

  PatternNode whole() {
    PatternNode node = either();
    if (!left_.empty()) refuse_pattern("has a ) too many");
    return node;
  }

 private:
  char front() const noexcept { return left_.empty() ? '\0' : left_.front(); }
  bool take(std::string_view text) noexcept {
    if (!left_.starts_with(text)) return false;
    left_.remove_prefix(text.size());
    return true;
  }
  char32_t character() {
    if (left_.empty()) refuse_pattern("ends too early");
    const auto step = v0::detail::next_utf8(left_);
    if (!step.valid) refuse_pattern("is not UTF-8");
    left_.remove_prefix(step.length);
    return step.code;
  }

  PatternNode either() {
    if (++depth_ > kMaxDepth) refuse_pattern("is nested too deep");
    PatternNode node{.kind = Kind::either};
    do {
      node.parts.push_back(sequence());
    } while (take("|"));
    --depth_;
    return node;
  }

  PatternNode sequence() {
    PatternNode node;
    while (!left_.empty() && front() != '|' && front() != ')') node.parts.push_back(repeated());
    return node;
  }

  PatternNode repeated() {
    PatternNode node = atom();
    unsigned least = 0;
    unsigned most = PatternNode::kNoLimit;
    if (take("+")) {
      least = 1;
    } else if (take("?")) {
      most = 1;
    } else if (take("{")) {
      counts(least, most);
    } else if (!take("*")) {
      return node;
    }
    (void)take("?");  // lazy or not: what matters is whether it matches
    if (front() == '*' || front() == '+' || front() == '?' || front() == '{') {
      refuse_pattern("repeats a repetition");
    }
    return PatternNode{
        .kind = Kind::repeat, .parts = {std::move(node)}, .least = least, .most = most};
  }

  void counts(unsigned& least, unsigned& most) {
    least = number();
    most = least;
    if (take(",")) most = front() == '}' ? PatternNode::kNoLimit : number();
    if (!take("}")) refuse_pattern("has a { without }");
    if (most < least) refuse_pattern("has a repetition of less than its least");
  }

  unsigned number() {
    if (front() < '0' || front() > '9') refuse_pattern("has a { that is no repetition");
    unsigned value = 0;
    while (front() >= '0' && front() <= '9') {
      value = value * 10 + static_cast<unsigned>(front() - '0');
      if (value > kMaxRepeat) refuse_pattern("repeats more than 1000 times");
      left_.remove_prefix(1);
    }
    return value;
  }

  PatternNode atom() {
    if (take("^")) return {.kind = Kind::begin};
    if (take("$")) return {.kind = Kind::end};
    if (take("(")) return group();
    if (take("[")) return {.kind = Kind::set, .set = char_class()};
    if (take("\\")) return {.kind = Kind::set, .set = escape()};
    if (take(".")) {
      const CharSet line{{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}, true};
      return {.kind = Kind::set, .set = line};
    }
    if (std::string_view("*+?{}]").find(front()) != std::string_view::npos) {
      refuse_pattern("has a repetition or bracket where a character was expected");
    }
    const char32_t c = character();
    return {.kind = Kind::set, .set = {{{c, c}}, false}};
  }

  PatternNode group() {
    if (!take("?:") && front() == '?') refuse_pattern("looks around or names a group");
    PatternNode node = either();
    if (!take(")")) refuse_pattern("has a ( without )");
    return node;
  }

  CharSet escape() {
    const char32_t letter = character();
    if (auto set = named_set(letter)) return *std::move(set);
    const char32_t c = escaped(letter);
    return {{{c, c}}, false};
  }

  // A letter may only be escaped if that means something known.
  static char32_t escaped(char32_t letter) {
    constexpr std::string_view kLetters = "nrtfv";
    constexpr std::string_view kMeant = "\n\r\t\f\v";
    if (letter < 0x80) {
      const std::size_t which = kLetters.find(static_cast<char>(letter));
      if (which != std::string_view::npos) return static_cast<char32_t>(kMeant[which]);
    }
    const bool alphanumeric = (letter >= '0' && letter <= '9') ||
                              (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    if (alphanumeric) refuse_pattern("has an escape that is not supported");
    return letter;
  }

  CharSet char_class() {
    CharSet set;
    set.negated = take("^");
    while (!take("]")) {
      const auto named = class_member(set);
      if (!named) continue;
      char32_t last = *named;
      if (front() == '-' && !left_.starts_with("-]")) {
        left_.remove_prefix(1);
        const auto end = class_member(set);
        if (!end || *end < *named) refuse_pattern("has a range that is none");
        last = *end;
      }
      set.ranges.push_back({*named, last});
    }
    return set;
  }

  // One character, or nothing if it was a set, which is added.
  std::optional<char32_t> class_member(CharSet& set) {
    const char32_t c = character();
    if (c != '\\') return c;
    const char32_t letter = character();
    const auto named = named_set(letter);
    if (!named) return escaped(letter);
    if (!named->negated) {
      set.ranges.insert(set.ranges.end(), named->ranges.begin(), named->ranges.end());
      return std::nullopt;
    }
    char32_t from = 0;
    for (const CharSet::Range& hole : named->ranges) {
      if (hole.first > from) set.ranges.push_back({from, hole.first - 1});
      from = hole.last + 1;
    }
    set.ranges.push_back({from, kLast});
    return std::nullopt;
  }

  std::string_view left_;
  int depth_ = 0;
};

}  // namespace

void refuse_pattern(std::string_view why) {
  throw ConfigError("http: a pattern " + std::string(why));
}

PatternNode parse_pattern(std::string_view pattern) { return Parser(pattern).whole(); }

}  // namespace aiserve::inline v0::http::detail
