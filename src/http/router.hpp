// Router: from method and path to a route, through a trie of path segments.
//
// Patterns: "/v1/jobs/{id}/result"; {id:int} takes only a decimal number that fits 64 bits;
// {path...}, last only, takes the rest with its slashes, at least one character. At one place a
// literal segment goes before {int}, that before {name}, that before {rest...}; if a later segment
// or the method doesn't fit, the next kind is tried. GET answers HEAD too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/http/method.hpp"
#include "http/request_state.hpp"

namespace aiserve::inline v0::http::detail {

struct Route;

using MethodMask = std::uint8_t;
constexpr MethodMask mask_of(Method method) noexcept {
  return static_cast<MethodMask>(1u << static_cast<unsigned>(method));
}
// The value of an Allow field: "GET, HEAD, OPTIONS".
std::string allow_text(MethodMask allowed);

struct RouteMatch {
  // A part of the path; unlike a string_view, eight cost nothing to make.
  struct Param {
    const char* data;
    std::size_t size;

    operator std::string_view() const noexcept { return {data, size}; }
  };

  const Route* route = nullptr;
  MethodMask allowed = 0;  // what the path answers to; 0: there is no such path
  std::size_t param_count = 0;
  std::array<Param, kMaxParams> params;  // the first param_count
};

class Router {
 public:
  Router();
  ~Router();

  // Returns the names of the pattern's parameters. Throws ConfigError for a malformed pattern and
  // for one that is there already.
  std::vector<std::string> add(Method method, std::string_view pattern, const Route& route);

  RouteMatch find(Method method, std::string_view path) const noexcept;
  // Of all routes: the answer to OPTIONS *.
  MethodMask all_methods() const noexcept { return all_methods_; }

 private:
  struct Node;
  struct Search;

  Node& descend(Node& from, std::string_view segment, std::vector<std::string>& names,
                std::string_view pattern);
  static bool match(const Node& node, std::string_view rest, Search& search) noexcept;
  static bool accept(const Node& node, Search& search) noexcept;

  std::unique_ptr<Node> root_;
  MethodMask all_methods_ = mask_of(Method::options);
};

}  // namespace aiserve::inline v0::http::detail
