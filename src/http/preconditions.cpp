#include "http/preconditions.hpp"

#include "http/char_class.hpp"
#include "http/http_date.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

enum class Comparison : std::uint8_t { strong, weak };

// If the list, of tags or "*", holds `etag` (section 8.8.3.2). A tag may hold commas.
bool lists(std::string_view list, std::string_view etag, Comparison comparison) noexcept {
  if (trim(list) == "*") return true;
  while (!(list = trim(list)).empty()) {
    if (list.front() == ',') {
      list.remove_prefix(1);
      continue;
    }
    const bool weak = list.starts_with("W/");
    if (weak) list.remove_prefix(2);
    const std::size_t end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;  // malformed: nothing matches
    const bool same = list.substr(0, end + 1) == etag;
    if (same && (comparison == Comparison::weak || !weak)) return true;
    list.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace

int check_conditions(const Conditions& conditions, const Validators& have) noexcept {
  if (!conditions.if_match.empty()) {
    if (!lists(conditions.if_match, have.etag, Comparison::strong)) return 412;
  } else if (const auto since = parse_http_date(conditions.if_unmodified_since)) {
    if (have.last_modified > *since) return 412;
  }
  if (!conditions.if_none_match.empty()) {
    return lists(conditions.if_none_match, have.etag, Comparison::weak) ? 304 : 200;
  }
  const auto since = parse_http_date(conditions.if_modified_since);
  return since && have.last_modified <= *since ? 304 : 200;
}

bool range_applies(std::string_view if_range, const Validators& have) noexcept {
  if (if_range.empty()) return true;
  if (if_range.front() == '"') return if_range == have.etag;
  return parse_http_date(if_range) == have.last_modified;  // exactly: section 13.1.5
}

}  // namespace aiserve::inline v0::http::detail
