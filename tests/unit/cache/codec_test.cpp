#include "aiserve/cache/codec.hpp"

#include <cstring>
#include <random>

#include <doctest/doctest.h>

using namespace aiserve;

namespace {

bool same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.payload() == b.payload();
}

Tensor floats() { return Tensor::from<float>({2, 2}, {1, 2, 3, 4}).value(); }

Tensor strings() {
  const std::string_view values[]{"a", "", "long"};
  return Tensor::from_strings({3}, values).value();
}

TensorSet both() {
  TensorSet set;
  set.add("numbers", floats());
  set.add("", strings());
  return set;
}

template <class T>
Errc refusal(const Bytes& bytes) {
  const Result<T> decoded = Codec<T>::decode(bytes);
  return decoded ? Errc::already_exists : decoded.error().code();
}

// Whatever comes in, decoding it and reading what it gives must stay inside.
template <class T>
void mutilate(const Bytes& good) {
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(refusal<T>(good.slice(0, size)) == Errc::data_loss);
  }
  std::mt19937_64 random(3);
  for (int round = 0; round < 20'000; ++round) {
    MutableBytes copy(good.size());
    std::memcpy(copy.data(), good.data(), good.size());
    for (std::size_t flips = 0; flips <= random() % 4; ++flips) {
      copy.data()[random() % good.size()] = static_cast<std::byte>(random());
    }
    const Result<T> decoded = Codec<T>::decode(std::move(copy).freeze());
    if (!decoded) CHECK(decoded.error().code() == Errc::data_loss);
    if constexpr (std::is_same_v<T, Tensor>) {
      if (!decoded) continue;
      for (std::size_t i = 0; i < decoded->elements() && i < 8; ++i) {
        CHECK(decoded->string_at(i).size() <= good.size());
      }
    }
  }
}

}  // namespace

TEST_CASE("values come back from the cache as they went in") {
  CHECK(same(Codec<Tensor>::decode(Codec<Tensor>::encode(floats())).value(), floats()));
  CHECK(same(Codec<Tensor>::decode(Codec<Tensor>::encode(strings())).value(), strings()));
  CHECK(same(Codec<Tensor>::decode(Codec<Tensor>::encode(Tensor())).value(), Tensor()));
  const Tensor scalar = Tensor::from<std::int64_t>({}, {7}).value();
  CHECK(same(Codec<Tensor>::decode(Codec<Tensor>::encode(scalar)).value(), scalar));
  CHECK(Codec<std::string>::decode(Codec<std::string>::encode("a\0b")).value() == "a\0b");
  CHECK(Codec<Bytes>::decode(Codec<Bytes>::encode(Bytes())).value().empty());

  const TensorSet set = Codec<TensorSet>::decode(Codec<TensorSet>::encode(both())).value();
  REQUIRE(set.items().size() == 2);
  CHECK(set.items()[1].name().empty());
  CHECK(same(*set.find("numbers"), floats()));
  CHECK(same(*set.find(""), strings()));
  CHECK(Codec<TensorSet>::decode(Codec<TensorSet>::encode({})).value().items().empty());
}

TEST_CASE("a tensor out of the cache shares the entry's memory") {
  const Bytes entry = Codec<Tensor>::encode(floats());
  const Tensor tensor = Codec<Tensor>::decode(entry).value();
  CHECK(tensor.payload().data() >= entry.data());
  CHECK(tensor.payload().data() + tensor.payload().size() == entry.data() + entry.size());
}

TEST_CASE("bytes that are cut or garbled are data_loss, not a crash") {
  mutilate<Tensor>(Codec<Tensor>::encode(floats()));
  mutilate<Tensor>(Codec<Tensor>::encode(strings()));
  mutilate<TensorSet>(Codec<TensorSet>::encode(both()));
}

TEST_CASE("a set does not pass for a tensor, nor the other way round") {
  CHECK(refusal<Tensor>(Codec<TensorSet>::encode(both())) == Errc::data_loss);
  CHECK(refusal<TensorSet>(Codec<Tensor>::encode(floats())) == Errc::data_loss);
}

TEST_CASE("a value cut out of a large block does not keep that block alive in the cache") {
  const Bytes block = Bytes::copy(std::string(10'000, 'x'));
  CHECK(Codec<Bytes>::encode(block.slice(0, 10)).block_size() < 1'000);
}
