/// Makes IDX files, good and bad.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <zlib.h>

namespace fashion::testing {

inline std::string idx(std::initializer_list<std::uint32_t> dims, std::string_view values,
                       char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(dims.size())};
  for (const std::uint32_t dim : dims)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(dim >> shift & 0xff);
  return bytes.append(values);
}

inline void write_plain(const std::filesystem::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), std::ssize(bytes));
}

inline void write_gz(const std::filesystem::path& file, std::string_view bytes) {
  const gzFile out = gzopen(file.c_str(), "wb");
  if (out == nullptr) throw std::runtime_error("cannot write " + file.string());
  const auto size = static_cast<unsigned>(bytes.size());
  const bool written = gzwrite(out, bytes.data(), size) == static_cast<int>(size);
  if (gzclose(out) != Z_OK || !written) throw std::runtime_error("cannot write " + file.string());
}

inline std::string content(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace fashion::testing
