// Rows of a fixed shape: copies, failures, NaN, and gathering again in parts.
#include "serving/batch_builder.hpp"

#include <limits>

#include "unit/serving/shaped_rows.hpp"

using namespace aiserve;
using namespace aiserve::testing;
using aiserve::detail::BatchBuilder;

namespace {

Signature pairs() {
  return {{TensorSpec("x", DType::f32, {-1, 2})},
          {TensorSpec("y", DType::f32, {-1, 2}), TensorSpec("sum", DType::f32, {-1, 1})}};
}

/// Doubles each row, and sums it up.
void compute(Batch& batch) {
  const auto x = batch.input<float>();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch.output<float>(0)[2 * i] = 2 * x[2 * i];
    batch.output<float>(0)[2 * i + 1] = 2 * x[2 * i + 1];
    batch.output<float>(1)[i] = x[2 * i] + x[2 * i + 1];
  }
}

std::uintptr_t address(const void* data) { return reinterpret_cast<std::uintptr_t>(data); }

}  // namespace

TEST_CASE("every row gets its part of every output, as slices of one block") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  for (int i = 0; i < 5; ++i) rows.add(floats({static_cast<float>(i), 1}));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.input_shape() == Shape{5, 2});
  CHECK(batch.output_shape(1) == Shape{5, 1});
  CHECK(batch.length(3) == 0);
  CHECK(batch.padded_length() == 0);
  CHECK(batch.offsets().empty());
  compute(batch);
  builder.scatter(rows.all(), success());
  const std::byte* block = rows[0].output->payload().data();
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(rows.output(i) == Floats{2 * static_cast<float>(i), 2});
    CHECK(rows[i].output->shape() == Shape{2});
    CHECK(rows[i].output->payload().data() == block + 8 * i);
    CHECK(values_of(rows[i].more_outputs.at(0)) == Floats{static_cast<float>(i) + 1});
  }
  CHECK(builder.padding().elements_padded == 0);
}

TEST_CASE("a batch of one is passed in place if it is aligned, else copied") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows aligned;
  aligned.add(floats({1, 2}));
  CHECK(builder.gather(aligned.all()).input_bytes().data() == aligned[0].input.payload().data());

  const Tensor four = floats({9, 1, 2, 9});
  const Bytes inside = four.payload().slice(4, 8);
  Rows misaligned;
  misaligned.add(Tensor::make(DType::f32, {2}, inside).value());
  const ByteView view = builder.gather(misaligned.all()).input_bytes();
  CHECK(view.data() != inside.data());
  CHECK(address(view.data()) % 64 == 0);
  CHECK(values_of(view) == Floats{1, 2});
}

TEST_CASE("the input slab is reused, outputs are not: they belong to the callers") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows first;
  first.add(floats({1, 2}));
  first.add(floats({3, 4}));
  Batch& batch = builder.gather(first.all());
  const std::byte* slab = batch.input_bytes().data();
  CHECK(address(slab) % 64 == 0);
  CHECK(address(batch.output_bytes(1).data()) % 64 == 0);
  compute(batch);
  builder.scatter(first.all(), success());
  Rows second;
  second.add(floats({5, 6}));
  second.add(floats({7, 8}));
  compute(builder.gather(second.all()));
  CHECK(batch.input_bytes().data() == slab);
  builder.scatter(second.all(), success());
  CHECK(first.output(0) == Floats{2, 4});
  CHECK(second.output(0) == Floats{10, 12});
}

TEST_CASE("a failed row fails alone, a failed run fails all") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  for (int i = 0; i < 3; ++i) rows.add(floats({1, static_cast<float>(i)}));
  Batch& batch = builder.gather(rows.all());
  compute(batch);
  batch.fail(1, Error(Errc::data_loss, "bad row"));
  builder.scatter(rows.all(), success());
  CHECK(rows[0].output.ok());
  CHECK(rows[1].output.error().message() == "bad row");
  CHECK(rows.output(2) == Floats{2, 4});
  builder.gather(rows.all());
  builder.scatter(rows.all(), Error(Errc::unavailable, "down"));
  for (std::size_t i = 0; i < 3; ++i) CHECK(rows[i].output.error().code() == Errc::unavailable);
}

TEST_CASE("after a failed run the parts of a batch can be gathered again") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  for (int i = 0; i < 5; ++i) rows.add(floats({static_cast<float>(i), 0}));
  builder.gather(rows.all());
  builder.scatter(rows.all(), Error(Errc::internal, "poisoned"));
  for (const std::size_t begin : {std::size_t{3}, std::size_t{0}}) {
    const auto part = rows.all().subspan(begin, begin == 3 ? 2 : 3);
    Batch& batch = builder.gather(part);
    CHECK(batch.size() == part.size());
    compute(batch);
    builder.scatter(part, success());
  }
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(rows.output(i) == Floats{2 * static_cast<float>(i), 0});
    CHECK(rows[i].more_outputs.size() == 1);
  }
  compute(builder.gather(rows.all()));
  builder.scatter(rows.all(), success());
  CHECK(rows[4].more_outputs.size() == 1);
}

TEST_CASE("NaN in an output fails its row alone, if asked") {
  const Signature signature = pairs();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const NanPolicy policy : {NanPolicy::allow, NanPolicy::reject}) {
    BatchBuilder builder(signature, 8);
    Rows rows;
    for (int i = 0; i < 3; ++i) rows.add(floats({1, 2}));
    Batch& batch = builder.gather(rows.all());
    compute(batch);
    batch.output<float>(1)[1] = nan;
    batch.fail(2, Error(Errc::data_loss, "bad row"));
    batch.output<float>(1)[2] = nan;
    builder.scatter(rows.all(), success(), policy);
    CHECK(rows[0].output.ok());
    CHECK(rows[1].output.ok() == (policy == NanPolicy::allow));
    CHECK(rows[2].output.error().code() == Errc::data_loss);
    if (policy == NanPolicy::allow) continue;
    CHECK(rows[1].output.error().code() == Errc::internal);
    CHECK(rows[1].output.error().message() == "the model computed NaN for this input");
  }
}

TEST_CASE("NaN in an input names the input, and the first reason of a row stays") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({1, std::numeric_limits<float>::quiet_NaN()}));
  Batch& batch = builder.gather(rows.all());
  CHECK(batch.reject_nan_inputs() == 1);
  compute(batch);
  CHECK(batch.reject_nan_outputs() == 1);
  builder.scatter(rows.all(), success());
  CHECK(rows[0].output.ok());
  CHECK(rows[1].output.error().code() == Errc::invalid_argument);
  CHECK(rows[1].output.error().message() == "input 'x' holds NaN");
}

TEST_CASE("a model sees which rows nobody waits for, and when that is all of them") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({3, 4})).gone = [](const detail::TensorRow&) noexcept { return true; };
  CHECK_FALSE(builder.gather(rows.all()).cancelled(0));
  CHECK(builder.gather(rows.all()).cancelled(1));
  CHECK_FALSE(builder.gather(rows.all()).all_cancelled());
  CHECK(builder.gather(rows.all().last(1)).all_cancelled());
  CHECK_FALSE(builder.gather_zeros(2).all_cancelled());
}

TEST_CASE("a row of another size than its batch fails and reaches no foreign memory") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({3, 4, 5, 6, 7, 8}));
  compute(builder.gather(rows.all()));
  builder.scatter(rows.all(), success());
  CHECK(rows.output(0) == Floats{2, 4});
  CHECK(rows[1].output.error().code() == Errc::internal);
}

TEST_CASE("warm-up rows are zeros of nobody") {
  const Signature signature = pairs();
  BatchBuilder builder(signature, 8);
  Rows rows;
  rows.add(floats({1, 2}));
  rows.add(floats({3, 4}));
  builder.gather(rows.all());
  Batch& batch = builder.gather_zeros(3);
  CHECK(batch.size() == 3);
  CHECK(values_of(batch.input_bytes()) == Floats(6, 0.F));
  CHECK_FALSE(batch.cancelled(0));
}
