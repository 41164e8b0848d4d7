#include "http/cors.hpp"

#include <algorithm>

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// As browsers write it: lower case, no path, no slash at the end.
bool is_origin(std::string_view text) noexcept {
  const std::size_t scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme + 3);
  const auto plain = [](std::string_view part, std::string_view also) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [also](char c) {
      const bool common = (c >= 'a' && c <= 'z') || is(c, kDigit) || c == '-' || c == '.';
      return common || also.find(c) != std::string_view::npos;
    });
  };
  return plain(text.substr(0, scheme), "+") && plain(host, "_:[]");
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
  return text;
}

void check(const CorsOptions& options) {
  const bool any = options.origins == std::vector<std::string>{"*"};
  if (options.origins.empty()) throw ConfigError("http: cors.origins is empty");
  if (any && options.credentials) {
    throw ConfigError("http: cors.origins is \"*\", which cannot have credentials");
  }
  for (const std::string& origin : options.origins) {
    if (!any && !is_origin(origin)) {
      throw ConfigError("http: cors.origins has \"" + origin + "\", which is no origin");
    }
  }
  if (options.max_age.count() < 0) throw ConfigError("http: cors.max_age is less than 0");
}

class Cors {
 public:
  explicit Cors(const CorsOptions& options)
      : origins_(options.origins),
        any_(options.origins.front() == "*"),
        credentials_(options.credentials),
        headers_(joined(options.headers)),
        exposed_(joined(options.exposed)),
        max_age_(std::to_string(options.max_age.count())) {}

  void apply(const Request& request, Response& response) const {
    if (!any_) response.add_header("Vary", "Origin");
    const std::string_view origin = request.header("Origin");
    if (!allowed(origin)) return;
    response.header("Access-Control-Allow-Origin", any_ ? "*" : origin);
    if (credentials_) response.header("Access-Control-Allow-Credentials", "true");
    const bool preflight =
        request.method() == Method::options && request.has_header("Access-Control-Request-Method");
    if (preflight) {
      answer_preflight(response);
    } else if (!exposed_.empty()) {
      response.header("Access-Control-Expose-Headers", exposed_);
    }
  }

 private:
  bool allowed(std::string_view origin) const noexcept {
    if (origin.empty()) return false;
    return any_ || std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
  }
  void answer_preflight(Response& response) const {
    const std::string methods(response.header("Allow"));
    if (methods.empty()) return;  // there is no such path
    response.header("Access-Control-Allow-Methods", methods);
    if (!headers_.empty()) response.header("Access-Control-Allow-Headers", headers_);
    response.header("Access-Control-Max-Age", max_age_);
  }

  std::vector<std::string> origins_;
  bool any_;
  bool credentials_;
  std::string headers_;
  std::string exposed_;
  std::string max_age_;
};

}  // namespace

AfterHook cors_hook(const CorsOptions& options) {
  check(options);
  return [cors = Cors(options)](const Context&, const Request& request, Response& response) {
    cors.apply(request, response);
  };
}

}  // namespace aiserve::inline v0::http::detail
