// What a request for a file leads to, found out on the blocking pool: which file, which status,
// which bytes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/core/result.hpp"
#include "aiserve/http/files.hpp"
#include "http/byte_range.hpp"
#include "http/coding.hpp"
#include "http/listener.hpp"

namespace aiserve::inline v0::http::detail {

// A directory and how it is served; shared by all requests of a route.
struct FileRoot {
  FileRoot(std::string directory, FileOptions given);  // throws ConfigError

  const FileOptions options;
  const Descriptor directory;
};

// What the request says, copied: it may end before the pool has answered.
struct FileQuery {
  explicit FileQuery(const Request& request);

  bool get = false;  // not HEAD
  std::string path;
  std::string if_match;
  std::string if_unmodified_since;
  std::string if_none_match;
  std::string if_modified_since;
  std::string if_range;
  std::string range;
  AcceptEncoding accept;
};

struct FileFound {
  int status = 404;  // 200, 206, 304, 308 (a directory without its slash), 404, 412, 416
  Descriptor file;
  std::uint64_t size = 0;  // of the file
  std::string etag;
  std::int64_t last_modified = 0;
  std::string type;
  Coding coding = Coding::identity;
  std::vector<ByteRange> ranges;  // what to send
};

FileFound find_file(const FileRoot& root, const FileQuery& query);

// Exactly that many bytes from there; data_loss if the file has become shorter.
Result<Bytes> read_piece(const Descriptor& file, std::uint64_t offset, std::size_t size);

}  // namespace aiserve::inline v0::http::detail
