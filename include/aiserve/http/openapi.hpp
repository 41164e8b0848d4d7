/// OpenAPI 3.1 of the typed routes of a server, and a page that shows it.
///
/// The document is made from the same descriptions that requests are read by, at the first request
/// for it; routes whose handlers are not typed are not in it. The page needs nothing from
/// elsewhere: it works offline, under a Content-Security-Policy that allows it nothing but its own
/// origin, and sends requests that are filled in on it, with a token or key that stays in the page.
/// *Thread safety:* the handlers: any thread. *Errors:* none.
///
///     server.get("/openapi.json", http::openapi(server, {.title = "Pets", .version = "1.2.0"}));
///     server.get("/docs", http::docs_page("/openapi.json"));
#pragma once

#include <aiserve/http/handler.hpp>
#include <aiserve/http/typed_operation.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http {

class Server;

/// How callers say who they are. Told only: checking is the hooks' (Server::before).
struct SecurityScheme {
  enum class Kind : std::uint8_t {
    bearer,  ///< Authorization: Bearer TOKEN
    header,  ///< a header field of its own
  };
  Kind kind = Kind::bearer;
  /// What the document calls it.
  std::string name = "token";
  /// Of Kind::header.
  std::string field = "X-API-Key";
};

struct OpenApiOptions {
  std::string title = "API";
  /// Of the API, not of OpenAPI.
  std::string version = "1.0.0";
  /// In CommonMark.
  std::string description{};
  /// URLs under which it is reached. Default: where the document came from.
  std::vector<std::string> servers{};
  /// Any one of them is needed, but by routes that are TypedOptions::open_to_all.
  std::vector<SecurityScheme> security{};
};

std::string openapi_document(const std::vector<RouteInfo>& routes, const OpenApiOptions& options);

/// Serves the document. The server must be the one it is given to, or outlive it.
detail::PlainHandler openapi(const Server& server, OpenApiOptions options = {});

/// Serves the page for the document at that path.
detail::PlainHandler docs_page(std::string_view document = "/openapi.json");

}  // namespace aiserve::inline v0::http
