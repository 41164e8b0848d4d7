#include "page.hpp"

#include <aiserve/http/server.hpp>

#include <string>

#include "routes.hpp"

namespace service {

using aiserve::Bytes;
using aiserve::Context;
namespace http = aiserve::http;

namespace {

std::string_view content_type(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/javascript; charset=utf-8";
}

/// Nothing but what this server sent may run, and nobody may put the page into a frame.
http::Response guarded(http::Response response) {
  return std::move(response)
      .header("Content-Security-Policy",
              "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
      .header("X-Content-Type-Options", "nosniff")
      .header("Referrer-Policy", "no-referrer")
      .header("Cache-Control", "no-cache");
}

http::Response serve(const PageFile& file, const http::Request& request) {
  http::Response response = guarded(http::Response()).header("ETag", file.etag);
  if (request.header("If-None-Match") == file.etag) return std::move(response).status(304);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  return std::move(response.body(Bytes::literal(text), content_type(file.name)));
}

}  // namespace

void add_page(http::Server& server) {
  for (const PageFile& file : page_files()) {
    const std::string path = file.name == "index.html" ? "/" : "/" + std::string(file.name);
    server.get(path, [&file](const Context&, const http::Request& request) {
      return serve(file, request);
    });
  }
  server.get("/favicon.ico",
             [](const Context&, const http::Request&) { return http::no_content(); });
}

}  // namespace service
