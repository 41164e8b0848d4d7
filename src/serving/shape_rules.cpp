#include "serving/shape_rules.hpp"

#include <algorithm>
#include <array>

#include "decide/length_buckets.hpp"

namespace aiserve::inline v0 {

std::string_view to_string(ShapeMode mode) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"exact", "padded", "ragged"};
  return kNames[static_cast<std::size_t>(mode)];
}

namespace detail {
namespace {

[[noreturn]] void fail(const std::string& option, const std::string& why) {
  throw ConfigError("shapes." + option + ": " + why);
}

}  // namespace

std::size_t first_variable(const TensorSpec& spec) noexcept {
  const auto row = spec.shape().dims().subspan(1);
  return static_cast<std::size_t>(std::ranges::find(row, -1) - row.begin());
}

ShapeRules::ShapeRules(const Signature& signature, ShapeOptions options)
    : signature_(signature), options_(std::move(options)) {
  find_mask();
  find_leader();
  check_edges();
  if (options_.mode != ShapeMode::exact) check_tensors();
  for (std::size_t i = 0; i < signature_.inputs.size(); ++i) {
    const TensorSpec& spec = signature_.inputs[i];
    // The mask says 0 for padding, whatever the others are filled with.
    const double value = i == mask_ ? 0 : options_.pad_value;
    const auto element = encode_element(spec.dtype(), value);
    if (!element && spec.variable_dims() != 0 && options_.mode == ShapeMode::padded) {
      fail("pad_value", "input '" + spec.name() + "' cannot hold it");
    }
    padding_.push_back(element.value_or(Element{}));
  }
}

void ShapeRules::find_mask() {
  if (options_.mask.empty()) return;
  const auto found = std::ranges::find(signature_.inputs, options_.mask, &TensorSpec::name);
  if (found == signature_.inputs.end()) fail("mask", "no input '" + options_.mask + "'");
  if (found->variable_dims() != 1) {
    fail("mask", "'" + options_.mask + "' must have one dimension of any length besides the first");
  }
  mask_ = static_cast<std::size_t>(found - signature_.inputs.begin());
}

void ShapeRules::find_leader() {
  for (std::size_t i = 0; i < signature_.inputs.size() && leader_ == kNone; ++i) {
    if (i == mask_ || signature_.inputs[i].variable_dims() == 0) continue;
    leader_ = i;
    leader_dim_ = first_variable(signature_.inputs[i]);
  }
  if (mask_ != kNone && leader_ == kNone) {
    fail("mask", "no other input says how long a request is");
  }
}

void ShapeRules::check_tensors() const {
  for (const auto* side : {&signature_.inputs, &signature_.outputs}) {
    for (const TensorSpec& spec : *side) {
      const std::string name = std::string(to_string(options_.mode)) + ": '" + spec.name() + "' ";
      if (spec.variable_dims() > 1) {
        fail("mode", name + "has several dimensions of any length: only exact takes that");
      }
      if (options_.mode == ShapeMode::ragged && spec.variable_dims() == 1 &&
          first_variable(spec) != 0) {
        fail("mode", name + "must have its dimension of any length first in a row");
      }
    }
  }
}

void ShapeRules::check_edges() const {
  const std::vector<std::int64_t>& edges = options_.edges;
  if (options_.mode != ShapeMode::padded) {
    if (!edges.empty()) fail("edges", "only for mode padded");
    if (options_.pad_to_edge) fail("pad_to_edge", "only for mode padded");
    return;
  }
  const bool ascending = std::ranges::adjacent_find(edges, std::greater_equal<>()) == edges.end();
  if (!ascending || (!edges.empty() && edges.front() < 1)) {
    fail("edges", "must be ascending and at least 1");
  }
  if (edges.size() > decide::LengthBuckets::kMaxEdges) fail("edges", "must be at most 64");
}

Result<std::int64_t> ShapeRules::length(const Tensor& first, std::span<const Tensor> more) const {
  if (fixed()) return std::int64_t{0};
  const auto tensor = [&](std::size_t input) -> const Tensor& {
    const std::size_t index = request_index(input);
    return index == 0 ? first : more[index - 1];
  };
  const std::int64_t length = length_of(tensor(leader_));
  if (mode() == ShapeMode::exact) return length;
  for (std::size_t i = leader_ + 1; i < signature_.inputs.size(); ++i) {
    const TensorSpec& spec = signature_.inputs[i];
    if (i == mask_ || spec.variable_dims() == 0) continue;
    const std::int64_t other = row_dims(spec, tensor(i))[first_variable(spec)];
    if (other == length) continue;
    return Error(Errc::invalid_argument,
                 "inputs '" + signature_.inputs[leader_].name() + "' and '" + spec.name() +
                     "' must be equally long, not " + std::to_string(length) + " and " +
                     std::to_string(other));
  }
  return length;
}

}  // namespace detail
}  // namespace aiserve::inline v0
