#include "aiserve/cache/inference_request.hpp"

#include <cmath>

#include <doctest/doctest.h>

using namespace aiserve;

namespace {

Digest of(const InferenceRequest& request) {
  return Digester(DigestKey(1, 2)).add(request).finish();
}

Tensor tensor(float value) { return Tensor::from<float>({1}, {value}).value(); }

InferenceRequest request() { return InferenceRequest("llama", "v3"); }

}  // namespace

TEST_CASE("requests that ask for the same have one digest") {
  const InferenceRequest a =
      request().set("top_k", 5).set("seed", 1).add("x", tensor(1)).add("y", tensor(2));
  const InferenceRequest b =
      request().add("y", tensor(2)).add("x", tensor(1)).set("seed", 1.0).set("top_k", 5);
  CHECK(of(a) == of(b));
}

TEST_CASE("requests that differ in anything have different digests") {
  const InferenceRequest base = request().set("k", 1).add("x", tensor(1));
  const Digest digest = of(base);
  CHECK(digest != of(InferenceRequest("llama", "v4").set("k", 1).add("x", tensor(1))));
  CHECK(digest != of(InferenceRequest("llam", "av3").set("k", 1).add("x", tensor(1))));
  CHECK(digest != of(request().set("k", 2).add("x", tensor(1))));
  CHECK(digest != of(request().set("k", "1").add("x", tensor(1))));
  CHECK(digest != of(request().set("k", true).add("x", tensor(1))));
  CHECK(digest != of(request().set("l", 1).add("x", tensor(1))));
  CHECK(digest != of(request().set("k", 1).add("x", tensor(2))));
  CHECK(digest != of(request().set("k", 1).add("z", tensor(1))));
  CHECK(digest != of(request().set("k", 1).set("l", 0).add("x", tensor(1))));
  CHECK(digest == of(request().set("k", 7).set("k", 1).add("x", tensor(1))));
}

TEST_CASE("what draws lots bypasses the cache, unless it says otherwise") {
  CHECK(cache_allows(request()));
  CHECK(cache_allows(request().set("temperature", 0)));
  CHECK(cache_allows(request().set("temperature", -0.0)));
  CHECK_FALSE(cache_allows(request().set("temperature", 0.7)));
  CHECK_FALSE(cache_allows(request().set("temperature", 1)));
  CHECK_FALSE(cache_allows(request().set("temperature", std::nan(""))));
  CHECK_FALSE(cache_allows(request().set("temperature", "0.7")));
  CHECK(cache_allows(request().set("temperature", 0.7).set("seed", 0)));
  CHECK(cache_allows(request().set("temperature", 0.7).cacheable(true)));
  CHECK_FALSE(cache_allows(request().cacheable(false)));
}
