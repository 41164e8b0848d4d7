// Requests for a BatchBuilder, without a Batcher around.
#pragma once

#include <deque>
#include <numeric>

#include <doctest/doctest.h>

#include "aiserve/serving/model.hpp"
#include "serving/batch_builder.hpp"

namespace aiserve::inline v0::testing {

using Floats = std::vector<float>;

inline Tensor floats(Shape shape, const Floats& values) {
  return Tensor::from<float>(shape, std::span<const float>(values)).value();
}
inline Tensor floats(const Floats& values) {
  return floats({static_cast<std::int64_t>(values.size())}, values);
}
inline Floats values_of(const Tensor& tensor) {
  const auto data = tensor.data<float>();
  return {data.begin(), data.end()};
}
inline Floats values_of(ByteView bytes) {
  const auto* data = reinterpret_cast<const float*>(bytes.data());
  return {data, data + bytes.size() / sizeof(float)};
}

/// Rows that stay where they are.
class Rows {
 public:
  detail::TensorRow& add(Tensor first, std::vector<Tensor> more = {}) {
    detail::TensorRow& row = rows_.emplace_back();
    row.input = std::move(first);
    row.more_inputs = std::move(more);
    pointers_.push_back(&row);
    return row;
  }
  std::span<detail::TensorRow* const> all() const { return pointers_; }
  Floats output(std::size_t row) const { return values_of(rows_[row].output.value()); }
  const detail::TensorRow& operator[](std::size_t row) const { return rows_[row]; }

 private:
  std::deque<detail::TensorRow> rows_;
  std::vector<detail::TensorRow*> pointers_;
};

}  // namespace aiserve::inline v0::testing
