#include "aiserve/http/files.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "aiserve/core/runtime.hpp"
#include "aiserve/http/body_writer.hpp"
#include "http/char_class.hpp"
#include "http/file_lookup.hpp"
#include "http/http_date.hpp"

namespace aiserve::inline v0::http {
namespace {

using detail::ByteRange;
using detail::FileFound;
using detail::FileQuery;
using detail::FileRoot;

using Root = std::shared_ptr<const FileRoot>;
using Found = std::shared_ptr<const FileFound>;

// Unlikely to stand in a file; readers of byteranges go by the lengths anyway.
constexpr std::string_view kBoundary = "aiserve-byteranges-7d1f0c5b9e2a4836";

std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.begin) + "-" +
         std::to_string(range.begin + range.size - 1) + "/" + std::to_string(size);
}

// What stands before one of several ranges (RFC 9110 section 14.6).
std::string part_head(const FileFound& found, const ByteRange& range) {
  return "\r\n--" + std::string(kBoundary) + "\r\nContent-Type: " + found.type +
         "\r\nContent-Range: " + content_range(range, found.size) + "\r\n\r\n";
}
std::string last_boundary() { return "\r\n--" + std::string(kBoundary) + "--\r\n"; }

std::uint64_t content_length(const FileFound& found) {
  std::uint64_t length = 0;
  for (const ByteRange& range : found.ranges) {
    length += range.size;
    if (found.ranges.size() > 1) length += part_head(found, range).size();
  }
  if (found.ranges.size() > 1) length += last_boundary().size();
  return length;
}

// "dir/" for a path that lacks its slash, fit for a Location field.
std::string with_slash(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::string_view last = path.substr(path.rfind('/') + 1);
  std::string location = "./";  // a name with a colon is no scheme behind it
  for (const char c : last) {
    const auto byte = static_cast<unsigned char>(c);
    const char small = detail::lower(c);
    if ((small >= 'a' && small <= 'z') || detail::is(c, detail::kDigit) ||
        std::string_view("-._~").find(c) != std::string_view::npos) {
      location += c;
    } else {
      location += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return location + "/";
}

Response head_of(const FileFound& found, const FileRoot& root, std::string_view path) {
  Response head(found.status);
  if (found.status == 308) return std::move(head.header("Location", with_slash(path)));
  std::string modified;
  detail::append_http_date(modified, found.last_modified);
  head.header("ETag", found.etag).header("Last-Modified", modified);
  if (!root.options.cache_control.empty()) {
    head.header("Cache-Control", root.options.cache_control);
  }
  if (root.options.precompressed) head.header("Vary", "Accept-Encoding");
  if (found.status == 416) {
    head.header("Content-Range", "bytes */" + std::to_string(found.size));
  }
  if (found.status != 200 && found.status != 206) return head;
  head.header("Accept-Ranges", "bytes");
  if (found.coding != detail::Coding::identity) {
    head.header("Content-Encoding", detail::name(found.coding));
  }
  if (found.ranges.size() > 1) {
    head.header("Content-Type", "multipart/byteranges; boundary=" + std::string(kBoundary));
    return head;
  }
  head.header("Content-Type", found.type);
  if (found.status == 206) {
    head.header("Content-Range", content_range(found.ranges.front(), found.size));
  }
  return head;
}

Async<void> send_range(Runtime& runtime, const Context& ctx, Found found, ByteRange range,
                       std::size_t piece, BodyWriter& out) {
  while (range.size != 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(range.size, piece));
    const auto read = [found, offset = range.begin, size] {
      return detail::read_piece(found->file, offset, size);
    };
    Result<Bytes> bytes = co_await runtime.blocking(ctx, read);
    if (!bytes) co_return bytes.error();
    if (Result<void> sent = co_await out.write(*bytes); !sent) co_return sent;
    range.begin += size;
    range.size -= size;
  }
  co_return success();
}

Async<void> send_body(Runtime& runtime, const Context& ctx, const Root& root, const Found& found,
                      BodyWriter& out) {
  const bool several = found->ranges.size() > 1;
  for (const ByteRange& range : found->ranges) {
    if (several) {
      const std::string before = part_head(*found, range);
      if (Result<void> sent = co_await out.write(before); !sent) co_return sent;
    }
    Result<void> sent = co_await send_range(runtime, ctx, found, range, root->options.piece, out);
    if (!sent) co_return sent;
  }
  if (!several) co_return success();
  const std::string end = last_boundary();
  co_return co_await out.write(end);
}

Async<void> serve(Runtime& runtime, const Context& ctx, const Request& request, const Root& root,
                  BodyWriter& out) {
  const bool head_only = request.method() == Method::head;
  const auto look = [root, query = FileQuery(request)]() -> Result<Found> {
    return std::make_shared<const FileFound>(detail::find_file(*root, query));
  };
  Result<Found> looked = co_await runtime.blocking(ctx, look);
  if (!looked) co_return looked.error();
  const Found found = std::move(*looked);
  if (found->status == 404) co_return Error(Errc::not_found, "no such resource");
  Response head = head_of(*found, *root, request.path());
  const bool has_body = found->status == 200 || found->status == 206;
  if (found->status == 304) co_return out.head(std::move(head));
  Result<void> begun = out.head(std::move(head), has_body ? content_length(*found) : 0);
  if (!begun || head_only || !has_body) co_return begun;
  co_return co_await send_body(runtime, ctx, root, found, out);
}

}  // namespace

detail::WriteHandler files(Runtime& runtime, std::string directory, FileOptions options) {
  Root root = std::make_shared<const FileRoot>(std::move(directory), std::move(options));
  return [&runtime, root](const Context& ctx, const Request& request, BodyWriter& out) {
    return serve(runtime, ctx, request, root, out);
  };
}

}  // namespace aiserve::inline v0::http
