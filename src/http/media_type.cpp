#include "http/media_type.hpp"

#include "http/char_class.hpp"

namespace aiserve::inline v0::http::detail {

std::string_view extension_of(std::string_view file_name) noexcept {
  const std::size_t dot = file_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : file_name.substr(dot + 1);
}

std::string_view media_type_of(std::string_view file_name) noexcept {
  struct Row {
    std::string_view extension;
    std::string_view type;
  };
  static constexpr Row kRows[] = {{"html", "text/html; charset=utf-8"},
                                  {"htm", "text/html; charset=utf-8"},
                                  {"css", "text/css; charset=utf-8"},
                                  {"js", "text/javascript; charset=utf-8"},
                                  {"mjs", "text/javascript; charset=utf-8"},
                                  {"json", "application/json"},
                                  {"map", "application/json"},
                                  {"webmanifest", "application/manifest+json"},
                                  {"txt", "text/plain; charset=utf-8"},
                                  {"md", "text/markdown; charset=utf-8"},
                                  {"csv", "text/csv; charset=utf-8"},
                                  {"xml", "application/xml"},
                                  {"svg", "image/svg+xml"},
                                  {"png", "image/png"},
                                  {"jpg", "image/jpeg"},
                                  {"jpeg", "image/jpeg"},
                                  {"gif", "image/gif"},
                                  {"webp", "image/webp"},
                                  {"avif", "image/avif"},
                                  {"ico", "image/x-icon"},
                                  {"woff", "font/woff"},
                                  {"woff2", "font/woff2"},
                                  {"ttf", "font/ttf"},
                                  {"otf", "font/otf"},
                                  {"wasm", "application/wasm"},
                                  {"pdf", "application/pdf"},
                                  {"mp3", "audio/mpeg"},
                                  {"wav", "audio/wav"},
                                  {"ogg", "audio/ogg"},
                                  {"mp4", "video/mp4"},
                                  {"webm", "video/webm"},
                                  {"gz", "application/gzip"},
                                  {"zip", "application/zip"}};
  const std::string_view extension = extension_of(file_name);
  for (const Row& row : kRows) {
    if (iequals(extension, row.extension)) return row.type;
  }
  return "application/octet-stream";
}

}  // namespace aiserve::inline v0::http::detail
