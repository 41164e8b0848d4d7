#include "http/response_coding.hpp"

#include <utility>

#include "aiserve/core/runtime.hpp"
#include "http/char_class.hpp"
#include "http/compress.hpp"
#include "http/response_writer.hpp"

namespace aiserve::inline v0::http {
namespace detail {
namespace {

constexpr std::size_t kMaxInline = 16 * 1024 * 1024;

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (iequals(trim(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

bool matches(std::string_view entry, std::string_view type) noexcept {
  if (entry.ends_with("/*")) {
    entry.remove_suffix(1);
    return type.size() > entry.size() && iequals(type.substr(0, entry.size()), entry);
  }
  if (entry.starts_with('+')) {
    return type.size() > entry.size() && iequals(type.substr(type.size() - entry.size()), entry);
  }
  return iequals(type, entry);
}

}  // namespace

void check(const CompressionOptions& options) {
  if (options.max_size > kMaxInline || options.min_size > options.max_size) {
    throw ConfigError("http: compression.max_size must be min_size to 16 MiB");
  }
  for (const std::string& entry : options.types) {
    if (entry.find('/') != std::string::npos || (entry.size() > 1 && entry.front() == '+'))
      continue;
    throw ConfigError("http: compression.types: \"" + entry + "\" is no media type");
  }
}

bool type_is_listed(const CompressionOptions& options, std::string_view content_type) noexcept {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  for (const std::string& entry : options.types) {
    if (matches(entry, type)) return true;
  }
  return false;
}

bool may_compress(const CompressionOptions& options, const Response& response) noexcept {
  if (ResponseWriter::stream(response) != nullptr) return false;
  const int status = response.status();
  if (status == 204 || status == 206 || status == 304) return false;
  return response.body().size() >= options.min_size &&
         response.header("Content-Encoding").empty() && response.header("Content-Range").empty() &&
         !has_token(response.header("Cache-Control"), "no-transform") &&
         type_is_listed(options, response.header("Content-Type"));
}

Coding wanted_coding(const Request& request) noexcept {
  AcceptEncoding accept;
  bool said = false;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [field, value] = request.header_at(i);
    if (!iequals(field, "accept-encoding")) continue;
    accept.add(value);
    said = true;
  }
  if (!said) return Coding::identity;
  Coding best = Coding::identity;
  int best_weight = 0;
  for (const Coding coding : {Coding::zstd, Coding::brotli, Coding::gzip}) {
    if (!can_compress(coding) || accept.weight(coding) <= best_weight) continue;
    best = coding;
    best_weight = accept.weight(coding);
  }
  return best;
}

std::optional<Coding> request_coding(const Request& request,
                                     const CompressionOptions& options) noexcept {
  std::optional<Coding> found;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [field, value] = request.header_at(i);
    if (!iequals(field, "content-encoding")) continue;
    if (found) return std::nullopt;  // one coding, not several on top of each other
    found = coding_named(value);
    if (!found) return std::nullopt;
  }
  if (found == Coding::identity) return found;
  const bool known = found == Coding::gzip || found == Coding::deflate;
  return known && options.requests ? found : std::nullopt;
}

void add_vary(Response& response) {
  const std::string_view vary = response.header("Vary");
  if (vary == "*" || has_token(vary, "accept-encoding")) return;
  response.add_header("Vary", "Accept-Encoding");
}

void set_coded_body(Response& response, Coding coding, std::string body) {
  ResponseWriter::replace_body(response, std::move(body));
  response.header("Content-Encoding", name(coding));
  const std::string tag(response.header("ETag"));
  if (!tag.empty() && !tag.starts_with("W/")) response.header("ETag", "W/" + tag);
}

void compress_response(const CompressionOptions& options, const Request& request,
                       Response& response) {
  if (response.body().size() > options.max_size || !may_compress(options, response)) return;
  add_vary(response);
  const Coding coding = wanted_coding(request);
  if (coding == Coding::identity) return;
  auto body = compress(coding, response.body());
  if (body) set_coded_body(response, coding, std::move(*body));
}

}  // namespace detail

Async<Response> compressed(Runtime& runtime, const Context& ctx, const Request& request,
                           Response response) {
  using detail::Coding;
  static const CompressionOptions kDefaults;
  if (!detail::may_compress(kDefaults, response)) co_return std::move(response);
  detail::add_vary(response);
  const Coding coding = detail::wanted_coding(request);
  if (coding == Coding::identity) co_return std::move(response);
  const Bytes plain = detail::ResponseWriter::share_body(response);
  const auto work = [coding, plain] { return detail::compress(coding, plain.text()); };
  Result<std::optional<std::string>> body = co_await runtime.cpu(ctx, work);
  if (!body.ok() && body.error().code() != Errc::overloaded) co_return body.error();
  if (body.ok() && *body) detail::set_coded_body(response, coding, std::move(**body));
  co_return std::move(response);
}

}  // namespace aiserve::inline v0::http
