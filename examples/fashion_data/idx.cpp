#include "idx.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include <zlib.h>

namespace fashion {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;
constexpr std::size_t kMaxDims = 8;

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

/// A gzip (or plain) file read to the last byte; every failure names the file.
class GzReader {
 public:
  explicit GzReader(const std::filesystem::path& path) : path_(path.string()) {
    errno = 0;
    file_.reset(gzopen(path_.c_str(), "rb"));
    if (!file_) fail(errno != 0 ? std::strerror(errno) : "out of memory");
  }

  /// Reads up to `size` bytes; fewer means the end of the file.
  std::size_t read(std::uint8_t* out, std::size_t size) {
    std::size_t done = 0;
    while (done < size) {
      const auto step = static_cast<unsigned>(std::min<std::size_t>(size - done, 1U << 20));
      errno = 0;
      const int got = gzread(file_.get(), out + done, step);
      check();
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void read_exactly(std::uint8_t* out, std::size_t size) {
    if (read(out, size) != size) fail("truncated");
  }

  [[noreturn]] void fail(const std::string& why) const { throw DataError(path_ + ": " + why); }

 private:
  void check() const {
    const int system_error = errno;
    int code = Z_OK;
    gzerror(file_.get(), &code);
    switch (code) {
      case Z_OK:
      case Z_STREAM_END:
        return;
      case Z_BUF_ERROR:
        fail("truncated");
      case Z_ERRNO:
        fail(system_error != 0 ? std::strerror(system_error) : "cannot be read");
      case Z_MEM_ERROR:
        fail("out of memory");
      default:
        fail("corrupt gzip data");
    }
  }

  std::string path_;
  std::unique_ptr<gzFile_s, GzClose> file_;
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return value;
}

std::vector<std::uint32_t> read_dims(GzReader& reader) {
  std::array<std::uint8_t, 4> magic{};
  reader.read_exactly(magic.data(), magic.size());
  if (magic[0] != 0 || magic[1] != 0) reader.fail("not an IDX file");
  if (magic[2] != kUnsignedByte) reader.fail("holds no unsigned bytes");
  if (magic[3] == 0 || magic[3] > kMaxDims) reader.fail("has no usable number of dimensions");

  std::vector<std::uint32_t> dims(magic[3]);
  for (std::uint32_t& dim : dims) {
    std::array<std::uint8_t, 4> bytes{};
    reader.read_exactly(bytes.data(), bytes.size());
    dim = big_endian(bytes.data());
  }
  return dims;
}

std::size_t element_count(const std::vector<std::uint32_t>& dims, const GzReader& reader) {
  std::size_t count = 1;
  for (const std::uint32_t dim : dims) {
    if (dim == 0) reader.fail("is empty");
    if (dim > kMaxIdxElements / count) reader.fail("promises more data than this reader takes");
    count *= dim;
  }
  return count;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& file) {
  GzReader reader(file);
  IdxArray array;
  array.dims = read_dims(reader);
  array.values.resize(element_count(array.dims, reader));
  reader.read_exactly(array.values.data(), array.values.size());

  // Reading on also makes zlib check the checksum at the end.
  std::uint8_t extra = 0;
  if (reader.read(&extra, 1) != 0) reader.fail("holds more data than its header says");
  return array;
}

}  // namespace fashion
