/// ShapeOptions: how requests of different lengths share batches.
///
/// A signature may say -1 ("any length") for more than the first dimension. The length of a request
/// is the size of the first such dimension of its inputs.
/// exact: only requests of equal shapes ride together; nothing is added. Right for few shapes.
/// padded: each input is filled up to the longest of its batch; requests of similar length ride
/// together, and outputs are cut back. Needs a model whose answer padding does not change, usually
/// by a mask. ragged: rows are laid end to end, and Batch::offsets() says where each begins.
/// padded and ragged: at most one dimension of any length per tensor, of one size in all inputs of
/// a request. ragged: it is the first dimension of a row.
/// *Thread safety:* values. *Errors:* what takes them throws ConfigError naming the option.
///
///     ShapeOptions shapes{.mode = ShapeMode::padded, .edges = {32, 64, 128}, .mask = "mask"};
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aiserve::inline v0 {

enum class ShapeMode : std::uint8_t { exact, padded, ragged };
std::string_view to_string(ShapeMode mode) noexcept;

struct ShapeOptions {
  ShapeMode mode = ShapeMode::exact;
  /// padded: the lengths that buckets end at, ascending, 1 to 64 of them; the last one is the
  /// longest request that is taken. Empty: learned from what comes.
  std::vector<std::int64_t> edges{};
  /// padded: what inputs are filled up with. Every variable input must be able to hold it.
  double pad_value = 0;
  /// The name of a model input that the batcher fills: 1 for real elements, 0 for padding. Requests
  /// don't bring it. Empty: none.
  std::string mask{};
  /// padded: fill up to the bucket's edge instead of the longest of the batch, for models that are
  /// compiled for fixed shapes.
  bool pad_to_edge = false;
};

}  // namespace aiserve::inline v0
