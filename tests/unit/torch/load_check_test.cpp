#include "torch/load_check.hpp"

#include <limits>

#include "unit/torch/torch_fixture.hpp"

using namespace aiserve;
using namespace aiserve::testing;
using aiserve::detail::excess;

namespace {

using Floats = std::vector<float>;

double excess_of(const Floats& got, const Floats& expected, double tolerance) {
  return excess(DType::f32, std::as_bytes(std::span(got)), std::as_bytes(std::span(expected)),
                tolerance);
}

std::string bytes_of(const Floats& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// A model that doubles, its side-car with a sample of two rows, and the options to load it.
struct Sampled {
  Sampled(const Floats& input, const Floats& output, const std::string& rows = "2") {
    folder.script("def forward(self, x):\n    return x * 2.0\n");
    folder.write("in.bin", bytes_of(input));
    folder.write("out.bin", bytes_of(output));
    folder.write("model.json",
                 R"({"inputs":[{"name":"x","dtype":"float32","shape":[-1,2]}],
                     "outputs":[{"name":"y","dtype":"float32","shape":[-1,2]}],
                     "sample":{"input_file":"in.bin","output_file":"out.bin","rows":)" +
                     rows + "}}");
  }
  TorchModelOptions options() const { return {.path = folder.model()}; }
  ModelFolder folder;
};

}  // namespace

TEST_CASE("values within the tolerance have no excess, absolute and relative") {
  CHECK(excess_of({1, 2, 3}, {1, 2, 3}, 0) <= 0);
  CHECK(excess_of({1, 2, 3.001F}, {1, 2, 3}, 1e-3) <= 0);
  CHECK(excess_of({1, 2, 3.1F}, {1, 2, 3}, 1e-3) > 0);
  CHECK(excess_of({1'000'100}, {1'000'000}, 1e-3) <= 0);
  CHECK(excess_of({0.0005F}, {0}, 1e-3) <= 0);
}

TEST_CASE("NaN and infinities are close only to themselves") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(excess_of({nan, infinity, -infinity}, {nan, infinity, -infinity}, 0) <= 0);
  CHECK(excess_of({nan}, {1}, 1) > 0);
  CHECK(excess_of({1}, {nan}, 1) > 0);
  CHECK(excess_of({infinity}, {-infinity}, 1) > 0);
  CHECK(excess_of({1}, {infinity}, 1) > 0);
}

TEST_CASE("a model that reproduces its sample loads and says so") {
  const Sampled model({1, 2, 3, 4}, {2, 4, 6, 8});
  const TorchModel loaded(model.options());
  CHECK(contains(loaded.status(), "\"sample_checked\":true"));
}

TEST_CASE("a model that answers its sample otherwise is refused") {
  const Sampled model({1, 2, 3, 4}, {2, 4, 6, 9});
  CHECK(contains(config_error(model.options()),
                 ": sample: output 'y' differs from the expected one by more than 0.0001"));
  TorchModelOptions unchecked = model.options();
  unchecked.check_at_load = false;
  CHECK(config_error(unchecked).empty());
}

TEST_CASE("a sample's files must hold whole rows, as many as it says") {
  CHECK(contains(config_error(Sampled({1, 2, 3, 4}, {2, 4, 6, 8}, "3").options()),
                 "in.bin has 16 bytes, 3 rows are 24"));
  CHECK(contains(config_error(Sampled({1, 2, 3, 4}, {2, 4, 6}).options()),
                 "out.bin has 12 bytes, 2 rows are 16"));
}

TEST_CASE("a sample that was not copied along is not missed") {
  const Sampled model({1, 2, 3, 4}, {2, 4, 6, 8});
  std::filesystem::remove(model.folder.file("out.bin"));
  const TorchModel loaded(model.options());
  CHECK(contains(loaded.status(), "\"sample_checked\":false"));
}
