#include "http/router.hpp"

#include <algorithm>
#include <charconv>

#include "aiserve/core/error.hpp"
#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {

struct Router::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> number;
  std::unique_ptr<Node> name;
  std::unique_ptr<Node> rest;
  std::array<const Route*, kMethods> routes{};

  MethodMask methods = 0;  // that are answered

  void add(Method method, const Route& route) noexcept {
    routes[static_cast<std::size_t>(method)] = &route;
    methods |= mask_of(method);
    if (method == Method::get) methods |= mask_of(Method::head);
  }
};

struct Router::Search {
  Method method;
  RouteMatch& found;
};

namespace {

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw ConfigError("http: route \"" + std::string(pattern) + "\": " + std::string(why));
}

bool is_number(std::string_view text) noexcept {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

bool is_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c == '_' || (is(c, kToken) && (is(c, kDigit) || (lower(c) >= 'a' && lower(c) <= 'z')));
  });
}

}  // namespace

std::string allow_text(MethodMask allowed) {
  std::string text;
  for (std::size_t i = 0; i < kMethods; ++i) {
    const auto method = static_cast<Method>(i);
    if (((allowed | mask_of(Method::options)) & mask_of(method)) == 0) continue;
    if (!text.empty()) text += ", ";
    text += name(method);
  }
  return text;
}

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;

std::vector<std::string> Router::add(Method method, std::string_view pattern, const Route& route) {
  if (pattern.empty() || pattern.front() != '/') refuse(pattern, "must begin with /");
  std::vector<std::string> names;
  Node* node = root_.get();
  std::string_view left = pattern.substr(1);
  for (bool more = true; more;) {
    const std::size_t slash = left.find('/');
    more = slash != std::string_view::npos;
    if (node == nullptr) refuse(pattern, "{rest...} must come last");
    node = &descend(*node, left.substr(0, slash), names, pattern);
    if (more && left.substr(0, slash).empty()) refuse(pattern, "has an empty segment");
    if (more && left.substr(0, slash).ends_with("...}"))
      refuse(pattern, "{rest...} must come last");
    left = more ? left.substr(slash + 1) : std::string_view();
  }
  if (node->routes[static_cast<std::size_t>(method)] != nullptr) {
    refuse(pattern, std::string(name(method)) + " is there already");
  }
  node->add(method, route);
  all_methods_ |= node->methods;
  return names;
}

Router::Node& Router::descend(Node& from, std::string_view segment, std::vector<std::string>& names,
                              std::string_view pattern) {
  const auto made = [](std::unique_ptr<Node>& slot) -> Node& {
    if (slot == nullptr) slot = std::make_unique<Node>();
    return *slot;
  };
  if (segment.find_first_of("{}") == std::string_view::npos) {
    if (segment == "." || segment == "..") refuse(pattern, "has a dot segment");
    for (auto& [text, node] : from.literals) {
      if (text == segment) return *node;
    }
    return *from.literals.emplace_back(segment, std::make_unique<Node>()).second;
  }
  if (segment.front() != '{' || segment.back() != '}' || segment.size() < 3) {
    refuse(pattern, "a parameter must be a whole segment: {name}, {name:int} or {name...}");
  }
  std::string_view inner = segment.substr(1, segment.size() - 2);
  std::unique_ptr<Node>* slot = &from.name;
  if (inner.ends_with(":int")) {
    inner.remove_suffix(4);
    slot = &from.number;
  } else if (inner.ends_with("...")) {
    inner.remove_suffix(3);
    slot = &from.rest;
  }
  if (!is_name(inner)) refuse(pattern, "a parameter's name is letters, digits and _");
  if (std::find(names.begin(), names.end(), inner) != names.end()) {
    refuse(pattern, "two parameters have one name");
  }
  if (names.size() == kMaxParams) refuse(pattern, "has more than 8 parameters");
  names.emplace_back(inner);
  return made(*slot);
}

bool Router::accept(const Node& node, Search& search) noexcept {
  search.found.allowed |= node.methods;
  const Route* route = node.routes[static_cast<std::size_t>(search.method)];
  if (route == nullptr && search.method == Method::head) {
    route = node.routes[static_cast<std::size_t>(Method::get)];
  }
  search.found.route = route;
  return route != nullptr;
}

// `rest` is what stands behind the slash before this segment.
bool Router::match(const Node& node, std::string_view rest, Search& search) noexcept {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  const auto enter = [&](const std::unique_ptr<Node>& child) {
    if (child == nullptr) return false;
    if (slash == std::string_view::npos) return accept(*child, search);
    return match(*child, rest.substr(slash + 1), search);
  };
  const auto enter_with = [&](const std::unique_ptr<Node>& child, std::string_view value) {
    search.found.params[search.found.param_count++] = {value.data(), value.size()};
    const bool whole = value.size() == rest.size() && value.data() == rest.data();
    if (whole ? accept(*child, search) : enter(child)) return true;
    --search.found.param_count;
    return false;
  };
  for (const auto& [text, child] : node.literals) {
    if (text == segment && enter(child)) return true;
  }
  if (node.number != nullptr && is_number(segment) && enter_with(node.number, segment)) return true;
  if (node.name != nullptr && !segment.empty() && enter_with(node.name, segment)) return true;
  return node.rest != nullptr && !rest.empty() && enter_with(node.rest, rest);
}

RouteMatch Router::find(Method method, std::string_view path) const noexcept {
  RouteMatch found;
  Search search{method, found};
  if (!path.empty() && path.front() == '/') match(*root_, path.substr(1), search);
  return found;
}

}  // namespace aiserve::inline v0::http::detail
