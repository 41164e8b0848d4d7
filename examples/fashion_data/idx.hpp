/// Reads an IDX file of unsigned bytes, gzip-compressed or plain.
///
/// IDX is the format of the MNIST family: two zero bytes, the element type, the number of
/// dimensions, one big-endian u32 per dimension, then the elements in row-major order.
/// *Errors:* DataError with one line that names the file, when it is missing, unreadable,
/// truncated, corrupt, or something else than IDX. *Thread safety:* free functions without shared
/// state.
///
///     const IdxArray images = read_idx("/data/t10k-images-idx3-ubyte.gz");
///     images.dims;  // {10000, 28, 28}
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace fashion {

/// A data file that cannot be used. what() is one line for the operator.
class DataError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct IdxArray {
  std::vector<std::uint32_t> dims;
  std::vector<std::uint8_t> values;  ///< as many as the product of dims
};

/// A header that promises more elements than this is taken for a corrupt one.
inline constexpr std::size_t kMaxIdxElements = std::size_t{256} << 20;

IdxArray read_idx(const std::filesystem::path& file);

}  // namespace fashion
