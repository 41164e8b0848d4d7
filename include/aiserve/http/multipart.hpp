/// multipart/form-data (RFC 7578): uploads, what an HTML form with files sends.
///
/// Read strictly: nothing before the first boundary nor behind the last, every part with a name,
/// lines that end in CR LF. Beyond a limit 413. Names and file names are what the client says: text
/// to show or to compare, never a path to open.
/// *Thread safety:* multipart() any thread; the values are values.
/// *Errors:* invalid_argument for another Content-Type or one without a usable boundary, malformed,
/// too_large.
///
///     server.post("/upload", [](const Context&, const http::Request& request) {
///       std::string names;
///       for (const http::Part& part : http::multipart(request).value()) names += part.name + "\n";
///       return http::text(std::move(names));
///     });
#pragma once

#include <aiserve/core/bytes.hpp>
#include <aiserve/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0::http {

class Request;

struct MultipartLimits {
  /// Parts of one body, at least 1.
  std::size_t max_parts = 100;
  /// Bytes of one part's content. The whole body is bounded by max_body anyway.
  std::uint64_t max_part_size = 16 * 1024 * 1024;
  /// Header fields of one part, at least 1, and their bytes together.
  std::size_t max_headers = 8;
  std::size_t max_header_bytes = 4096;
  /// Bytes of a part's name and of its file name.
  std::size_t max_name = 256;
};

/// What stands before the content of a part.
struct PartHead {
  std::string name{};                     ///< of the form's field; valid UTF-8
  std::optional<std::string> filename{};  ///< if it is a file; valid UTF-8, may be empty
  std::string content_type{};             ///< as sent; empty: text/plain
};

struct Part : PartHead {
  Bytes body{};  ///< a slice of the request's body
};

/// All parts of a complete body, in their order; nothing is copied but what still lies in the read
/// buffer.
Result<std::vector<Part>> multipart(const Request& request, const MultipartLimits& limits = {});

/// The first part of that name; null if there is none.
const Part* find(const std::vector<Part>& parts, std::string_view name) noexcept;

}  // namespace aiserve::inline v0::http
