/// The files of page/, compiled into the program by embed.cmake.
#pragma once

#include <span>
#include <string_view>

namespace service {

struct PageFile {
  std::string_view name;  ///< "index.html"
  std::string_view etag;  ///< quoted, from the SHA-256 of the bytes
  std::span<const unsigned char> bytes;
};

std::span<const PageFile> page_files();

}  // namespace service
