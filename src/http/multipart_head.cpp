// The head of a part, and the boundary in the head of the request.
#include <algorithm>
#include <utility>

#include "http/char_class.hpp"
#include "http/multipart.hpp"
#include "http/target.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 section 5.1.1

// bchars of RFC 2046 section 5.1.1.
bool is_boundary_char(char c) noexcept {
  constexpr std::string_view kOthers = "'()+_,-./:=? ";
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || is(c, kDigit) ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_boundary(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxBoundary && text.back() != ' ' &&
         std::all_of(text.begin(), text.end(), is_boundary_char);
}

struct Parameter {
  std::string_view name;
  std::string value;
};

// Takes `"..."` off the front. Of escapes only \" and \\ are known: browsers write a file's name
// with bare backslashes and %22 for a quote (WHATWG HTML, multipart form data).
bool take_quoted(std::string_view& text, std::string& value) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (escape) ++i;
    if (!escape && text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    value += text[i];
  }
  return false;
}

// Takes `; name=value` off the front of what follows a type. False if it is malformed.
bool take_parameter(std::string_view& text, Parameter& parameter) {
  text = trim(text);
  if (text.front() != ';') return false;
  text = trim(text.substr(1));
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) return false;
  parameter = {text.substr(0, equals), {}};
  for (const char c : parameter.name) {
    if (!is(c, kToken)) return false;
  }
  text.remove_prefix(equals + 1);
  if (text.starts_with('"')) return take_quoted(text, parameter.value);
  std::size_t n = 0;
  while (n < text.size() && is(text[n], kToken)) ++n;
  parameter.value.assign(text.substr(0, n));
  text.remove_prefix(n);
  return n != 0;
}

std::string_view set_once(std::optional<std::string>& slot, std::string& value,
                          const MultipartLimits& limits) {
  if (slot) return "a parameter of Content-Disposition is repeated";
  if (value.size() > limits.max_name) return "the name of a part is too long";
  if (!is_valid_utf8(value)) return "the name of a part is not UTF-8";
  slot = std::move(value);
  return {};
}

std::string_view parse_disposition(std::string_view value, const MultipartLimits& limits,
                                   PartHead& head) {
  constexpr std::string_view kMalformed = "a malformed Content-Disposition";
  const std::size_t end = std::min(value.find(';'), value.size());
  if (!iequals(trim(value.substr(0, end)), "form-data")) return kMalformed;
  value.remove_prefix(end);
  std::optional<std::string> name;
  Parameter parameter;
  while (!trim(value).empty()) {
    if (!take_parameter(value, parameter)) return kMalformed;
    std::string_view fault;
    if (iequals(parameter.name, "name")) fault = set_once(name, parameter.value, limits);
    if (iequals(parameter.name, "filename")) {
      fault = set_once(head.filename, parameter.value, limits);
    }
    if (!fault.empty()) return fault;
  }
  if (!name || name->empty()) return "a part without a name";
  head.name = std::move(*name);
  return {};
}

std::string_view check_field(std::string_view name, std::string_view value) noexcept {
  if (name.empty()) return "a header field of a part without a name";
  for (const char c : name) {
    if (!is(c, kToken)) return "a malformed header name in a part";
  }
  for (const char c : value) {
    if (!is(c, kField)) return "a control character in the head of a part";
  }
  return {};
}

// RFC 7578 section 4.7: nobody is to encode contents; what is encoded would be taken for content.
bool is_plain_transfer(std::string_view encoding) noexcept {
  return iequals(encoding, "binary") || iequals(encoding, "8bit") || iequals(encoding, "7bit");
}

}  // namespace

std::optional<std::string> multipart_boundary(std::string_view content_type) {
  const std::size_t end = std::min(content_type.find(';'), content_type.size());
  if (!iequals(trim(content_type.substr(0, end)), "multipart/form-data")) return std::nullopt;
  content_type.remove_prefix(end);
  std::optional<std::string> boundary;
  Parameter parameter;
  while (!trim(content_type).empty()) {
    if (!take_parameter(content_type, parameter)) return std::nullopt;
    if (!iequals(parameter.name, "boundary")) continue;
    if (boundary || !is_boundary(parameter.value)) return std::nullopt;
    boundary = std::move(parameter.value);
  }
  return boundary;
}

std::string_view parse_part_head(std::string_view fields, const MultipartLimits& limits,
                                 PartHead& head) {
  bool disposed = false;
  for (std::size_t count = 0; !fields.empty(); ++count) {
    if (count == limits.max_headers) return "too many header fields in a part";
    const std::size_t end = fields.find("\r\n");
    const std::string_view line = fields.substr(0, end);
    fields.remove_prefix(std::min(end + 2, fields.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "a header line of a part without a colon";
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    std::string_view fault = check_field(name, value);
    if (iequals(name, "content-disposition") && fault.empty()) {
      fault = std::exchange(disposed, true) ? "a repeated Content-Disposition"
                                            : parse_disposition(value, limits, head);
    } else if (iequals(name, "content-type")) {
      head.content_type = value;
    } else if (iequals(name, "content-transfer-encoding") && !is_plain_transfer(value)) {
      fault = "a content transfer encoding";
    }
    if (!fault.empty()) return fault;
  }
  return disposed ? std::string_view() : "a part without a Content-Disposition";
}

}  // namespace aiserve::inline v0::http::detail
