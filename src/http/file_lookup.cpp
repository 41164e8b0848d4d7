#include "http/file_lookup.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

#include "http/char_class.hpp"
#include "http/media_type.hpp"
#include "http/preconditions.hpp"
#include "http/safe_open.hpp"

namespace aiserve::inline v0::http::detail {
namespace {

FileOptions checked(FileOptions options) {
  const auto refuse = [](const char* what) {
    throw ConfigError("http: files: " + std::string(what));
  };
  if (options.max_ranges < 1 || options.max_ranges > 1000) refuse("max_ranges must be 1 to 1000");
  if (options.piece < 4096 || options.piece > 16 * 1024 * 1024) {
    refuse("piece must be 4 KiB to 16 MiB");
  }
  if (options.index.find('/') != std::string::npos) refuse("index must be a name, not a path");
  return options;
}

Descriptor opened(const std::string& path) {
  Descriptor directory = open_directory(path);
  if (!directory) {
    throw ConfigError("http: files: " + path + ": " + std::strerror(errno));
  }
  return directory;
}

bool has_dot_name(std::string_view path) noexcept {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

std::string_view type_of(const FileOptions& options, std::string_view path) noexcept {
  const std::string_view extension = extension_of(path);
  for (const auto& [known, type] : options.types) {
    if (iequals(known, extension)) return type;
  }
  return media_type_of(path);
}

// `"SIZE-MTIME"`, both in hex: changes whenever a file is written as a whole or renamed over.
std::string etag_of(const struct stat& file) {
  const auto nanos = static_cast<std::uint64_t>(file.st_mtim.tv_sec) * 1'000'000'000 +
                     static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
  std::array<char, 40> text;
  char* end = text.data();
  *end++ = '"';
  end = std::to_chars(end, text.data() + text.size(), static_cast<std::uint64_t>(file.st_size), 16)
            .ptr;
  *end++ = '-';
  end = std::to_chars(end, text.data() + text.size(), nanos, 16).ptr;
  *end++ = '"';
  return {text.data(), end};
}

bool take(Descriptor file, const struct stat& status, FileFound& found) {
  if (!file || !S_ISREG(status.st_mode)) return false;
  found.file = std::move(file);
  found.size = static_cast<std::uint64_t>(status.st_size);
  found.etag = etag_of(status);
  found.last_modified = status.st_mtim.tv_sec;
  return true;
}

bool open_file(const FileRoot& root, const std::string& path, FileFound& found) {
  struct stat status {};
  Descriptor file = open_beneath(root.directory, path);
  if (!file || ::fstat(file.get(), &status) != 0) return false;
  if (S_ISDIR(status.st_mode)) found.status = 308;
  return take(std::move(file), status, found);
}

// The sibling that this client wants most takes the file's place.
void choose_sibling(const FileRoot& root, const std::string& path, const FileQuery& query,
                    FileFound& found) {
  struct Sibling {
    Coding coding;
    const char* extension;
  };
  static constexpr std::array<Sibling, 3> kSiblings{
      {{Coding::zstd, ".zst"}, {Coding::brotli, ".br"}, {Coding::gzip, ".gz"}}};
  int best = 0;
  FileFound sibling;
  for (const auto& [coding, extension] : kSiblings) {
    if (query.accept.weight(coding) <= best) continue;
    if (!open_file(root, path + extension, sibling)) continue;
    best = query.accept.weight(coding);
    found.file = std::move(sibling.file);
    found.size = sibling.size;
    found.etag = std::move(sibling.etag);
    found.last_modified = sibling.last_modified;
    found.coding = coding;
  }
}

void choose_bytes(const FileRoot& root, const FileQuery& query, FileFound& found) {
  const Validators have{found.etag, found.last_modified};
  found.status = check_conditions({query.if_match, query.if_unmodified_since, query.if_none_match,
                                   query.if_modified_since, query.if_range},
                                  have);
  if (found.status != 200) return;
  found.ranges = {{0, found.size}};
  if (!query.get || query.range.empty() || !range_applies(query.if_range, have)) return;
  RangeChoice choice = choose_ranges(query.range, found.size, root.options.max_ranges);
  if (choice.kind == RangeChoice::Kind::whole) return;
  found.status = choice.kind == RangeChoice::Kind::parts ? 206 : 416;
  found.ranges = std::move(choice.ranges);
}

}  // namespace

FileRoot::FileRoot(std::string path, FileOptions given)
    : options(checked(std::move(given))), directory(opened(path)) {}

FileQuery::FileQuery(const Request& request)
    : get(request.method() == Method::get),
      path(request.param("path")),
      if_match(request.header("if-match")),
      if_unmodified_since(request.header("if-unmodified-since")),
      if_none_match(request.header("if-none-match")),
      if_modified_since(request.header("if-modified-since")),
      if_range(request.header("if-range")),
      range(request.header("range")) {
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const auto [field, value] = request.header_at(i);
    if (iequals(field, "accept-encoding")) accept.add(value);
  }
}

FileFound find_file(const FileRoot& root, const FileQuery& query) {
  FileFound found;
  std::string path = query.path;
  if (path.empty() || path.back() == '/') {
    if (root.options.index.empty()) return found;
    path += root.options.index;
  }
  if (!root.options.dot_files && has_dot_name(path)) return found;
  if (!open_file(root, path, found)) return found;
  found.type = type_of(root.options, path);
  if (root.options.precompressed) choose_sibling(root, path, query, found);
  choose_bytes(root, query, found);
  return found;
}

Result<Bytes> read_piece(const Descriptor& file, std::uint64_t offset, std::size_t size) {
  MutableBytes block(size);
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n =
        ::pread(file.get(), block.data() + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Error(Errc::data_loss, "a file became shorter while it was read");
    got += static_cast<std::size_t>(n);
  }
  return std::move(block).freeze();
}

}  // namespace aiserve::inline v0::http::detail
