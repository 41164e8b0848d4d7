#include "serving/shape_router.hpp"

#include <map>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve;
using aiserve::detail::Placement;
using aiserve::detail::ShapeRouter;
using aiserve::detail::ShapeRules;

namespace {

Signature any_length() {
  return {{TensorSpec("x", DType::u8, {-1, -1})}, {TensorSpec("y", DType::u8, {-1, -1})}};
}

Tensor row(std::int64_t length) {
  return Tensor::make(DType::u8, {length},
                      Bytes::copy(std::string(static_cast<std::size_t>(length), 'x')))
      .value();
}

struct Routed {
  explicit Routed(ShapeOptions options, std::size_t lanes = ShapeRouter::kLanes,
                  Signature given = any_length())
      : signature(std::move(given)), rules(signature, std::move(options)), router(rules, lanes) {}
  Result<Placement> place(std::int64_t length) { return router.place(row(length), {}); }
  std::uint32_t lane(std::int64_t length) { return place(length).value().lane; }

  Signature signature;
  ShapeRules rules;
  ShapeRouter router;
};

}  // namespace

TEST_CASE("fixed signatures and ragged batches have one lane") {
  Routed fixed({}, ShapeRouter::kLanes,
               {{TensorSpec("x", DType::u8, {-1, 4})}, {TensorSpec("y", DType::u8, {-1, 4})}});
  CHECK(fixed.lane(4) == 0);
  fixed.router.leave(0);
  Routed ragged({.mode = ShapeMode::ragged});
  CHECK(ragged.lane(4) == ragged.lane(400));
  CHECK(ragged.place(77).value().length == 77);
}

TEST_CASE("padded requests wait with those of the same bucket, up to the last edge") {
  Routed routed({.mode = ShapeMode::padded, .edges = {8, 16}, .pad_to_edge = true});
  CHECK(routed.lane(1) == routed.lane(8));
  CHECK(routed.lane(8) != routed.lane(9));
  CHECK(routed.place(9).value().length == 9);
  CHECK(routed.router.pad_to(routed.lane(9)) == 16);
  const Result<Placement> refused = routed.place(17);
  CHECK(refused.error().code() == Errc::invalid_argument);
  CHECK(refused.error().message() == "the input is 17 long, at most 16 is taken");
}

TEST_CASE("learned buckets take any length and pad to the longest of a batch") {
  Routed routed({.mode = ShapeMode::padded});
  CHECK(routed.lane(30) == routed.lane(32));
  CHECK(routed.lane(30) != routed.lane(64));
  CHECK(routed.place(1'000'000).ok());
  CHECK(routed.router.pad_to(routed.lane(30)) == 0);
}

TEST_CASE("exact requests share a lane only if all their shapes are equal") {
  const Signature two{
      {TensorSpec("a", DType::u8, {-1, -1}), TensorSpec("b", DType::u8, {-1, -1, -1})},
      {TensorSpec("y", DType::u8, {-1, 1})}};
  Routed routed({}, ShapeRouter::kLanes, two);
  const auto lane = [&](std::int64_t a, std::int64_t b, std::int64_t c) {
    const std::vector<Tensor> more{row(b * c).reshaped({b, c}).value()};
    return routed.router.place(row(a), more).value().lane;
  };
  const std::uint32_t first = lane(2, 3, 4);
  CHECK(lane(2, 3, 4) == first);
  CHECK(lane(2, 4, 3) != first);
  CHECK(lane(3, 3, 4) != first);
  const std::vector<Tensor> with_one{row(12).reshaped({1, 3, 4}).value()};
  CHECK(routed.router.place(row(2).reshaped({1, 2}).value(), with_one).value().lane == first);
}

TEST_CASE("when all lanes are waited in, another shape is refused until one is left") {
  Routed routed({}, 3);
  const std::uint32_t first = routed.lane(1);
  routed.lane(2);
  routed.lane(3);
  CHECK(routed.place(4).error().code() == Errc::overloaded);
  CHECK(routed.lane(1) == first);
  routed.router.leave(first);
  CHECK(routed.place(4).error().code() == Errc::overloaded);
  routed.router.leave(first);
  CHECK(routed.lane(4) == first);
  CHECK(routed.place(1).error().code() == Errc::overloaded);
}

TEST_CASE("the lane unused for longest is given to a new shape") {
  Routed routed({}, 3);
  std::map<std::int64_t, std::uint32_t> lanes;
  for (const std::int64_t length : {1, 2, 3}) {
    lanes[length] = routed.lane(length);
    routed.router.leave(lanes[length]);
  }
  CHECK(routed.lane(1) == lanes[1]);
  routed.router.leave(lanes[1]);
  CHECK(routed.lane(4) == lanes[2]);
  CHECK(routed.lane(1) == lanes[1]);
  CHECK(routed.lane(3) == lanes[3]);
}

TEST_CASE("no lane ever holds two shapes, whatever comes and goes") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Routed routed({}, 8);
    std::vector<std::pair<std::uint32_t, std::int64_t>> waiting;
    std::size_t refused = 0;
    for (int step = 0; step < 2000; ++step) {
      if (random() % 2 == 0 && !waiting.empty()) {
        const std::size_t at = random() % waiting.size();
        routed.router.leave(waiting[at].first);
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(at));
        continue;
      }
      const std::int64_t length = 1 + static_cast<std::int64_t>(random() % 12);
      const Result<Placement> placed = routed.place(length);
      std::map<std::int64_t, int> shapes;
      for (const auto& [lane, other] : waiting) ++shapes[other];
      if (!placed) {
        ++refused;
        REQUIRE(shapes.size() == 8);
        REQUIRE(!shapes.contains(length));
        continue;
      }
      REQUIRE(placed->lane < 8);
      for (const auto& [lane, other] : waiting) {
        REQUIRE((lane == placed->lane) == (other == length));
      }
      waiting.emplace_back(placed->lane, length);
    }
    CHECK(refused > 0);
  }
}
