#include "aiserve/cache/etag.hpp"

namespace aiserve::inline v0 {
namespace {

void skip_blanks(std::string_view& text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

std::string_view without_weakness(std::string_view tag) noexcept {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  return tag;
}

// The next tag with its quotes; empty when there is none.
std::string_view take_tag(std::string_view& text) noexcept {
  if (!text.starts_with('"')) return {};
  const std::size_t end = text.find('"', 1);
  if (end == std::string_view::npos) return {};
  const std::string_view tag = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  return tag;
}

}  // namespace

std::string etag(const Digest& digest) { return '"' + digest.to_string() + '"'; }

bool etag_matches(std::string_view if_none_match, std::string_view tag) noexcept {
  skip_blanks(if_none_match);
  if (if_none_match == "*") return true;
  while (!if_none_match.empty()) {
    if_none_match = without_weakness(if_none_match);
    const std::string_view candidate = take_tag(if_none_match);
    if (candidate.empty()) return false;
    if (candidate == without_weakness(tag)) return true;
    skip_blanks(if_none_match);
    if (if_none_match.empty()) return false;
    if (if_none_match.front() != ',') return false;
    while (if_none_match.starts_with(',')) {
      if_none_match.remove_prefix(1);
      skip_blanks(if_none_match);
    }
  }
  return false;
}

}  // namespace aiserve::inline v0
