// The JSON file beside a model: its name, version, signature, digest and sample (docs/models.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "aiserve/serving/signature.hpp"

namespace aiserve::inline v0::detail {

// Rows with known answers, in two files of raw elements beside the side-car: one tensor after the
// other in the signature's order.
struct Sample {
  std::string input_file;   // a plain file name
  std::string output_file;  // a plain file name
  std::size_t rows = 0;     // 1 to 65536
  std::int64_t length = 0;  // of dimensions of any length, 1 to 2^24; 0: not given
  double tolerance = 1e-4;  // absolute and relative
};

struct SideCar {
  std::string name;
  std::string version;
  std::string sha256;  // lower case; empty if it has none
  Signature signature;
  std::optional<Sample> sample{};
};

// Unknown keys are ignored at the top and errors inside of inputs and outputs: a misspelt "shape"
// must not pass. Errors: malformed or invalid_argument, one line.
Result<SideCar> parse_side_car(std::string_view text);

}  // namespace aiserve::inline v0::detail
