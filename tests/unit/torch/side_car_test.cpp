#include "torch/side_car.hpp"

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::parse_side_car;
using aiserve::detail::SideCar;

namespace {

const std::string kDigest(64, 'b');

std::string car(const std::string& inputs, const std::string& more = "") {
  return R"({"inputs":[)" + inputs +
         R"(],"outputs":[{"name":"y","dtype":"float32","shape":[-1,10]}])" + more + "}";
}

std::string why(const std::string& text) {
  const Result<SideCar> parsed = parse_side_car(text);
  return parsed.ok() ? "" : parsed.error().message();
}

}  // namespace

TEST_CASE("a side-car gives name, version, digest and signature, and may hold more") {
  const Result<SideCar> parsed = parse_side_car(R"({
    "name": "fashion", "version": "1",
    "inputs": [{"name": "image", "dtype": "float32", "shape": [-1, 1, 28, 28]},
               {"name": "ids", "dtype": "int64", "shape": [-1]}],
    "outputs": [{"name": "probabilities", "dtype": "float32", "shape": [-1, 10]}],
    "sha256": ")" + std::string(64, 'B') + R"(",
    "labels": ["a", "b"], "metrics": {"accuracy": 0.9}, "sample": null})");
  REQUIRE(parsed.ok());
  CHECK(parsed->name == "fashion");
  CHECK(parsed->version == "1");
  CHECK(parsed->sha256 == kDigest);
  CHECK(parsed->signature.to_string() ==
        "(image: float32 [-1, 1, 28, 28], ids: int64 [-1]) -> (probabilities: float32 [-1, 10])");
}

TEST_CASE("name, version and digest may be missing") {
  const Result<SideCar> parsed =
      parse_side_car(car(R"({"name":"x","dtype":"uint8","shape":[-1,4]})", R"(,"sha256":null)"));
  REQUIRE(parsed.ok());
  CHECK(parsed->name.empty());
  CHECK(parsed->sha256.empty());
}

TEST_CASE("a wrong side-car is refused with the place and the reason") {
  const auto shape = [](const std::string& dims) {
    return car(R"({"name":"x","dtype":"float32","shape":)" + dims + "}");
  };
  CHECK(why("{") != "");
  CHECK(why("[]") == "must be a JSON object");
  CHECK(why("{}") == "\"inputs\" must be an array of 1 to 64 objects");
  CHECK(why(car("")) == "\"inputs\" must be an array of 1 to 64 objects");
  CHECK(why(car("7")) == "inputs[0] must be an object");
  CHECK(why(car(R"({"name":"x","dtype":"float32"})")) ==
        "inputs[0] needs \"name\", \"dtype\" and \"shape\"");
  CHECK(why(car(R"({"name":"x","dtype":"float32","shape":[-1],"shpe":1})")) ==
        "inputs[0]: unknown key \"shpe\"");
  CHECK(why(car(R"({"name":7,"dtype":"float32","shape":[-1]})")) ==
        "inputs[0]: \"name\" must be a string");
  CHECK(why(car(R"({"name":"x","dtype":"float31","shape":[-1]})")).starts_with("inputs[0]: "));
  CHECK(why(car(R"({"name":"x","dtype":"string","shape":[-1]})")) != "");
  CHECK(why(shape("4")) == "inputs[0]: \"shape\" must be an array of integers");
  CHECK(why(shape("[-1, 2.5]")) == "inputs[0]: \"shape\" must be an array of integers");
  CHECK(why(shape("[-1, \"2\"]")) == "inputs[0]: \"shape\" must be an array of integers");
  CHECK(why(shape("[-1, 18446744073709551615]")) == "inputs[0]: a dimension is too large");
  CHECK(why(shape("[-1, 9223372036854775807, 9]")) != "");
  CHECK(why(shape("[-1,1,1,1,1,1,1,1,1]")) != "");
  CHECK(why(shape("[]")) != "");
  CHECK(why(shape("[28, 28]")) != "");
  CHECK(why(shape("[-1, -2]")) != "");
  CHECK(why(shape("[-1, -1]")) == "");
  CHECK(why(shape("[-1, 0]")) != "");
  CHECK(why(shape("[-1, 784]")) == "");
}

TEST_CASE("a digest in a side-car must look like one") {
  const std::string input = R"({"name":"x","dtype":"float32","shape":[-1,4]})";
  CHECK(why(car(input, R"(,"sha256":"1234")")) == "sha256 must be 64 hex digits");
  CHECK(why(car(input, R"(,"sha256":1234)")) == "\"sha256\" must be a string");
  CHECK(why(car(input, R"(,"sha256":")" + kDigest + "\"")) == "");
}

TEST_CASE("two inputs of one name and a repeated key are refused") {
  const std::string input = R"({"name":"x","dtype":"float32","shape":[-1,4]})";
  CHECK(why(car(input + "," + input)) == "'x' is there twice");
  CHECK(why(car(R"({"name":"x","name":"z","dtype":"float32","shape":[-1,4]})")) != "");
}

TEST_CASE("a sample is optional, but complete, and its files lie beside the side-car") {
  const auto sample = [](const std::string& text) {
    return car(R"({"name":"x","dtype":"float32","shape":[-1,4]})", ",\"sample\":" + text);
  };
  const Result<SideCar> full = parse_side_car(
      sample(R"({"rows":3,"input_file":"a.bin","output_file":"b.bin","tolerance":0.01,"more":1})"));
  REQUIRE(full.ok());
  REQUIRE(full->sample.has_value());
  CHECK(full->sample->rows == 3);
  CHECK(full->sample->input_file == "a.bin");
  CHECK(full->sample->output_file == "b.bin");
  CHECK(full->sample->tolerance == 0.01);

  for (const char* none : {"null", "{}", R"({"input_file":null})"}) {
    const Result<SideCar> parsed = parse_side_car(sample(none));
    REQUIRE(parsed.ok());
    CHECK(!parsed->sample.has_value());
  }

  CHECK(why(sample("3")) == "\"sample\" must be an object");
  CHECK(why(sample(R"({"input_file":"a"})")).find("output_file") != std::string::npos);
  for (const char* name : {"../a", "/etc/passwd", "..", ".", "a/b", "a\\\\b", "a\\u0000"}) {
    CHECK(why(sample(R"({"rows":3,"output_file":"b","input_file":")" + std::string(name) + "\"}"))
              .find("without folders") != std::string::npos);
  }
  for (const char* rows : {"0", "-1", "2.5", "65537", "\"3\"", "null"}) {
    CHECK(why(sample(R"({"input_file":"a","output_file":"b","rows":)" + std::string(rows) + "}")) ==
          "\"sample\": \"rows\" must be 1 to 65536");
  }
  CHECK(why(sample(R"({"rows":3,"input_file":"a","output_file":"b","tolerance":-1})")) ==
        "\"sample\": \"tolerance\" must be a number from 0 on");
}
