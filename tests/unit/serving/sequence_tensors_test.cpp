#include "serving/sequence_tensors.hpp"

#include <array>

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::SequenceTensors;

namespace {

const Signature kSignature{
    {TensorSpec("x", DType::f32, {-1, 2}), TensorSpec("h_in", DType::f32, {-1, 3}),
     TensorSpec("start", DType::boolean, {-1, 2})},
    {TensorSpec("h_out", DType::f32, {-1, 3}), TensorSpec("y", DType::f32, {-1, 1})}};

SequenceOptions options() {
  SequenceOptions made;
  made.state = {{"h_in", "h_out"}};
  made.start_input = "start";
  return made;
}

TensorSet brought() {
  TensorSet inputs;
  inputs.add("x", Tensor::from<float>({2}, {1, 2}).value());
  return inputs;
}

}  // namespace

TEST_CASE("a state that is kept does not keep the rest of its batch alive") {
  const SequenceTensors tensors(kSignature, options());
  const std::array<float, 30> rows{};
  const Bytes block = Bytes::copy(std::as_bytes(std::span(rows)));
  TensorSet outputs;
  outputs.add("h_out", Tensor::make(DType::f32, {3}, block.slice(12, 12)).value());
  outputs.add("y", Tensor::from<float>({1}, {5}).value());
  const auto state = tensors.take_state(outputs);
  REQUIRE(state->size() == 1);
  CHECK(state->front().payload().block_size() == 12);
  CHECK(tensors.state_bytes() == 12);
}

TEST_CASE("the first step sees zeros and the start flag, later ones the state") {
  const SequenceTensors tensors(kSignature, options());
  const auto kept = std::make_shared<const std::vector<Tensor>>(
      std::vector{Tensor::from<float>({3}, {7, 8, 9}).value()});
  const auto first = [](const TensorSet& row, std::string_view name) {
    return row.find(name)->data<float>()[0];
  };
  const auto flags = [](const TensorSet& row) {
    const auto start = row.find("start")->data<bool>();
    return std::vector<bool>(start.begin(), start.end());
  };
  const TensorSet fresh = tensors.row(brought(), {.state = nullptr, .start = true});
  CHECK(first(fresh, "h_in") == 0);
  CHECK(flags(fresh) == std::vector{true, true});
  const TensorSet next = tensors.row(brought(), {.state = kept});
  CHECK(first(next, "h_in") == 7);
  CHECK(flags(next) == std::vector{false, false});
  const TensorSet again = tensors.row(brought(), {.state = kept, .start = true});
  CHECK(first(again, "h_in") == 0);
}

TEST_CASE("the answer of a step has all outputs but the state") {
  const SequenceTensors tensors(kSignature, options());
  TensorSet outputs;
  outputs.add("h_out", Tensor::from<float>({3}, {1, 2, 3}).value());
  outputs.add("y", Tensor::from<float>({1}, {5}).value());
  const TensorSet answer = tensors.answer(outputs);
  REQUIRE(answer.items().size() == 1);
  CHECK(answer.items().front().name() == "y");
}
