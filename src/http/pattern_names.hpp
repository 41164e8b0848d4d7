// The parameters of a route's pattern: "id", "rest" of "/a/{id:int}/{rest...}".
#pragma once

#include <string_view>
#include <vector>

namespace aiserve::inline v0::http::detail {

inline std::vector<std::string_view> pattern_names(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (std::size_t open; (open = pattern.find('{')) != std::string_view::npos;) {
    pattern.remove_prefix(open + 1);
    names.push_back(pattern.substr(0, pattern.find_first_of(":.}")));
  }
  return names;
}

}  // namespace aiserve::inline v0::http::detail
