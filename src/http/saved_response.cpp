#include "http/saved_response.hpp"

#include <charconv>
#include <string>
#include <string_view>

#include "http/char_class.hpp"
#include "http/response_writer.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

// "aiserve/1 201\r\nName: value\r\n...\r\n\r\nbody"
constexpr std::string_view kMark = "aiserve/1 ";
constexpr std::string_view kEnd = "\r\n";

// What stands before the next CR LF, which goes with it; nothing if there is none.
std::optional<std::string_view> line_of(std::string_view& text) noexcept {
  const std::size_t end = text.find(kEnd);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + kEnd.size());
  return line;
}

bool read_status(std::string_view line, Response& response) noexcept {
  if (!line.starts_with(kMark)) return false;
  line.remove_prefix(kMark.size());
  int status = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), status);
  response.status(status);
  return error == std::errc() && end == line.data() + line.size();
}

bool read_field(std::string_view line, Response& response) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  response.add_header(line.substr(0, colon), trim(line.substr(colon + 1)));
  return true;
}

bool read_fields(std::string_view& text, Response& response) {
  for (;;) {
    const auto line = line_of(text);
    if (!line) return false;
    if (line->empty()) return true;
    if (!read_field(*line, response)) return false;
  }
}

}  // namespace

std::optional<Bytes> SavedResponse::save(const Response& response, std::size_t at_most) {
  const bool whole =
      ResponseWriter::stream(response) == nullptr && ResponseWriter::protocol(response) == nullptr;
  if (!whole || !ResponseWriter::fault(response).empty()) return std::nullopt;
  const std::string_view body = response.body();
  if (body.size() > at_most) return std::nullopt;
  std::string text(kMark);
  text.append(std::to_string(response.status())).append(kEnd);
  text.append(ResponseWriter::field_lines(response)).append(kEnd).append(body);
  if (text.size() > at_most) return std::nullopt;
  return Bytes::adopt(std::move(text));
}

Result<Response> SavedResponse::restore(const Bytes& saved) {
  std::string_view text = saved.text();
  Response response;
  const auto first = line_of(text);
  if (!first || !read_status(*first, response) || !read_fields(text, response) ||
      !ResponseWriter::fault(response).empty()) {
    return Error(Errc::data_loss, "the answer that was kept cannot be read");
  }
  ResponseWriter::replace_body(response, std::string(text));
  return response;
}

}  // namespace aiserve::inline v0::http::detail
