#include "serving/shape_rules.hpp"

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::ShapeRules;

namespace {

const TensorSpec kTokens("tokens", DType::i64, {-1, -1});
const TensorSpec kMask("mask", DType::f32, {-1, -1});
const TensorSpec kAge("age", DType::f32, {-1, 1});
const TensorSpec kImage("image", DType::u8, {-1, 3, -1, -1});
const TensorSpec kScores("scores", DType::f32, {-1, 10});

Signature signature(std::vector<TensorSpec> inputs) { return {std::move(inputs), {kScores}}; }

std::string refusal(std::vector<TensorSpec> inputs, ShapeOptions options) {
  const Signature given = signature(std::move(inputs));
  try {
    const ShapeRules rules(given, std::move(options));
    return {};
  } catch (const ConfigError& error) {
    return error.what();
  }
}

Tensor tokens(std::int64_t length) {
  const std::vector<std::int64_t> values(static_cast<std::size_t>(length), 1);
  return Tensor::from<std::int64_t>({length}, std::span<const std::int64_t>(values)).value();
}

}  // namespace

TEST_CASE("a mask is filled by the batcher, so requests bring the other inputs in order") {
  const Signature given = signature({kMask, kTokens, kAge});
  const ShapeRules rules(given, {.mode = ShapeMode::padded, .mask = "mask"});
  CHECK(rules.mask() == 0);
  CHECK(rules.brought() == 2);
  CHECK(rules.request_index(1) == 0);
  CHECK(rules.request_index(2) == 1);
  CHECK(rules.leader() == 1);
  const ShapeRules plain(given, {.mode = ShapeMode::padded});
  CHECK(plain.brought() == 3);
  CHECK(plain.request_index(2) == 2);
}

TEST_CASE("a signature without dimensions of any length is fixed in every mode") {
  const Signature given = signature({kAge});
  for (const ShapeMode mode : {ShapeMode::exact, ShapeMode::padded, ShapeMode::ragged}) {
    const ShapeRules rules(given, {.mode = mode});
    CHECK(rules.fixed());
    const Tensor age = Tensor::from<float>({1}, {7}).value();
    CHECK(rules.length(age, {}).value() == 0);
  }
}

TEST_CASE("the length of a request is its first dimension of any length") {
  const Signature given = signature({kAge, kImage});
  const ShapeRules rules(given, {});
  const Tensor age = Tensor::from<float>({1}, {7}).value();
  const Tensor image =
      Tensor::make(DType::u8, {3, 2, 5}, Bytes::copy(std::string(30, 'x'))).value();
  const Tensor with_one = image.reshaped({1, 3, 2, 5}).value();
  CHECK(rules.length(age, std::span(&image, 1)).value() == 2);
  CHECK(rules.length(age, std::span(&with_one, 1)).value() == 2);
}

TEST_CASE("inputs that are padded together must be equally long") {
  const Signature given = signature({kTokens, TensorSpec("types", DType::i64, {-1, -1})});
  const ShapeRules padded(given, {.mode = ShapeMode::padded});
  const ShapeRules exact(given, {});
  const std::vector<Tensor> same{tokens(4)};
  const std::vector<Tensor> other{tokens(5)};
  CHECK(padded.length(tokens(4), same).value() == 4);
  CHECK(exact.length(tokens(4), other).value() == 4);
  const Result<std::int64_t> refused = padded.length(tokens(4), other);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK(refused.error().message() ==
        "inputs 'tokens' and 'types' must be equally long, not 4 and 5");
}

TEST_CASE("options that do not fit the signature are refused by name") {
  const auto starts = [](const std::string& text, const std::string& with) {
    CAPTURE(text);
    return text.starts_with("shapes." + with + ": ");
  };
  CHECK(refusal({kTokens}, {}).empty());
  CHECK(refusal({kImage}, {}).empty());
  CHECK(starts(refusal({kImage}, {.mode = ShapeMode::padded}), "mode"));
  CHECK(starts(refusal({TensorSpec("x", DType::f32, {-1, 4, -1})}, {.mode = ShapeMode::ragged}),
               "mode"));
  CHECK(starts(refusal({kTokens}, {.mask = "nothing"}), "mask"));
  CHECK(starts(refusal({kTokens, kAge}, {.mask = "age"}), "mask"));
  CHECK(starts(refusal({kMask}, {.mask = "mask"}), "mask"));
  CHECK(starts(refusal({kTokens}, {.edges = {8}}), "edges"));
  CHECK(starts(refusal({kTokens}, {.pad_to_edge = true}), "pad_to_edge"));
  CHECK(starts(refusal({kTokens}, {.mode = ShapeMode::padded, .edges = {8, 8}}), "edges"));
  CHECK(starts(refusal({kTokens}, {.mode = ShapeMode::padded, .edges = {0, 8}}), "edges"));
  std::vector<std::int64_t> many;
  for (std::int64_t edge = 1; edge <= 65; ++edge) many.push_back(edge);
  CHECK(starts(refusal({kTokens}, {.mode = ShapeMode::padded, .edges = many}), "edges"));
  CHECK(starts(refusal({kTokens}, {.mode = ShapeMode::padded, .pad_value = 0.5}), "pad_value"));
  CHECK(refusal({kMask}, {.mode = ShapeMode::padded, .pad_value = 0.5}).empty());
  CHECK(refusal({kTokens, kAge}, {.mode = ShapeMode::padded, .pad_value = -100}).empty());
}
