#include "rivals/rivals.hpp"

#include "rivals/policies.hpp"
#include "serving/batcher_access.hpp"

namespace rivals {

using aiserve::Batcher;
using aiserve::BatcherOptions;
using aiserve::Model;
using aiserve::Runtime;

tuner::MakeBatcher ours() {
  return [](Runtime& runtime, Model& model, BatcherOptions options) {
    return std::make_unique<Batcher>(runtime, model, std::move(options));
  };
}

tuner::MakeBatcher with_policy(decide::BatchPolicy policy) {
  return [policy](Runtime& runtime, Model& model, BatcherOptions options) {
    options.learn_cap = false;
    return aiserve::BatcherAccess::make(runtime, model, std::move(options), policy);
  };
}

std::vector<Contestant> others() {
  return {{"none", with_policy(&one_by_one)},
          {"window1", with_policy(&fixed_window<1'000'000>)},
          {"window2", with_policy(&fixed_window<2'000'000>)},
          {"window5", with_policy(&fixed_window<5'000'000>)}};
}

}  // namespace rivals
