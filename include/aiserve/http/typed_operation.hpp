/// TypedOperation: what a typed route takes, gives and is called; what OpenAPI tells of it.
///
/// *Thread safety:* const, any thread.
///
///     for (const http::RouteInfo& route : server.routes()) {
///       if (route.operation != nullptr) use(route.operation->options.summary);
///     }
#pragma once

#include <aiserve/http/described_type.hpp>
#include <aiserve/http/json_limits.hpp>
#include <aiserve/http/method.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http {

/// Of one typed route: what is documented, and how strictly is read.
struct TypedOptions {
  /// Of the answer when all went well, 200 to 299. Default: 200, or 204 if there is nothing to say.
  int status = 0;
  /// One line for lists.
  std::string summary{};
  /// Paragraphs, in CommonMark.
  std::string description{};
  /// What a generated client calls the function; unique. Default: from method and pattern,
  /// "post_v1_pets".
  std::string operation_id{};
  /// Groups in the documentation.
  std::vector<std::string> tags{};
  bool deprecated = false;
  /// Told by OpenApiOptions::security to need none.
  bool open_to_all = false;
  JsonLimits limits{};
};

namespace detail {

struct TypedOperation {
  TypeRef input = nullptr;   // null: takes nothing
  TypeRef output = nullptr;  // null: answers without a body that is described
  TypedOptions options{};
};

/// ConfigError if method and pattern cannot give the operation what it reads.
void check_operation(const TypedOperation& operation, Method method, std::string_view pattern);

}  // namespace detail

/// A route as Server::routes() lists it.
struct RouteInfo {
  Method method = Method::get;
  std::string pattern{};
  /// Null for routes whose handler is not typed.
  std::shared_ptr<const detail::TypedOperation> operation{};
};

}  // namespace aiserve::inline v0::http
