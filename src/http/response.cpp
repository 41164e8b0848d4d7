#include "aiserve/http/response.hpp"

#include <algorithm>
#include <array>

#include "aiserve/core/context.hpp"
#include "aiserve/core/tensor.hpp"
#include "core/json_text.hpp"
#include "http/char_class.hpp"
#include "http/response_writer.hpp"

namespace aiserve::inline v0::http {
namespace {

using v0::detail::JsonText;

// Fields that are the server's to write.
constexpr std::array<std::string_view, 6> kFraming{
    "content-length", "transfer-encoding", "connection", "date", "keep-alive", "upgrade"};

bool is_value(std::string_view value) noexcept {
  const char* const end = value.data() + value.size();
  return detail::field_chars_end(value.data(), end) == end;
}

std::string_view fault_of(std::string_view name, std::string_view value) noexcept {
  if (name.empty()) return "a header field without a name";
  for (const char c : name) {
    if (!detail::is(c, detail::kToken)) return "a header name that is no token";
  }
  if (!is_value(value)) return "a control character in a header value";
  for (const std::string_view framing : kFraming) {
    if (detail::iequals(name, framing)) return "a header field that only the server may set";
  }
  return {};
}

// The line of `fields` that begins with `name` and a colon, with its CR LF; empty if there is none.
std::string_view find_line(std::string_view fields, std::string_view name) noexcept {
  while (!fields.empty()) {
    const std::size_t end = fields.find('\n') + 1;
    const std::string_view line = fields.substr(0, end);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        detail::iequals(line.substr(0, name.size()), name)) {
      return line;
    }
    fields.remove_prefix(end);
  }
  return {};
}

Response with_body(std::string&& text, std::string_view content_type) {
  return detail::ResponseWriter::with_body(std::move(text), content_type);
}

template <class T>
void append_numbers(JsonText& json, const Tensor& tensor) {
  for (const T value : tensor.data<T>()) {
    if constexpr (std::is_floating_point_v<T>) {
      json.number(static_cast<double>(value));
    } else {
      json.number(static_cast<std::int64_t>(value));
    }
  }
}

void append_elements(JsonText& json, const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::u8:
      return append_numbers<std::uint8_t>(json, tensor);
    case DType::i8:
      return append_numbers<std::int8_t>(json, tensor);
    case DType::i16:
      return append_numbers<std::int16_t>(json, tensor);
    case DType::i32:
      return append_numbers<std::int32_t>(json, tensor);
    case DType::i64:
      return append_numbers<std::int64_t>(json, tensor);
    case DType::f32:
      return append_numbers<float>(json, tensor);
    case DType::f64:
      return append_numbers<double>(json, tensor);
    case DType::boolean:
      for (const bool value : tensor.data<bool>()) json.boolean(value);
      return;
    case DType::string:
      for (std::size_t i = 0; i < tensor.elements(); ++i) json.string(tensor.string_at(i));
      return;
    case DType::f16:
    case DType::bf16:
      throw ResultError(Error(Errc::unimplemented, "half precision has no JSON"));
  }
}

Response problem_of(int status, std::string_view type, std::string_view title,
                    std::string_view detail, const Context& ctx) {
  JsonText json;
  json.begin_object();
  json.key("type").string(type);
  json.key("title").string(title);
  json.key("status").number(status);
  json.key("detail").string(detail);
  json.key("request_id").string(ctx.request_id());
  json.end_object();
  return with_body(std::move(json).text(), "application/problem+json").status(status);
}

}  // namespace

Response& Response::header(std::string_view name, std::string_view value) & {
  for (;;) {
    const std::string_view line = find_line(fields_, name);
    if (line.empty()) break;
    fields_.erase(static_cast<std::size_t>(line.data() - fields_.data()), line.size());
  }
  return add_header(name, value);
}

Response& Response::add_header(std::string_view name, std::string_view value) & {
  if (const std::string_view fault = fault_of(name, value); !fault.empty()) {
    fault_ = fault;
    return *this;
  }
  if (detail::iequals(name, "content-type")) content_type_ = {};
  fields_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

std::string_view Response::header(std::string_view name) const noexcept {
  if (!content_type_.empty() && detail::iequals(name, "content-type")) return content_type_;
  const std::string_view line = find_line(fields_, name);
  if (line.empty()) return {};
  return detail::trim(line.substr(name.size() + 1, line.size() - name.size() - 3));
}

void Response::set_content_type(std::string_view content_type) noexcept {
  if (!is_value(content_type)) fault_ = "a control character in a content type";
  content_type_ = content_type;
}

Response& Response::body(std::string text, std::string_view content_type) & noexcept {
  text_ = std::move(text);
  bytes_ = {};
  set_content_type(content_type);
  return *this;
}

Response& Response::body(Bytes bytes, std::string_view content_type) & noexcept {
  text_.clear();
  bytes_ = std::move(bytes);
  set_content_type(content_type);
  return *this;
}

std::string_view Response::body() const noexcept {
  return bytes_.empty() ? std::string_view(text_) : bytes_.text();
}

Response text(std::string body) { return with_body(std::move(body), "text/plain; charset=utf-8"); }
Response html(std::string body) { return with_body(std::move(body), "text/html; charset=utf-8"); }
Response json(std::string encoded) { return with_body(std::move(encoded), "application/json"); }

Response json(const Tensor& tensor) {
  JsonText json;
  json.begin_object();
  json.key("dtype").string(to_string(tensor.dtype()));
  json.key("shape").begin_array();
  for (const std::int64_t dim : tensor.shape().dims()) json.number(dim);
  json.end_array();
  json.key("data").begin_array();
  append_elements(json, tensor);
  json.end_array().end_object();
  return http::json(std::move(json).text());
}

Response bytes(Bytes body) {
  Response response;
  response.body(std::move(body), "application/octet-stream");
  return response;
}

Response no_content() { return Response(204); }
Response see_other(std::string_view location) { return Response(303).header("Location", location); }

Response problem(const Context& ctx, const Error& error) {
  const ErrcTraits& row = traits(error.code());
  Response response =
      problem_of(row.http_status, row.problem_type, row.title, error.message(), ctx);
  if (const auto delay = error.retry_after()) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*delay);
    response.header("Retry-After", std::to_string(seconds.count()));
  }
  return response;
}

Response problem(const Context& ctx, int status, std::string_view detail) {
  return problem_of(status, "about:blank", detail::reason_phrase(status), detail, ctx);
}

}  // namespace aiserve::inline v0::http
