// The page that shows an OpenAPI document: docs_page/ holds its script and its style.
#include <array>
#include <utility>

#include <openssl/evp.h>

#include "aiserve/core/error.hpp"
#include "aiserve/http/openapi.hpp"
#include "http/docs_page_files.hpp"

namespace aiserve::inline v0::http {
namespace {

// As Content-Security-Policy names what may run (CSP level 3, section 2.3.1).
std::string source_hash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw ConfigError("http: OpenSSL has no SHA-256");
  }
  std::array<unsigned char, 4 * EVP_MAX_MD_SIZE / 3 + 4> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return "'sha256-" +
         std::string(reinterpret_cast<const char*>(base64.data()),
                     static_cast<std::size_t>(length)) +
         "'";
}

std::string policy() {
  return "default-src 'none'; connect-src 'self'; img-src data:; style-src " +
         source_hash(detail::kDocsStyle) + "; script-src " + source_hash(detail::kDocsScript) +
         "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string page(std::string_view document) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>API</title>"
      "<meta name=\"viewport\" content=\"width=device-width\"><link rel=\"icon\" href=\"data:,\">"
      "<style>";
  html.append(detail::kDocsStyle).append("</style></head><body><main data-document=\"");
  html.append(escaped(document)).append("\"></main><script>").append(detail::kDocsScript);
  return html + "</script></body></html>\n";
}

}  // namespace

detail::PlainHandler docs_page(std::string_view document) {
  const Bytes html = Bytes::adopt(page(document));
  return [html, csp = policy()](const Context&, const Request&) -> Result<Response> {
    Response response;
    response.body(html, "text/html; charset=utf-8");
    response.header("Content-Security-Policy", csp).header("X-Content-Type-Options", "nosniff");
    return response;
  };
}

}  // namespace aiserve::inline v0::http
