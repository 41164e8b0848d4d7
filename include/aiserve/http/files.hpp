/// Files of a directory, served with validators, ranges and precompressed siblings.
///
/// Opened and read on the Runtime's blocking pool, piece by piece as the client takes them: memory
/// is bounded whatever a file's size. Nothing outside the directory can be reached: paths come
/// decoded once and free of tricks (Request::path()), and the kernel resolves them beneath the
/// directory (openat2, RESOLVE_BENEATH; without it component by component, following no symbolic
/// link). Only regular files are served. GET and HEAD with ETag and Last-Modified, If-Match,
/// If-Unmodified-Since, If-None-Match, If-Modified-Since, If-Range (RFC 9110 section 13), one range
/// or several (section 14). There are no listings.
/// *Thread safety:* any thread. *Errors:* ConfigError at wiring when there is no such directory;
/// requests: not_found (404), overloaded (503) when the pool's queue is full.
///
///     server.files("/static", "www", {.cache_control = "public, max-age=3600"});
#pragma once

#include <aiserve/http/handler.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace aiserve::inline v0 {
class Runtime;
}

namespace aiserve::inline v0::http {

struct FileOptions {
  /// What a path that ends in '/' shows; empty: 404.
  std::string index = "index.html";
  /// The Cache-Control field of every file; empty: none.
  std::string cache_control{};
  /// Look for FILE.zst, FILE.br and FILE.gz, and send one to clients that accept it.
  bool precompressed = false;
  /// Serve names that begin with a dot. If not, they are 404 like any name that isn't there.
  bool dot_files = false;
  /// Ranges of one request, 1 to 1000; with more of them, or with ranges that together are longer
  /// than the file, the whole file is sent.
  std::size_t max_ranges = 16;
  /// Bytes read at a time, 4 KiB to 16 MiB: what a download holds in memory, about twice.
  std::size_t piece = 256 * 1024;
  /// Content types by extension without dot, before the built-in ones: {"onnx", "application/x"}.
  std::vector<std::pair<std::string, std::string>> types{};
};

/// The handler behind Server::files(): serves what the path parameter `path` names, the index of
/// the directory itself if it is empty. Give its route no timeout: large files take their time.
detail::WriteHandler files(Runtime& runtime, std::string directory, FileOptions options = {});

}  // namespace aiserve::inline v0::http
